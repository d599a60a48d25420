"""Writing many rows at once. SQLAlchemy builds each statement, once; the values of the rows are bound here.

Its own way looks every value of every row up anew, which costs more than the database does (benchmarks/deliveries.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Table
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from hub.store.row import Row, columns_of

Values = dict[str, Any]
Rows = Sequence[Row] | Sequence[Values]
"""Whole rows of one table, as its records; or some of its columns, all of them the same."""


def insert(tx: Connection, table: Table, rows: Rows) -> None:
    """Insert ``rows``, all with the same keys, in one round trip."""
    if rows:
        run_many(tx, _insert(table), rows)


def insert_new(tx: Connection, table: Table, rows: Rows, *keys: str) -> int:
    """Insert ``rows``; those whose unique ``keys`` exist already are left as they are. Returns how many were inserted."""
    return run_many(tx, _insert_new(tx.dialect.name, table, keys), rows) if rows else 0


def upsert(tx: Connection, table: Table, rows: Rows, keys: Sequence[str], change: Iterable[str]) -> None:
    """Insert ``rows``; where the unique ``keys`` exist already, the ``change`` columns take the new values."""
    if rows:
        run_many(tx, _upsert(tx.dialect.name, table, tuple(keys), tuple(change)), rows)


def insert_or(tx: Connection, table: Table) -> Any:
    """An insert that can say what to do with rows that exist already."""
    return _dialect(tx.dialect.name).insert(table)


def run_many(tx: Connection, statement: Executable, rows: Sequence[Row] | Sequence[Mapping[str, Any]]) -> int:
    """Execute ``statement`` once for each of ``rows``, which all have the same keys: columns, or names of bindparams.

    Returns how many rows of the table were touched in all.

    What was compiled is kept by the statement's identity: pass one that is made once, not one made for each call.
    """
    first = rows[0]
    names = first.__struct_fields__ if isinstance(first, Row) else tuple(first)
    prepared = _prepare(tx.dialect, statement, names)
    return tx.exec_driver_sql(prepared.sql, [prepared.bind(row) for row in rows]).rowcount


@dataclass(frozen=True, slots=True)
class _Prepared:
    sql: str
    binders: tuple[tuple[str, Callable[[Any], Any] | None], ...]  # in the statement's order
    constants: Mapping[str, Any]
    positional: bool

    def bind(self, row: Row | Mapping[str, Any]) -> Any:
        """The values of ``row`` as the driver takes them."""
        if isinstance(row, Row):
            row = columns_of(row)
        if self.constants:
            row = {**self.constants, **row}
        if self.positional:
            return tuple([row[name] if convert is None else convert(row[name]) for name, convert in self.binders])
        return {name: row[name] if convert is None else convert(row[name]) for name, convert in self.binders}


@lru_cache(maxsize=256)
def _prepare(dialect: Dialect, statement: Executable, names: tuple[str, ...]) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined]  # every statement has it, Executable does not say so
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - what else would a statement compile to
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    order = compiled.positiontup if compiled.positional else binds
    binders = tuple((name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in order or ())
    constants = {name: value for name, value in compiled.params.items() if name not in names}
    return _Prepared(compiled.string, binders, constants, compiled.positional)


@lru_cache(maxsize=256)
def _insert(table: Table) -> Executable:
    return plain_insert(table)


@lru_cache(maxsize=256)
def _insert_new(dialect: str, table: Table, keys: tuple[str, ...]) -> Executable:
    statement: Executable = _dialect(dialect).insert(table).on_conflict_do_nothing(index_elements=keys or None)
    return statement


@lru_cache(maxsize=256)
def _upsert(dialect: str, table: Table, keys: tuple[str, ...], change: tuple[str, ...]) -> Executable:
    statement = _dialect(dialect).insert(table)
    new = {name: statement.excluded[name] for name in change}
    changed: Executable = statement.on_conflict_do_update(index_elements=keys, set_=new)
    return changed


def _dialect(name: str) -> Any:
    return sqlite if name == "sqlite" else postgresql

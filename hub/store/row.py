"""Rows as typed records: what a query returns is a struct of its table, so that a misspelt column is a type error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select


class Row(msgspec.Struct, frozen=True):
    """One row of a table. Its fields are the table's columns, in their order (tests/hub/test_rows.py compares them)."""

    if not TYPE_CHECKING:  # for scripts and notebooks only; in the hub a column is an attribute, which mypy checks

        def __getitem__(self, column: str) -> Any:
            return getattr(self, column)


R = TypeVar("R", bound=Row)


def fetch_all(tx: Connection, kind: type[R], statement: Select[Any]) -> list[R]:
    """What ``statement`` finds, as records of ``kind``: it selects the columns that ``kind`` has, in their order."""
    return [kind(*row) for row in tx.execute(statement)]


def fetch_first(tx: Connection, kind: type[R], statement: Select[Any]) -> R | None:
    """The first of what ``statement`` finds, None when it finds nothing."""
    row = tx.execute(statement).first()
    return None if row is None else kind(*row)


def columns_of(row: Row) -> dict[str, Any]:
    """The row as a dictionary by column: to show all of it, or to copy it with changes."""
    return msgspec.structs.asdict(row)

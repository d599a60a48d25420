"""Asking for many rows by their ids, with one statement for any number of them.

An IN with a parameter for each id is another statement for each number: put together, prepared and cached anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


def in_any(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """The condition that a column of texts is one of ``values``."""
    return _InAny(column, bindparam(None, list(values), type_=_Texts, unique=True))


class _InAny(FunctionElement[bool]):
    inherit_cache = True
    type: TypeEngine[Any] = NullType()  # were it Boolean, SQLite would be asked for "… = 1", and would use no index


class _Texts(TypeDecorator[list[str]]):
    """A list as one value: PostgreSQL has arrays, SQLite reads JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Text()))

    def process_bind_param(self, value: list[str] | None, dialect: Any) -> Any:
        return msgspec.json.encode(value).decode() if dialect.name == "sqlite" else value


@compiles(_InAny, "sqlite")
def _in_json(element: _InAny, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - names and placeholders, put in by SQLAlchemy


@compiles(_InAny, "postgresql")
def _in_array(element: _InAny, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY({values})"

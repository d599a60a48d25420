"""The shapes that several calls speak: amounts, times, pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, validate

from hub.contract.conversion import iso, money_text

MOST = 200  # rows a page


class Amount(fields.String):
    """Money in major units, as a text: ``"49.99"``."""

    def _serialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        return money_text(value)


class At(fields.String):
    """A time, ISO 8601 in UTC: ``2026-11-20T18:42:07Z``."""

    def _serialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else iso(value)


class Since(fields.AwareDateTime):
    """A time that is given: ISO 8601; without a zone it is UTC."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **rest)


class PageQuery(Schema):
    """Which page: at most ``limit`` rows, those after the row ``before`` (the ``next`` of the page before)."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST))
    before = fields.String(load_default=None, validate=validate.Length(max=36))


def page_of(row: type[Schema]) -> type[Schema]:
    """The schema of a page: ``{"items": [...], "next": "…"}``, ``next`` being null on the last one."""
    own: dict[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(row)),
        "next": fields.String(allow_none=True),
    }
    return Schema.from_dict(own, name=f"{row.__name__}Page")


def page(rows: Sequence[Any], limit: int) -> dict[str, Any]:
    """One page; newest first."""
    return {"items": rows, "next": rows[-1].id if len(rows) == limit else None}


def plain(value: Any) -> Any:
    """Nested dicts and lists as JSON: money as text, times as ISO 8601."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, Decimal):
        return money_text(value)
    return iso(value) if isinstance(value, datetime) else value

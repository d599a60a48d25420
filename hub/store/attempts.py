"""What happened at every try of a delivery, and what was said on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, Text, select

from hub.store.base import Id, JsonColumn, Moment, Row, chunks, fetch_all, id_column, in_any, metadata

attempt = Table(
    "attempt",
    metadata,
    Column("delivery_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("result", String(24), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("exchange_id", Id),
)


class AttemptRow(Row, frozen=True):
    """A row of :data:`attempt`."""

    delivery_id: str
    number: int
    at: datetime
    result: str
    reason: str
    detail: str
    exchange_id: str | None


exchange = Table(
    "exchange",
    metadata,
    id_column(),
    Column("connection_id", Id, nullable=False),
    Column("at", Moment, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    # [{"call": {method, url, headers, body}, "reply": {status, headers, body} | null}], secrets masked, bodies cut
    Column("calls", JsonColumn, nullable=False),
)


class ExchangeRow(Row, frozen=True):
    """A row of :data:`exchange`."""

    id: str
    connection_id: str
    at: datetime
    milliseconds: int
    records: int
    calls: Any


class Try(AttemptRow, frozen=True):
    """An attempt with what was said on the wire: ``calls`` and the rest are None where nothing was."""

    calls: Any
    milliseconds: int | None
    records: int | None


def of_deliveries(tx: Connection, delivery_ids: Iterable[str]) -> dict[str, list[Try]]:
    """Per delivery, each try with its exchange (calls, milliseconds), first try first."""
    found: dict[str, list[Try]] = {}
    for some in chunks(delivery_ids):
        statement = (
            select(attempt, exchange.c.calls, exchange.c.milliseconds, exchange.c.records)
            .outerjoin(exchange, exchange.c.id == attempt.c.exchange_id)
            .where(in_any(attempt.c.delivery_id, some))
            .order_by(attempt.c.delivery_id, attempt.c.number)
        )
        for row in fetch_all(tx, Try, statement):
            found.setdefault(row.delivery_id, []).append(row)
    return found

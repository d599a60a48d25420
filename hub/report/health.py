"""How each connection fares: one line for each, over the last 24 hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from hub.report.arrivals import id_floor
from hub.store import inbound as messages
from hub.store.connections import ConnectionRow
from hub.store.deliveries import DELIVERED, FAILED, NOT_SENT, WAITING, delivery
from hub.store.inbound import DONE, IGNORED, PARKED, RECEIVED, REFUSED, inbound


@dataclass(frozen=True, slots=True)
class Health:
    """One connection. Of a source: messages that came; of a destination: deliveries planned in that time.

    ``number`` is all of them, ``good`` recorded or delivered, ``left`` not counted or not sent, ``waiting`` on their
    way, ``trouble`` set aside, refused or failed. ``last`` is when the newest message came (sources; None: never).
    """

    row: ConnectionRow
    number: int
    good: int
    left: int
    waiting: int
    trouble: int
    last: datetime | None


def strip(tx: Connection, workspace_id: str, at: datetime, rows: Iterable[ConnectionRow]) -> list[Health]:
    """A line for each of ``rows``, in their order."""
    since = at - timedelta(hours=24)
    came, sent = _came(tx, workspace_id, since), planned_since(tx, workspace_id, since)
    return [_source(tx, row, came) if row.role == "source" else _destination(row, sent) for row in rows]


def planned_since(tx: Connection, workspace_id: str, since: datetime) -> dict[tuple[str, str], int]:
    """Per (destination, state), the deliveries planned since then."""
    statement = (
        select(delivery.c.connection_id, delivery.c.state, func.count())
        .where(
            delivery.c.workspace_id == workspace_id, delivery.c.id >= id_floor(since), delivery.c.created_at >= since
        )
        .group_by(delivery.c.connection_id, delivery.c.state)
    )
    return {(connection, state): number for connection, state, number in tx.execute(statement)}


def _came(tx: Connection, workspace_id: str, since: datetime) -> dict[tuple[str, str], int]:
    statement = (
        select(inbound.c.connection_id, inbound.c.state, func.count())
        .where(inbound.c.workspace_id == workspace_id, inbound.c.id >= id_floor(since), inbound.c.received_at >= since)
        .group_by(inbound.c.connection_id, inbound.c.state)
    )
    return {(connection, state): number for connection, state, number in tx.execute(statement)}


def _source(tx: Connection, row: ConnectionRow, came: dict[tuple[str, str], int]) -> Health:
    mine = {state: number for (connection, state), number in came.items() if connection == row.id}
    newest = messages.latest(tx, row.workspace_id, limit=1, connection_id=row.id)
    return Health(
        row,
        sum(mine.values()),
        mine.get(DONE, 0),
        mine.get(IGNORED, 0),
        mine.get(RECEIVED, 0) + mine.get(messages.READING, 0),
        mine.get(PARKED, 0) + mine.get(REFUSED, 0),
        newest[0].received_at if newest else None,
    )


def _destination(row: ConnectionRow, sent: dict[tuple[str, str], int]) -> Health:
    mine = {state: number for (connection, state), number in sent.items() if connection == row.id}
    return Health(
        row,
        sum(mine.values()),
        mine.get(DELIVERED, 0),
        mine.get(NOT_SENT, 0),
        mine.get(WAITING, 0),
        mine.get(FAILED, 0),
        None,
    )

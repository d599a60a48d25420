"""The outbox: one row for each conversion on each route, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    func,
    select,
    update,
)

from hub.store.attempts import attempt, exchange
from hub.store.base import (
    Id,
    Moment,
    Row,
    Values,
    chunks,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    insert,
    insert_new,
    metadata,
    run_many,
)
from hub.store.connections import ACTIVE, connection
from hub.store.conversions import conversion

WAITING, DELIVERED, NOT_SENT, FAILED = "waiting", "delivered", "not_sent", "failed"
"""waiting → delivered · not_sent (a rule, consent or trust said no) · failed (refused, expired or given up)."""

delivery = Table(
    "delivery",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("conversion_id", Id, nullable=False),
    Column("route_id", Id, nullable=False),
    Column("connection_id", Id, nullable=False),
    Column("mapping_id", Id),  # the version used at the last try; NULL: the route's current one will be
    Column("state", String(10), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("ticket", String(1000)),  # under which the platform is asked for its verdict; NULL: none is awaited
    Column("ticket_at", Moment),
    # How many of ``tries`` the schedule does not count: asks for a verdict, refused credentials, all before a replay.
    Column("uncounted", Integer, nullable=False, server_default="0"),
    Column("overridden", String(20)),  # the one rule that a person set aside for it, a key of hub.store.replays.RULES
    UniqueConstraint("conversion_id", "route_id"),
    Index("ix_delivery_workspace", "workspace_id", "id"),
    Index(
        "ix_delivery_waiting",
        "connection_id",
        "due_at",
        sqlite_where=Column("state") == WAITING,
        postgresql_where=Column("state") == WAITING,
    ),
    Index(
        "ix_delivery_ticket",
        "ticket",
        sqlite_where=Column("ticket").is_not(None),
        postgresql_where=Column("ticket").is_not(None),
    ),
)


class DeliveryRow(Row, frozen=True):
    """A row of :data:`delivery`."""

    id: str
    workspace_id: str
    conversion_id: str
    route_id: str
    connection_id: str
    mapping_id: str | None
    state: str
    reason: str
    detail: str
    tries: int
    due_at: datetime
    created_at: datetime
    done_at: datetime | None
    ticket: str | None
    ticket_at: datetime | None
    uncounted: int
    overridden: str | None


def add(tx: Connection, rows: Sequence[Values]) -> None:
    """Plan deliveries; a conversion that is on a route already keeps the delivery it has."""
    insert_new(tx, delivery, rows, "conversion_id", "route_id")


def purchases_at(tx: Connection, connection_id: str, order_ids: Iterable[str]) -> dict[str, str]:
    """By order: how its purchase stands at this destination, the best of several states. Absent: it never went there."""
    found: dict[str, str] = {}
    for some in chunks(order_ids):
        statement = (
            select(conversion.c.order_id, delivery.c.state)
            .join(delivery, delivery.c.conversion_id == conversion.c.id)
            .where(in_any(conversion.c.order_id, some), conversion.c.stage == "purchase")
            .where(delivery.c.connection_id == connection_id, delivery.c.state.in_((WAITING, DELIVERED)))
            .order_by(case((delivery.c.state == DELIVERED, 1), else_=0))  # what is delivered is read last, and counts
        )
        found |= {row.order_id: row.state for row in tx.execute(statement)}
    return found


def of_conversions(tx: Connection, conversion_ids: Iterable[str]) -> dict[tuple[str, str], DeliveryRow]:
    """By (conversion, route)."""
    found: dict[tuple[str, str], DeliveryRow] = {}
    for some in chunks(conversion_ids):
        statement = select(delivery).where(in_any(delivery.c.conversion_id, some))
        found |= {(row.conversion_id, row.route_id): row for row in fetch_all(tx, DeliveryRow, statement)}
    return found


class DueDelivery(Row, frozen=True):
    """What a lane reads of a delivery that it is to send."""

    id: str
    conversion_id: str
    route_id: str
    mapping_id: str | None
    tries: int
    ticket: str | None
    ticket_at: datetime | None
    uncounted: int
    overridden: str | None


def due(tx: Connection, connection_id: str, at: datetime, limit: int) -> list[DueDelivery]:
    """What one destination may be sent now, oldest first."""
    statement = (
        select(*_DUE)
        .where(delivery.c.connection_id == connection_id, delivery.c.state == WAITING, delivery.c.due_at <= at)
        .order_by(delivery.c.due_at)
        .limit(limit)
    )
    return fetch_all(tx, DueDelivery, statement)


_DUE = [delivery.c[name] for name in DueDelivery.__struct_fields__]


def with_their_tickets(tx: Connection, connection_id: str, rows: list[DueDelivery]) -> list[DueDelivery]:
    """``rows`` of :func:`due`, and whatever else waits for a verdict under one of their tickets: asked for at once."""
    known = {row.id for row in rows}
    for some in chunks({row.ticket for row in rows if row.ticket}):
        statement = select(*_DUE).where(
            delivery.c.connection_id == connection_id, delivery.c.state == WAITING, in_any(delivery.c.ticket, some)
        )
        rows = rows + [row for row in fetch_all(tx, DueDelivery, statement) if row.id not in known]
    return rows


def connections_due(tx: Connection, at: datetime) -> list[str]:
    """Active destinations with something to be sent now, and nothing that keeps them from it."""
    free = connection.c.throttled_until.is_(None) | (connection.c.throttled_until <= at)
    something = select(delivery.c.id).where(
        delivery.c.connection_id == connection.c.id, delivery.c.state == WAITING, delivery.c.due_at <= at
    )
    statement = select(connection.c.id).where(
        connection.c.role == "destination", connection.c.state == ACTIVE, free, something.exists()
    )
    return list(tx.scalars(statement))


def record(tx: Connection, at: datetime, verdicts: Sequence[Values], exchanges: Sequence[Values]) -> None:
    """Write what a turn of a lane found out.

    Each verdict has: id, number, state, reason, detail, due_at, done_at, mapping_id, ticket, ticket_at, result,
    exchange_id, and uncounted: 1 when the schedule does not count this attempt, else 0.
    """
    insert(tx, exchange, exchanges)
    if verdicts:
        run_many(tx, _VERDICT, [{f"new_{name}": value for name, value in row.items()} for row in verdicts])
    attempts = [{"delivery_id": row["id"], "at": at, **{name: row[name] for name in _TRIED}} for row in verdicts]
    insert_new(tx, attempt, attempts, "delivery_id", "number")


_TRIED = ("number", "result", "reason", "detail", "exchange_id")
_CHANGED = ("state", "reason", "detail", "due_at", "done_at", "mapping_id", "ticket", "ticket_at")
_VERDICT = (
    update(delivery)
    .where(delivery.c.id == bindparam("new_id"), delivery.c.state == WAITING)
    .values(
        tries=bindparam("new_number"),
        uncounted=delivery.c.uncounted + bindparam("new_uncounted"),
        **{name: bindparam(f"new_{name}") for name in _CHANGED},
    )
)


def postpone(tx: Connection, ids: Sequence[str], due_at: datetime, reason: str) -> None:
    """Not now, and no try counted."""
    for some in chunks(ids):
        tx.execute(update(delivery).where(in_any(delivery.c.id, some)).values(due_at=due_at, reason=reason))


def change_plan(tx: Connection, rows: Sequence[Values]) -> None:
    """Give deliveries of which nothing was sent another state. Rows: id, state, reason, due_at, done_at."""
    if rows:
        names = ("state", "reason", "due_at", "done_at")
        unsent = (delivery.c.tries == 0) | (delivery.c.state == NOT_SENT)
        chosen = (delivery.c.id == bindparam("delivery_id")) & unsent
        statement = update(delivery).where(chosen).values({name: bindparam("new_" + name) for name in names})
        values = [{"delivery_id": row["id"], **{"new_" + name: row[name] for name in names}} for row in rows]
        tx.execute(statement, values)


def call_off(tx: Connection, at: datetime, *, connection_id: str | None = None, route_id: str | None = None) -> int:
    """What waits for a destination or route that is taken away is not sent. Returns how many."""
    column, wanted = (delivery.c.route_id, route_id) if route_id else (delivery.c.connection_id, connection_id)
    waits = (column == wanted) & (delivery.c.state == WAITING)
    return tx.execute(update(delivery).where(waits).values(state=NOT_SENT, reason="route_removed", done_at=at)).rowcount


def call_off_conversion(tx: Connection, conversion_id: str, reason: str, at: datetime) -> None:
    """What still waits of this conversion is not sent."""
    waits = (delivery.c.conversion_id == conversion_id) & (delivery.c.state == WAITING)
    tx.execute(update(delivery).where(waits).values(state=NOT_SENT, reason=reason, done_at=at))


def hand_over(tx: Connection, old: str, new: str) -> None:
    """Deliveries of the conversion ``old`` go on as those of ``new``, one a route: the one that has come furthest."""
    rows = of_conversions(tx, [old, new])
    for (conversion_id, route_id), row in rows.items():
        if conversion_id != old:
            continue
        twin = rows.get((new, route_id))
        if twin is not None and _progress(twin) >= _progress(row):
            continue
        if twin is not None:  # a conversion is on a route once, so the two change places over a third
            _assign(tx, twin.id, twin.id)
        _assign(tx, row.id, new)
        if twin is not None:
            _assign(tx, twin.id, old)


def _assign(tx: Connection, delivery_id: str, conversion_id: str) -> None:
    tx.execute(update(delivery).where(delivery.c.id == delivery_id).values(conversion_id=conversion_id))


def _progress(row: DeliveryRow) -> tuple[bool, int, bool]:
    return row.state == DELIVERED, row.tries, row.state == WAITING


def get(tx: Connection, delivery_id: str, workspace_id: str | None = None) -> DeliveryRow | None:
    statement = select(delivery).where(delivery.c.id == delivery_id)
    if workspace_id is not None:
        statement = statement.where(delivery.c.workspace_id == workspace_id)
    return fetch_first(tx, DeliveryRow, statement)


def latest(
    tx: Connection,
    workspace_id: str,
    *,
    limit: int = 50,
    before: str | None = None,
    state: str | None = None,
    connection_id: str | None = None,
    conversion_id: str | None = None,
) -> list[DeliveryRow]:
    """Newest first. ``before`` is the last id of the page before (keyset paging)."""
    statement = (
        select(delivery).where(delivery.c.workspace_id == workspace_id).order_by(delivery.c.id.desc()).limit(limit)
    )
    for name, wanted in {"state": state, "connection_id": connection_id, "conversion_id": conversion_id}.items():
        if wanted:
            statement = statement.where(delivery.c[name] == wanted)
    if before:
        statement = statement.where(delivery.c.id < before)
    return fetch_all(tx, DeliveryRow, statement)


def counts(tx: Connection, workspace_id: str) -> dict[tuple[str, str], int]:
    """How many deliveries per (connection, state)."""
    statement = (
        select(delivery.c.connection_id, delivery.c.state, func.count())
        .where(delivery.c.workspace_id == workspace_id)
        .group_by(delivery.c.connection_id, delivery.c.state)
    )
    return {(connection_id, state): number for connection_id, state, number in tx.execute(statement)}


def waiting_of(tx: Connection, connection_id: str) -> list[str]:
    statement = select(delivery.c.id).where(delivery.c.connection_id == connection_id, delivery.c.state == WAITING)
    return list(tx.scalars(statement))

"""Raw messages, kept once, never changed: everything after them can be replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
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
from sqlalchemy.exc import IntegrityError

from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Row,
    Values,
    chunks,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    metadata,
    run_many,
)

RECEIVED, READING, DONE, IGNORED, PARKED, REFUSED = "received", "reading", "done", "ignored", "parked", "refused"
"""received → (reading back →) done · ignored (not for us) · parked (not understood, replayable) · refused (not verified)

In READING a message waits, beside reading, for what its sender has to be asked (hub/run/asking.py): it comes back to
RECEIVED with the answer.
"""

REPLAYED, UNPROVEN, READ_BACK = "replayed", "unproven", "read_back"
"""Reasons of a message on its way that say what is to be done with it: it must be verified anew, it has never been, and
what had to be asked of its sender has been."""
TO_VERIFY = (REPLAYED, UNPROVEN)

TEST_SALE = "x-hub-test-sale"
"""Header of a message that a person had made here: what is read from it is a test. Ours alone, none from outside is kept."""

# No foreign keys on the tables that grow with traffic: each would cost a look-up for every hit.
inbound = Table(
    "inbound",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("connection_id", Id, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("method", String(8), nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("headers", JsonColumn, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("remote_ip", String(45), nullable=False),
    Column("event_key", String(64)),  # what makes two messages the same; NULL: never the same (or not verified)
    Column("trust", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("fetched", JsonColumn),
    Column("tries", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("resends", Integer, nullable=False),
    UniqueConstraint("connection_id", "event_key"),
    Index("ix_inbound_workspace_id", "workspace_id", "id"),
    Index(
        "ix_inbound_waiting",
        "workspace_id",
        "due_at",
        "id",
        sqlite_where=Column("state") == RECEIVED,
        postgresql_where=Column("state") == RECEIVED,
    ),
    Index(
        "ix_inbound_waiting_to_ask",
        "workspace_id",
        "due_at",
        "connection_id",
        "id",
        sqlite_where=Column("state") == READING,
        postgresql_where=Column("state") == READING,
    ),
)


class InboundRow(Row, frozen=True):
    """A row of :data:`inbound`."""

    id: str
    workspace_id: str
    connection_id: str
    received_at: datetime
    method: str
    path: str
    query: str
    headers: Any
    body: bytes
    remote_ip: str
    event_key: str | None
    trust: str
    state: str
    reason: str
    detail: str
    fetched: Any
    tries: int
    due_at: datetime
    resends: int


def new(**columns: Any) -> InboundRow:
    """A message as it comes in; ``columns`` are those that :data:`NEW_ROW` does not have, and any that differ from it."""
    return InboundRow(**NEW_ROW | columns)


NEW_ROW: Values = {
    "trust": "claimed",
    "state": RECEIVED,
    "reason": "waiting",
    "detail": "",
    "fetched": None,
    "tries": 0,
    "resends": 0,
    "event_key": None,
    "remote_ip": "",
}


def waiting(tx: Connection, workspace_id: str, at: datetime, limit: int) -> list[InboundRow]:
    """Messages due to be read, oldest first: those that have been due longest, as their index has them.

    In any other order the database would sort all that wait, with their bodies, for each batch.
    """
    statement = (
        select(inbound)
        .where(inbound.c.workspace_id == workspace_id, inbound.c.state == RECEIVED, inbound.c.due_at <= at)
        .order_by(inbound.c.due_at, inbound.c.id)
        .limit(limit)
    )
    return fetch_all(tx, InboundRow, statement)


def workspaces_waiting(tx: Connection, at: datetime) -> list[str]:
    """Workspaces with messages due."""
    statement = select(inbound.c.workspace_id).where(inbound.c.state == RECEIVED, inbound.c.due_at <= at).distinct()
    return list(tx.scalars(statement))


def asking(tx: Connection, workspace_id: str, connection_id: str, at: datetime, limit: int) -> list[InboundRow]:
    """Messages of one source for which its sender is to be asked now, oldest first."""
    mine = (inbound.c.workspace_id == workspace_id) & (inbound.c.connection_id == connection_id)
    statement = select(inbound).where(mine, inbound.c.state == READING, inbound.c.due_at <= at)
    in_order = statement.order_by(inbound.c.due_at, inbound.c.connection_id, inbound.c.id)  # as their index has them
    return fetch_all(tx, InboundRow, in_order.limit(limit))


def sources_asking(tx: Connection, workspace_id: str, at: datetime) -> list[str]:
    """The sources of a workspace whose senders are to be asked for something now."""
    due = (inbound.c.workspace_id == workspace_id) & (inbound.c.state == READING) & (inbound.c.due_at <= at)
    return list(tx.scalars(select(inbound.c.connection_id).where(due).distinct()))


def workspaces_asking(tx: Connection, at: datetime) -> list[str]:
    """Workspaces with messages for which a sender is to be asked now."""
    statement = select(inbound.c.workspace_id).where(inbound.c.state == READING, inbound.c.due_at <= at).distinct()
    return list(tx.scalars(statement))


def take_key(tx: Connection, row: InboundRow, event_key: str) -> bool:
    """Give a message that was verified late its event key. False: the same message is here already, and is counted."""
    try:
        with tx.begin_nested():
            change(tx, row.id, event_key=event_key)
    except IntegrityError:
        count_resends(tx, list(existing_keys(tx, [(row.connection_id, event_key)]).values()))
        return False
    return True


def answered(tx: Connection, inbound_id: str, **columns: Any) -> None:
    """Write what came of asking for a message; nothing where somebody had it read anew meanwhile."""
    tx.execute(update(inbound).where(inbound.c.id == inbound_id, inbound.c.state == READING).values(**columns))


def existing_keys(tx: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Which (connection, event key) pairs are stored already, and under which id."""
    found: dict[tuple[str, str], str] = {}
    for some in chunks(pairs):
        statement = select(inbound.c.connection_id, inbound.c.event_key, inbound.c.id).where(
            in_any(inbound.c.connection_id, {connection for connection, _ in some}),  # its index begins with it
            in_any(inbound.c.event_key, [key for _, key in some]),
        )
        found |= {(row.connection_id, row.event_key): row.id for row in tx.execute(statement)}
    return found


def count_resends(tx: Connection, ids: Sequence[str]) -> None:
    """Another copy of these messages came in, once for each time an id is given."""
    counted = update(inbound).where(inbound.c.id == bindparam("row_id"))
    copies = [{"row_id": inbound_id, "copies": number} for inbound_id, number in Counter(ids).items()]
    tx.execute(counted.values(resends=inbound.c.resends + bindparam("copies")), copies)


def settle(tx: Connection, rows: Sequence[Values]) -> None:
    """Write the verdicts: each row has id, state, reason, detail."""
    if rows:
        named = [{"row_id": row["id"], **{f"new_{name}": row[name] for name in _VERDICT}} for row in rows]
        run_many(tx, _SETTLE, named)


_VERDICT = ("state", "reason", "detail")
_SETTLE = (
    update(inbound)
    .where(inbound.c.id == bindparam("row_id"))
    .values(**{name: bindparam(f"new_{name}") for name in _VERDICT})
)


def read_again(tx: Connection, workspace_id: str, ids: Iterable[str], at: datetime) -> int:
    """Have these messages of the workspace read anew, now. Returns how many.

    What is proven stays so. All else gets the reason "replayed", at which its reader verifies it again: it may have
    been refused.
    """
    number = 0
    reason = case((inbound.c.trust == "proven", "waiting"), else_=REPLAYED)
    for some in chunks(ids):
        mine = update(inbound).where(inbound.c.workspace_id == workspace_id, in_any(inbound.c.id, some))
        again: Values = {"state": RECEIVED, "reason": reason, "detail": "", "tries": 0, "due_at": at}
        number += tx.execute(mine.values(**again)).rowcount
    return number


def parked_for(tx: Connection, connection_id: str, reasons: Iterable[str]) -> list[str]:
    """The messages of a source that were set aside for one of ``reasons``, oldest first."""
    mine = (inbound.c.connection_id == connection_id) & (inbound.c.state == PARKED)
    found = select(inbound.c.id).where(mine, inbound.c.reason.in_(list(reasons))).order_by(inbound.c.id)
    return list(tx.scalars(found))


def change(tx: Connection, inbound_id: str, **columns: Any) -> None:
    tx.execute(update(inbound).where(inbound.c.id == inbound_id).values(**columns))


def get(tx: Connection, inbound_id: str, workspace_id: str | None = None) -> InboundRow | None:
    statement = select(inbound).where(inbound.c.id == inbound_id)
    if workspace_id is not None:
        statement = statement.where(inbound.c.workspace_id == workspace_id)
    return fetch_first(tx, InboundRow, statement)


class InboundHead(Row, frozen=True):
    """A message without its body, headers and what was fetched."""

    id: str
    workspace_id: str
    connection_id: str
    received_at: datetime
    method: str
    path: str
    query: str
    remote_ip: str
    event_key: str | None
    trust: str
    state: str
    reason: str
    detail: str
    tries: int
    due_at: datetime
    resends: int


HEAD = [inbound.c[name] for name in InboundHead.__struct_fields__]


def latest(
    tx: Connection,
    workspace_id: str,
    *,
    limit: int = 50,
    before: str | None = None,
    connection_id: str | None = None,
    state: str | None = None,
) -> list[InboundHead]:
    """Newest first, without bodies. ``before`` is the last id of the page before (keyset paging)."""
    statement = select(*HEAD).where(inbound.c.workspace_id == workspace_id).order_by(inbound.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(inbound.c.id < before)
    if connection_id:
        statement = statement.where(inbound.c.connection_id == connection_id)
    if state:
        statement = statement.where(inbound.c.state == state)
    return fetch_all(tx, InboundHead, statement)


def counts(tx: Connection, workspace_id: str, since: datetime) -> dict[tuple[str, str], int]:
    """How many messages per (connection, state) since then."""
    statement = (
        select(inbound.c.connection_id, inbound.c.state, func.count())
        .where(inbound.c.workspace_id == workspace_id, inbound.c.received_at >= since)
        .group_by(inbound.c.connection_id, inbound.c.state)
    )
    return {(connection_id, state): number for connection_id, state, number in tx.execute(statement)}

"""Connections: connectors set up by people, with their settings and state."""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    select,
    update,
)

from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Row,
    Store,
    Values,
    fetch_all,
    fetch_first,
    id_column,
    insert,
    insert_new,
    insert_or,
    metadata,
    new_id,
)

ACTIVE, PAUSED, NEEDS_YOU, OFF = "active", "paused", "needs_you", "off"
"""``needs_you``: the hub paused it (credentials refused) and asks its owner. ``off``: the receiver said it is gone."""

connection = Table(
    "connection",
    metadata,
    id_column(),
    Column("workspace_id", Id, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("connector", String(64), nullable=False),
    Column("role", String(12), nullable=False),
    Column("name", String(200), nullable=False),
    Column("address", String(64), nullable=False, unique=True),  # the unguessable part of a source's URL
    Column("number", Integer, nullable=False, unique=True),  # the short public number in a pixel's URL
    Column("settings", JsonColumn, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("settings_version", Integer, nullable=False),
    Column("order_scope", String(64), nullable=False, server_default=""),
    Column("state", String(12), nullable=False, server_default=ACTIVE),
    Column("state_reason", String(64), nullable=False, server_default=""),
    Column("state_detail", String(1000), nullable=False, server_default=""),
    Column("breaker", JsonColumn, nullable=False),
    Column("throttled_until", Moment),  # nothing is sent before: a rate limit, or the breaker's next probe
    Column("prepared_at", Moment),  # when Destination.prepare last went well
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_connection_role_connector", "role", "connector"),
)


class ConnectionRow(Row, frozen=True):
    """A row of :data:`connection`."""

    id: str
    workspace_id: str
    connector: str
    role: Literal["source", "destination"]
    name: str
    address: str
    number: int
    settings: Any
    secrets: bytes
    settings_version: int
    order_scope: str
    state: str
    state_reason: str
    state_detail: str
    breaker: Any
    throttled_until: datetime | None
    prepared_at: datetime | None
    created_at: datetime
    updated_at: datetime


counter = Table(
    "counter",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("last", Integer, nullable=False),  # the highest number that was ever given
)

change_count = Table(
    "change_count",
    metadata,
    Column("what", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""How often something was changed that processes keep in memory: whoever sees another number looks it up anew."""


def version(tx: Connection) -> int:
    """A number that grows with each change of any connection's settings."""
    return tx.scalar(_VERSION) or 0


def version_now(store: Store) -> int:
    """As :func:`version`, for whoever asks before each message: past SQLAlchemy it takes 11 µs on SQLite, not 70."""
    borrowed = store.engine.raw_connection()
    try:
        driver: Any = borrowed.driver_connection
        found = driver.execute("SELECT number FROM change_count WHERE what = 'connections'").fetchone()
    finally:
        borrowed.close()
    return int(found[0]) if found else 0


_VERSION = select(change_count.c.number).where(change_count.c.what == "connections")


def _count_change(tx: Connection) -> None:
    insert_new(tx, change_count, [{"what": "connections", "number": 0}], "what")
    mine = change_count.c.what == "connections"
    tx.execute(update(change_count).where(mine).values(number=change_count.c.number + 1))


def add_connection(tx: Connection, at: datetime, columns: Values) -> str:
    """Store a connection; returns its id. ``columns`` holds all but the id, address, number and times."""
    connection_id = new_id()
    row: Values = {"id": connection_id, "address": random.token_urlsafe(24), "number": _next_number(tx), "breaker": {}}
    insert(tx, connection, [row | {"created_at": at, "updated_at": at} | columns])
    _count_change(tx)
    return connection_id


def _next_number(tx: Connection) -> int:
    """A number that no connection ever had: a pixel that is gone may still stand on somebody's page."""
    first = insert_or(tx, counter).values(name="connection", last=1)
    following = first.on_conflict_do_update(index_elements=["name"], set_={"last": counter.c.last + 1})
    return int(tx.scalar(following.returning(counter.c.last)))


def get_connection(tx: Connection, connection_id: str, workspace_id: str | None = None) -> ConnectionRow | None:
    statement = select(connection).where(connection.c.id == connection_id)
    if workspace_id is not None:
        statement = statement.where(connection.c.workspace_id == workspace_id)
    return fetch_first(tx, ConnectionRow, statement)


def by_ids(tx: Connection, ids: Iterable[str]) -> dict[str, ConnectionRow]:
    statement = select(connection).where(connection.c.id.in_(list(ids)))
    return {row.id: row for row in fetch_all(tx, ConnectionRow, statement)}


def source_by_address(tx: Connection, address: str) -> ConnectionRow | None:
    statement = select(connection).where(connection.c.address == address, connection.c.role == "source")
    return fetch_first(tx, ConnectionRow, statement)


def source_by_number(tx: Connection, number: int | None, connector: str) -> ConnectionRow | None:
    """The ``connector`` source with that public number; the oldest one when the number is unknown or None."""
    mine = select(connection).where(connection.c.role == "source", connection.c.connector == connector)
    if number is not None:
        found = fetch_first(tx, ConnectionRow, mine.where(connection.c.number == number))
        if found is not None:
            return found
    return fetch_first(tx, ConnectionRow, mine.order_by(connection.c.number).limit(1))


def connections_of(tx: Connection, workspace_id: str, role: str | None = None) -> list[ConnectionRow]:
    statement = select(connection).where(connection.c.workspace_id == workspace_id).order_by(connection.c.number)
    if role is not None:
        statement = statement.where(connection.c.role == role)
    return fetch_all(tx, ConnectionRow, statement)


def all_connections(tx: Connection) -> list[ConnectionRow]:
    """Those of every workspace, oldest first."""
    return fetch_all(tx, ConnectionRow, select(connection).order_by(connection.c.number))


def change_connection(tx: Connection, connection_id: str, at: datetime, **columns: Any) -> None:
    tx.execute(update(connection).where(connection.c.id == connection_id).values(updated_at=at, **columns))
    if not columns.keys() <= _PASSING:
        _count_change(tx)


_PASSING = {"breaker", "throttled_until", "prepared_at"}
"""Columns that a lane writes for itself, and nobody else keeps in memory."""


def set_state(tx: Connection, connection_id: str, at: datetime, state: str, reason: str = "", detail: str = "") -> None:
    change_connection(tx, connection_id, at, state=state, state_reason=reason, state_detail=detail[:1000])


def stop(tx: Connection, connection_id: str, at: datetime, reason: str, detail: str) -> None:
    """Ask its owner to see to it. One that stands still already is left as it is."""
    at_work = update(connection).where(connection.c.id == connection_id, connection.c.state == ACTIVE)
    asked = {"state": NEEDS_YOU, "state_reason": reason, "state_detail": detail.strip()[:1000]}
    if tx.execute(at_work.values(updated_at=at, **asked)).rowcount:
        _count_change(tx)


def stopped_for(tx: Connection, reason: str) -> list[ConnectionRow]:
    """The connections that ask their owner to see to them for this ``reason``."""
    statement = select(connection).where(connection.c.state == NEEDS_YOU, connection.c.state_reason == reason)
    return fetch_all(tx, ConnectionRow, statement)


def go_on(tx: Connection, connection_id: str, at: datetime, reason: str) -> bool:
    """Set one to work again that stands still for this ``reason``. False: it does not any more."""
    mine = (
        (connection.c.id == connection_id) & (connection.c.state == NEEDS_YOU) & (connection.c.state_reason == reason)
    )
    works = {"state": ACTIVE, "state_reason": "", "state_detail": "", "updated_at": at}
    if not tx.execute(update(connection).where(mine).values(**works)).rowcount:
        return False
    _count_change(tx)
    return True


def remove_connection(tx: Connection, connection_id: str) -> None:
    tx.execute(connection.delete().where(connection.c.id == connection_id))
    _count_change(tx)

"""Grants: the tokens that a connection's calls are made with, encrypted, and requests for one that people have open."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    select,
    update,
)

from hub.store.base import Id, Moment, Row, Values, fetch_first, insert, insert_new, metadata, new_id

grant = Table(
    "access_grant",  # "grant" is a word of SQL
    metadata,
    Column("connection_id", Id, ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True),
    Column("issuer", String(64), primary_key=True),  # empty: granted by a person; else what the token was asked with
    Column("serial", Id, nullable=False),  # another with each change: whoever renews sees that somebody else has
    Column("tokens", LargeBinary, nullable=False),
    Column("granted_at", Moment, nullable=False),
    Column("renewed_at", Moment, nullable=False),
    Column("renew_at", Moment),  # None: only when it is refused
    Column("expires_at", Moment),
    Column("broken_at", Moment),  # when it was found to be worth nothing any more
)


class GrantRow(Row, frozen=True):
    """A row of :data:`grant`."""

    connection_id: str
    issuer: str
    serial: str
    tokens: bytes
    granted_at: datetime
    renewed_at: datetime
    renew_at: datetime | None
    expires_at: datetime | None
    broken_at: datetime | None


grant_request = Table(
    "grant_request",
    metadata,
    Column("state", String(64), primary_key=True),  # hashed
    Column("connection_id", Id, ForeignKey("connection.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Id, nullable=False),
    Column("browser", String(64), nullable=False),  # hashed: only the session that asked may bring the answer
    Column("verifier", LargeBinary, nullable=False),
    Column("expires_at", Moment, nullable=False),
)


class GrantRequestRow(Row, frozen=True):
    """A row of :data:`grant_request`."""

    state: str
    connection_id: str
    user_id: str
    browser: str
    verifier: bytes
    expires_at: datetime


def get(tx: Connection, connection_id: str, issuer: str = "") -> GrantRow | None:
    return fetch_first(tx, GrantRow, select(grant).where(_is(connection_id, issuer)))


def put(tx: Connection, at: datetime, connection_id: str, issuer: str, columns: Values) -> None:
    """A new grant, in the place of any other."""
    tx.execute(delete(grant).where(_is(connection_id, issuer)))
    row = {"connection_id": connection_id, "issuer": issuer, "serial": new_id(), "granted_at": at, "renewed_at": at}
    insert(tx, grant, [row | columns])


def renew(tx: Connection, at: datetime, connection_id: str, issuer: str, serial: str | None, columns: Values) -> bool:
    """Replace the grant read as ``serial`` (None: there was none). False: somebody else was faster, nothing is done."""
    changed = {"serial": new_id(), "renewed_at": at, "broken_at": None} | columns
    if serial is None:
        row = {"connection_id": connection_id, "issuer": issuer, "granted_at": at} | changed
        return bool(insert_new(tx, grant, [row], "connection_id", "issuer"))
    mine = update(grant).where(_is(connection_id, issuer), grant.c.serial == serial)
    return bool(tx.execute(mine.values(**changed)).rowcount)


def mark_broken(tx: Connection, at: datetime, connection_id: str, issuer: str, serial: str) -> bool:
    """It was refused for good. False: it is another by now."""
    mine = update(grant).where(_is(connection_id, issuer), grant.c.serial == serial)
    return bool(tx.execute(mine.values(broken_at=at)).rowcount)


def drop_ended(tx: Connection, at: datetime, connection_id: str) -> None:
    """Forget what a connection's machines were given and is over, also under credentials that it no longer has."""
    mine = delete(grant).where(grant.c.connection_id == connection_id, grant.c.issuer != "")
    tx.execute(mine.where(grant.c.expires_at < at - timedelta(days=1)))


def add_request(tx: Connection, at: datetime, columns: Values) -> None:
    """Remember what was asked of a person; requests that nobody answered in time are forgotten."""
    tx.execute(delete(grant_request).where(grant_request.c.expires_at <= at))
    insert(tx, grant_request, [columns])


def take_request(tx: Connection, at: datetime, state: str) -> GrantRequestRow | None:
    """The request with that (hashed) state: once, and while it is valid."""
    mine = grant_request.c.state == state
    row = fetch_first(tx, GrantRequestRow, select(grant_request).where(mine))
    if row is None or not tx.execute(delete(grant_request).where(mine)).rowcount:
        return None
    return row if row.expires_at > at else None


def _is(connection_id: str, issuer: str) -> ColumnElement[bool]:
    return and_(grant.c.connection_id == connection_id, grant.c.issuer == issuer)

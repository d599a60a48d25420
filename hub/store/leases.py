"""Who is working on what. A lease ends by itself some seconds after its owner died; a commit checks it still holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, delete, update

from hub.store.base import Id, Moment, insert_new, metadata

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", Id, nullable=False),
    Column("until", Moment, nullable=False),
)


def take(tx: Connection, name: str, owner: str, at: datetime, seconds: int) -> bool:
    """Take or renew the lease ``name``; False while another live owner has it."""
    until = at + timedelta(seconds=seconds)
    insert_new(tx, lease, [{"name": name, "owner": owner, "until": at}], "name")
    mine = update(lease).where(lease.c.name == name, (lease.c.owner == owner) | (lease.c.until <= at))
    return bool(tx.execute(mine.values(owner=owner, until=until)).rowcount)


def holds(tx: Connection, name: str, owner: str, until: datetime) -> bool:
    """Renew inside the transaction that writes the work. False: another owner took over, so roll back."""
    mine = update(lease).where(lease.c.name == name, lease.c.owner == owner)
    return bool(tx.execute(mine.values(until=until)).rowcount)


def give_back(tx: Connection, name: str, owner: str) -> None:
    tx.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))

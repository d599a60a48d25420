"""Who is working on what. A lease ends by itself some seconds after its owner died; a commit checks it still holds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, delete, select, update

from hub.store.base import Id, Moment, Store, insert_new, metadata, new_id, now

log = logging.getLogger(__name__)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", Id, nullable=False),
    Column("until", Moment, nullable=False),
)


class Held:
    """A lease this process has. A heartbeat keeps it as long as the process lives and the block lasts."""

    def __init__(self, store: Store, name: str, owner: str, seconds: int) -> None:
        self._store, self._name, self._owner, self._seconds = store, name, owner, seconds
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def still(self, tx: Connection) -> bool:
        """Whether the lease is still ours: asked in the transaction that writes the work. If not, roll back."""
        return holds(tx, self._name, self._owner, now() + timedelta(seconds=self._seconds))

    def let_go(self) -> None:
        self._over.set()
        self._heart.join()
        with self._store.write() as tx:
            give_back(tx, self._name, self._owner)

    def _beat(self) -> None:
        while not self._over.wait(self._seconds / 3):
            try:
                with self._store.write() as tx:
                    if not self.still(tx):
                        log.warning("the lease %s went to another worker", self._name)
                        return
            except Exception:
                log.exception("the lease %s could not be renewed", self._name)


@contextmanager
def hold(store: Store, name: str, seconds: int) -> Iterator[Held | None]:
    """Have the lease ``name`` for the length of the block, however it ends. None: another live owner has it."""
    owner = new_id()
    with store.write() as tx:
        taken = take(tx, name, owner, now(), seconds)
    if not taken:
        yield None
        return
    held = Held(store, name, owner, seconds)
    try:
        yield held
    finally:
        held.let_go()


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


def taken(tx: Connection, prefix: str, at: datetime) -> set[str]:
    """The names that begin with ``prefix`` and have a live owner."""
    return set(tx.scalars(select(lease.c.name).where(lease.c.name.startswith(prefix), lease.c.until > at)))


def give_back(tx: Connection, name: str, owner: str) -> None:
    tx.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))

"""Who is working on what. A lease ends by itself some seconds after its owner died; a commit checks it still holds.

All times are read from the database's clock: the clocks of two hosts may differ by more than a lease lasts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, String, Table, delete, select, type_coerce, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from hub.store.base import EPOCH, Id, Moment, Store, insert_new, metadata, new_id

log = logging.getLogger(__name__)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", Id, nullable=False),
    Column("until", Moment, nullable=False),
)

SURE = 0.02
"""Seconds for which the database's word that a lease is ours counts: far less than any lease lasts."""


class Held:
    """A lease this process has. A heartbeat keeps it as long as the process lives and the block lasts."""

    def __init__(self, store: Store, name: str, owner: str, seconds: int) -> None:
        self._store, self._name, self._owner, self._seconds = store, name, owner, seconds
        self._sure_until = 0.0
        self._asking = threading.Lock()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def still(self, tx: Connection) -> bool:
        """Whether the lease is still ours: asked in the transaction that writes the work. If not, roll back.

        It is renewed by this.
        """
        return holds(tx, self._name, self._owner, self._seconds)

    def is_ours(self) -> bool:
        """Whether the lease is still ours: asked before something is done that no transaction can take back.

        Safe from several threads and cheap: the database is only read, and its word counts for :data:`SURE` seconds. So
        a process that was stopped for longer asks again before it goes on.
        """
        if time.monotonic() < self._sure_until:
            return True
        with self._asking:
            asked_at = time.monotonic()
            if asked_at < self._sure_until:
                return True
            try:
                ours = self._ask()
            except SQLAlchemyError as error:
                log.warning("whether the lease %s is still ours cannot be asked: %s", self._name, error)
                ours = False
            self._sure_until = asked_at + SURE if ours else 0.0
            return ours

    def _ask(self) -> bool:
        with self._store.read() as tx:
            if is_live(tx, self._name, self._owner):
                return True
        with self._store.write() as tx:  # it may have run out while nobody else wanted it: then it can be renewed
            return self.still(tx)

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
        taken = take(tx, name, owner, seconds)
    if not taken:
        yield None
        return
    held = Held(store, name, owner, seconds)
    try:
        yield held
    finally:
        held.let_go()


def take(tx: Connection, name: str, owner: str, seconds: int) -> bool:
    """Take or renew the lease ``name``; False while another live owner has it."""
    insert_new(tx, lease, [{"name": name, "owner": owner, "until": EPOCH}], "name")
    mine = update(lease).where(lease.c.name == name, (lease.c.owner == owner) | (lease.c.until <= _clock()))
    return bool(tx.execute(mine.values(owner=owner, until=_in(seconds))).rowcount)


def holds(tx: Connection, name: str, owner: str, seconds: int) -> bool:
    """Renew inside the transaction that writes the work. False: another owner took over, so roll back."""
    mine = update(lease).where(lease.c.name == name, lease.c.owner == owner)
    return bool(tx.execute(mine.values(until=_in(seconds))).rowcount)


def is_live(tx: Connection, name: str, owner: str) -> bool:
    """Whether ``owner`` has the lease ``name`` and it has not run out. Changes nothing."""
    mine = (lease.c.name == name) & (lease.c.owner == owner) & (lease.c.until > _clock())
    return tx.scalar(select(lease.c.name).where(mine)) is not None


def taken(tx: Connection, prefix: str) -> set[str]:
    """The names that begin with ``prefix`` and have a live owner."""
    return set(tx.scalars(select(lease.c.name).where(lease.c.name.startswith(prefix), lease.c.until > _clock())))


def give_back(tx: Connection, name: str, owner: str) -> None:
    tx.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))


class _clock(FunctionElement[int]):  # noqa: N801 - it is written like SQL's own functions
    """The database's own time, as a Moment is stored: microseconds since 1970."""

    type = BigInteger()
    inherit_cache = True


@compiles(_clock, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"  # 2440587.5 is the Julian day of 1970


@compiles(_clock, "postgresql")
def _on_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def _in(seconds: int) -> ColumnElement[Any]:
    return type_coerce(_clock() + seconds * 1_000_000, Moment())

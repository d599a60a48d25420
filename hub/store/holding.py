"""Who has the database open: every process that does shares a lock, and a restore needs the lock for itself alone.

SQLite: a lock on a file beside the database (flock). PostgreSQL: an advisory lock of each session. Both end with the
process that has them, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from hub.contract.errors import ConfigError

SESSIONS = 6_844_012_001
"""The name of the advisory lock: any number, the same in all processes. The database's own id is part of the lock."""


class InUse(ConfigError):
    """Somebody has the database open, or is restoring it."""


class FileHold:
    """This process's share of a SQLite database's lock. Taken with the first connection, given back by :meth:`let_go`."""

    def __init__(self, database: str) -> None:
        self._lock = _lock_file(database)
        self._open: int | None = None

    def take(self) -> None:
        """Raises InUse while the database is being restored."""
        if self._open is None:
            self._open = _locked(self._lock, fcntl.LOCK_SH)
        if self._open is None:
            raise InUse(_RESTORING)

    def let_go(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None

    __del__ = let_go


def share_session(driver: Any) -> None:
    """Take a share of the lock for a new PostgreSQL session. Raises InUse while the database is being restored."""
    driver.autocommit = True
    taken = driver.execute("SELECT pg_try_advisory_lock_shared(%s)", [SESSIONS]).fetchone()
    driver.autocommit = False
    if not taken[0]:
        raise InUse(_RESTORING)


@contextmanager
def file_alone(database: str) -> Iterator[None]:
    """Have a SQLite database for this process alone. Raises InUse while any other has it open."""
    lock = _locked(_lock_file(database), fcntl.LOCK_EX)
    if lock is None:
        raise InUse(f"The hub is running: another process has {database} open. {_STOP}")
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def sessions_alone(url: str) -> Iterator[None]:
    """Have a PostgreSQL database for this process alone. Raises InUse while a session of any hub is open."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as session:
            if not session.scalar(text("SELECT pg_try_advisory_lock(:name)"), {"name": SESSIONS}):
                holders = ", ".join(session.scalars(_HOLDERS, {"name": SESSIONS}))
                raise InUse(f"The hub is running: the database is open in {holders or 'another session'}. {_STOP}")
            yield
    finally:
        engine.dispose()


def _lock_file(database: str) -> Path:
    file = Path(database).resolve()  # the same for all who name it, through a link or not
    return file.with_name(file.name + ".lock")


def _locked(file: Path, how: int) -> int | None:
    """The open, locked file; None while somebody else's lock stands against it."""
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    except BaseException:
        os.close(opened)
        raise
    return opened


_STOP = "Stop every process of the hub (hub up, web, worker, clock; on every host), then restore again. Nothing was changed."
_RESTORING = "The database is being restored just now. Start the hub again when “hub db restore” has ended."
_HOLDERS = text(
    "SELECT DISTINCT 'session ' || a.pid || ' from ' || coalesce(host(a.client_addr), 'this machine') "
    "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (l.classid::bigint << 32) + l.objid::bigint = :name AND pid <> pg_backend_pid()"
)

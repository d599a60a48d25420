"""Whose turn it is to write into a SQLite database: a queue of all processes and threads, kept by the kernel.

SQLite lets one connection write at a time, and the others ask again and again, sleeping in between, longer each time
(https://www.sqlite.org/c3ref/busy_timeout.html). With a lock that the kernel hands on, the next one writes at once.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONG_LOG, VERY_LONG_LOG = 8 << 20, 64 << 20  # bytes


class WriteTurns:
    """The turns of one process. The kernel ends a turn when its process dies."""

    def __init__(self, database: Path) -> None:
        self._log = Path(f"{database}-wal")
        self._mine = threading.Lock()  # the kernel's lock is the process's: its threads queue up here first
        self._file: int | None = os.open(f"{database}-writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def next(self) -> Iterator[None]:
        """Wait until nobody else writes; nobody else does during the block."""
        with self._mine:
            assert self._file is not None, "a database that was closed is not written to"  # noqa: S101 - a fault of ours
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def log_is_long(self, *, patient: bool) -> bool:
        """Whether the write-ahead log is to be brought into the database. ``patient``: only if nobody else does it."""
        try:
            return self._log.stat().st_size > (VERY_LONG_LOG if patient else LONG_LOG)
        except FileNotFoundError:
            return False

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    __del__ = close

"""This process's own database, for what is called too deep to be handed one."""

from __future__ import annotations

import os
import threading

from hub.settings import settings
from hub.store.base import Store

_opened: dict[tuple[int, str], Store] = {}
_lock = threading.Lock()


def opened_store() -> Store:
    """The database named by DATABASE_URL, opened once a process: a fork opens its own."""
    key = (os.getpid(), settings().database_url)
    with _lock:
        if key not in _opened:
            _opened[key] = Store(key[1], pool_size=1)
        return _opened[key]


def close_opened_store() -> None:
    """Let go of it."""
    with _lock:
        for key in [key for key in _opened if key[0] == os.getpid()]:
            _opened.pop(key).close()

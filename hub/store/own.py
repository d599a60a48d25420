"""This process's own database, for what is called too deep to be handed one."""

from __future__ import annotations

import os
from functools import lru_cache

from hub.settings import settings
from hub.store.base import Store


def own_store() -> Store:
    """The database named by DATABASE_URL, opened once a process."""
    return _open(os.getpid(), settings().database_url)


@lru_cache(maxsize=1)
def _open(_pid: int, url: str) -> Store:
    return Store(url, pool_size=1)

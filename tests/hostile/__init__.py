"""A stranger's connector that does wrong wherever a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import Any

from hub.connecting.registry import GROUP, registry

WRONGS: dict[str, Callable[[], Any]] = {}
"""By the method that does wrong: what it does instead."""


def or_wrong(method: str, right: Callable[[], Any]) -> Any:
    return WRONGS.get(method, right)()


@contextmanager
def installed() -> Iterator[None]:
    """It is there until the block ends."""
    registry()._add(EntryPoint("hostile", "hostile", GROUP))
    try:
        yield
    finally:
        WRONGS.clear()
        registry.cache_clear()

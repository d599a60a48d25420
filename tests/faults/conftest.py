"""The real hub, on both databases or, where it makes no difference, on SQLite alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scene import Scene, running_scene

from hub.settings import settings


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key for the hub and for this process, which sets it up."""
    monkeypatch.setenv("HUB_SECRET_KEY", "made-up-key-of-the-installation-under-test")
    settings.cache_clear()


@pytest.fixture
def scene(key: None, tmp_path: Path, database_url: str) -> Iterator[Scene]:
    with running_scene(tmp_path / "data", database_url) as made:
        yield made


@pytest.fixture
def scene_on_sqlite(key: None, tmp_path: Path) -> Iterator[Scene]:
    data = tmp_path / "data"
    with running_scene(data, f"sqlite:///{data / 'hub.db'}") as made:
        yield made

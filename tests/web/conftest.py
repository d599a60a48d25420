"""An app with the pages alone, a shop in it, and people who look at it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from shop import Shop
from visitors import TinyHub, Visitor, member

from hub import web
from hub.run.embedded import server_command
from hub.run.queue import connect
from hub.settings import settings
from hub.store import Store
from hub.web.throttle import limiter


@pytest.fixture
def app(store: Store, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Without a Redis, unless the test asks for one. Wrong logins of other tests are forgiven."""
    made = Flask(__name__, static_folder=None, template_folder=None)
    made.config.update(SECRET_KEY="for tests")
    made.extensions["hub"] = TinyHub(store)
    web.register(made)
    monkeypatch.setattr(limiter, "_storage_dead", False)  # the Redis of an earlier test was away
    return made


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The Redis that ``hub up`` starts, empty, on its socket in this test's data folder."""
    (tmp_path / "data").mkdir(exist_ok=True)
    server = subprocess.Popen(server_command(settings()), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    with connect() as client:
        while not _answers(client):
            assert time.monotonic() < until
            time.sleep(0.02)
    yield server
    server.kill()
    server.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture
def woken(app: Flask) -> list[tuple[str, str, str]]:
    """The wake-ups asked for so far."""
    hub: TinyHub = app.extensions["hub"]
    return hub.woken


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


@pytest.fixture
def anyone(app: Flask) -> Visitor:
    """Somebody who has not logged in."""
    return Visitor(app)


@pytest.fixture
def owner(app: Flask, shop: Shop) -> Visitor:
    """The shop's owner, logged in."""
    return member(app, shop.workspace_id)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what pages ask of the database is tested on both in tests/hub."""
    (tmp_path / "data").mkdir(exist_ok=True)
    return f"sqlite:///{tmp_path / 'data' / 'hub.db'}"

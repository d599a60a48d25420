"""An app with the pages alone, a shop in it, and people who look at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from shop import Shop
from visitors import TinyHub, Visitor, member

from hub import web
from hub.store import Store


@pytest.fixture
def app(store: Store) -> Flask:
    made = Flask(__name__, static_folder=None, template_folder=None)
    made.config.update(SECRET_KEY="for tests")
    made.extensions["hub"] = TinyHub(store)
    web.register(made)
    return made


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

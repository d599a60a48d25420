"""An app with the API alone, a shop, and a key for it."""

from __future__ import annotations

import pytest
from calling import Caller, TinyHub
from flask import Flask

from hub import api
from hub.store import Store


@pytest.fixture
def app(store: Store) -> Flask:
    made = Flask("tests")
    made.extensions["hub"] = TinyHub(store)
    api.register(made)
    return made


@pytest.fixture
def call(app: Flask) -> Caller:
    return Caller(app)


@pytest.fixture
def stranger(app: Flask) -> Caller:
    """Another workspace of the same hub, with its own key."""
    return Caller(app, "Stranger")

"""How granted access stands, told to scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from calling import Caller
from granted import installed
from sqlalchemy import update

from hub.connecting import vault
from hub.store import grants, now


@pytest.fixture(autouse=True)
def _cloud() -> Iterator[None]:
    with installed():
        yield


def test_a_connection_tells_how_its_access_stands_and_where_it_is_granted(call: Caller) -> None:
    body = {"connector": "cloud", "role": "destination", "name": "Cloud", "settings": {"login": "https://example.com"}}
    made = call("POST", "/connections", body).get_json()
    assert (made["state"], made["state_reason"]) == ("needs_you", "grant_missing")
    assert made["access"] == {
        "state": "missing",
        "since": None,
        "expires_at": None,
        "renews": False,
        "connect_at": f"http://127.0.0.1:8000/connections/{made['id']}#access",
        "redirect_uri": "http://127.0.0.1:8000/oauth/callback",
    }

    at, ends = now(), now() + timedelta(hours=1)
    with call.store.write() as tx:
        tokens = {"tokens": vault.seal({"access": "at-1", "refresh": "rt-1"}), "renew_at": ends, "expires_at": ends}
        grants.put(tx, at, made["id"], "", tokens)
    answer = call("GET", f"/connections/{made['id']}")
    assert answer.get_json()["access"]["state"] == "granted"
    assert answer.get_json()["access"]["renews"] is True
    assert "at-1" not in answer.get_data(as_text=True)

    for columns, state in [({"renew_at": None, "expires_at": at}, "ended"), ({"broken_at": at}, "broken")]:
        with call.store.write() as tx:
            tx.execute(update(grants.grant).values(**columns))
        assert call.get(f"/connections/{made['id']}")["access"]["state"] == state


def test_a_connection_that_needs_no_access_says_nothing_of_it(call: Caller) -> None:
    assert {one["access"] for one in call.get("/connections")} == {None}

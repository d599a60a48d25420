"""A test sale by the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from calling import Caller
from flask import Flask

from hub.app import create_app
from hub.store import Store


@pytest.fixture
def app(store: Store) -> Iterator[Flask]:
    """The whole application: a test sale comes in by its doors."""
    made = create_app(store)
    yield made
    made.extensions["hub"].receiver.close()


def connected(call: Caller, slug: str, **settings: object) -> str:
    body = {"connector": slug, "role": "source", "name": "School", "settings": settings}
    return f"/connections/{call('POST', '/connections', body).get_json()['id']}/test-sale"


def test_a_test_sale_is_kept_and_read_as_a_test(call: Caller) -> None:
    answer = call("POST", connected(call, "thinkific", secret=["made_up_key"]))
    assert (answer.status_code, answer.get_json()["ok"]) == (200, True)
    message = call.message(answer.get_json()["inbound_id"])
    assert (message["state"], message["trust"]) == ("received", "proven")
    call.read()
    assert [row["test"] for row in call.conversions] == [True]


def test_where_there_can_be_none_it_says_what_to_do(call: Caller) -> None:
    answer = call("POST", connected(call, "mollie", api_key="test_made_up")).get_json()
    assert (answer["ok"], answer["inbound_id"]) == (False, None)
    assert "have one sent from there" in answer["message"]
    assert call("POST", f"/connections/{call.destination_id}/test-sale").status_code == 404

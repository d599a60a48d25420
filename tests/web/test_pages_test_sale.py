"""“Send a test sale” on a source's page: from the button to the timeline of what it became."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.app import create_app
from hub.steer import connections as steer
from hub.store import Store, conversions, now


@pytest.fixture
def app(store: Store) -> Iterator[Flask]:
    """The whole application: a test sale comes in by its doors."""
    made = create_app(store)
    yield made
    made.extensions["hub"].receiver.close()


def source(store: Store, shop: Shop, slug: str, **settings: object) -> str:
    with store.write() as tx:
        return str(
            steer.connect(tx, now(), shop.workspace_id, connector=slug, role="source", name="School", settings=settings)
        )


def test_the_button_leads_to_the_timeline_of_the_test_sale(owner: Visitor, store: Store, shop: Shop) -> None:
    where = f"/connections/{source(store, shop, 'thinkific', secret=['made_up_key'])}"
    assert f'action="{where}/test-sale"' in owner.get(where).text
    answer = owner.post(f"{where}/test-sale")
    assert answer.headers["Location"].startswith("/live/")
    page = owner.get(answer.headers["Location"]).text
    assert "A test sale was sent." in page
    assert "Proven by its sender" in page
    shop.read()
    with store.read() as tx:
        assert [row["test"] for row in conversions.latest(tx, shop.workspace_id)] == [True]
    assert '<span class="chip">test</span>' in owner.get(answer.headers["Location"]).text


def test_where_there_can_be_none_the_page_says_how_to_get_one(owner: Visitor, store: Store, shop: Shop) -> None:
    where = f"/connections/{source(store, shop, 'mailchimp', secret=['made_up_key'])}"
    page = owner.get(where).text
    assert f'action="{where}/test-sale"' not in page
    assert "The hub cannot make a message of Mailchimp by itself." in page
    owner.post("/language", {"language": "fr"})
    assert "Le hub ne peut pas fabriquer lui-même un message de Mailchimp." in owner.get(where).text


def test_where_the_sender_has_to_be_asked_for_the_rest_the_button_says_so(
    owner: Visitor, store: Store, shop: Shop
) -> None:
    where = f"/connections/{source(store, shop, 'mollie', api_key='test_made_up')}"
    assert owner.post(f"{where}/test-sale").headers["Location"] == where
    assert "The hub cannot make a message of Mollie by itself." in owner.get(where).text


def test_who_may_only_look_sends_none_and_a_destination_takes_none(
    app: Flask, owner: Visitor, store: Store, shop: Shop
) -> None:
    where = f"/connections/{source(store, shop, 'thinkific', secret=['made_up_key'])}"
    viewer = member(app, shop.workspace_id, "viewer", "viewer@example.com")
    assert viewer.post(f"{where}/test-sale").status_code == 403
    assert owner.post(f"/connections/{shop.destination_id}/test-sale").status_code == 404

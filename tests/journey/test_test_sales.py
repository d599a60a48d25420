"""A test sale that the hub makes itself: through the front door like any other, counted nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from journey.world import World, world

from hub.connecting.connected import open_connection
from hub.demo import sample_sale
from hub.report.today import numbers
from hub.steer import replay
from hub.store import Store, connections, conversions, deliveries, inbound, now
from hub.toolkit.signing import make_hmac

SETTINGS: dict[str, dict[str, Any]] = {
    "stripe": {"secret": ["whsec_made_up"]},
    "thinkific": {"secret": ["made_up_key"]},
    "webhook": {"scheme": "hmac_hex", "header": "X-Signature", "secret": ["made_up_key"]},
    "pixel": {"currency": "EUR"},
    "woocommerce": {"secret": ["made_up_key"]},
}
CRM = {"api_key": "made-up-us21", "audience": "a1b2c3d4e5"}


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def send(hub: World, connection: Any) -> str:
    app = hub.client.application
    kept = sample_sale.send(app.wsgi_app, hub.store, open_connection(connection), now())
    hub.work()
    return kept


def told(hub: World) -> list[Any]:
    with hub.store.read() as tx:
        return list(conversions.latest(tx, hub.workspace_id))


@pytest.mark.parametrize("slug", SETTINGS)
def test_a_test_sale_is_read_as_a_test_and_goes_only_where_tests_can_be_marked(hub: World, slug: str) -> None:
    hook = hub.destination("webhook", url=hub.receiver.url)
    tool = hub.destination("mailchimp", **CRM)
    source = hub.connect(slug, "source", **SETTINGS[slug])
    kept = send(hub, source)
    with hub.store.read() as tx:
        message = inbound.get(tx, kept)
        ended = {row["connection_id"]: row["reason"] for row in deliveries.latest(tx, hub.workspace_id)}
    assert message is not None
    assert (message["state"], message["reason"]) == (inbound.DONE, "test_not_counted")
    assert message["trust"] == ("claimed" if slug == "pixel" else "proven")
    assert [(row["stage"], row["test"], row["state"]) for row in told(hub)] == [("purchase", True, "test")]
    assert ended == {hook: "delivered", tool: "test_not_sent"}
    assert [body["data"]["test"] for body in hub.receiver.bodies()] == [True]


def test_it_may_be_repeated_and_each_is_another_order(hub: World) -> None:
    source = hub.connect("thinkific", "source", **SETTINGS["thinkific"])
    first, second = send(hub, source), send(hub, source)
    assert first != second
    assert len({row["order_id"] for row in told(hub)}) == 2
    assert {row["reason"] for row in told(hub)} == {"test_not_counted"}
    with hub.store.read() as tx:
        counted = numbers(tx, hub.workspace_id, now() - timedelta(days=1), now() + timedelta(days=1))
    assert (counted.sales, counted.net) == (0, {})


def test_read_again_it_is_still_a_test(hub: World) -> None:
    kept = send(hub, hub.connect("thinkific", "source", **SETTINGS["thinkific"]))
    with hub.store.write() as tx:
        assert replay.inbound_again(tx, now(), hub.workspace_id, [kept], author="owner@example.com") == 1
    hub.work()
    assert [row["test"] for row in told(hub)] == [True]


def test_nobody_outside_can_make_a_test_of_a_sale(hub: World) -> None:
    body = b'{"order_id": "1001", "email": "anna@example.com", "amount": "49.00", "currency": "EUR"}'
    headers = {
        inbound.TEST_SALE: "1",
        "X-Signature": make_hmac(body, "made_up_key"),
        "Content-Type": "application/json",
    }
    hub.client.post(f"/in/{hub.source('webhook', **SETTINGS['webhook'])}", data=body, headers=headers)
    hub.work()
    assert [row["test"] for row in told(hub)] == [False]


def test_the_senders_own_signature_is_needed_as_for_any_other_message(hub: World) -> None:
    source = hub.connect("thinkific", "source", **SETTINGS["thinkific"])
    made = sample_sale.test_sale(open_connection(source), now())
    assert made is not None
    forged = hub.client.post(
        f"/in/{source['address']}", data=made.body.replace(b"50", b"51"), headers=dict(made.headers)
    )
    assert forged.status_code == 401


@pytest.mark.parametrize(
    ("slug", "settings"), [("mollie", {"api_key": "test_made_up"}), ("csv", {}), ("mailchimp", CRM)]
)
def test_where_the_sender_alone_can_make_a_message_it_says_how_to_get_one(
    hub: World, slug: str, settings: dict[str, Any]
) -> None:
    source = hub.connect(slug, "source", **settings)
    with pytest.raises(sample_sale.NoTestSale, match="have one sent from there") as refused:
        send(hub, source)
    assert "faites-en envoyer un" in refused.value.message.fr
    with hub.store.read() as tx:
        assert inbound.latest(tx, hub.workspace_id) == []


def test_a_paused_source_keeps_it_and_says_so(hub: World) -> None:
    source = hub.connect("thinkific", "source", **SETTINGS["thinkific"])
    with hub.store.write() as tx:
        connections.set_state(tx, source["id"], now(), connections.PAUSED, "source_paused")
    kept = send(hub, source)
    with hub.store.read() as tx:
        message = inbound.get(tx, kept)
    assert message is not None
    assert (message["state"], message["reason"]) == (inbound.PARKED, "source_paused")

"""One hit, told from its arrival to its last delivery."""

from __future__ import annotations

from decimal import Decimal

import pytest
from shop import SALE, Shop

from hub.report.timeline import timeline, timeline_of_conversion
from hub.store import Store, inbound, new_id, now
from hub.store.base import insert


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_sale_is_told_from_the_raw_message_to_the_refusal_of_its_delivery(shop: Shop) -> None:
    message = shop.hit()
    shop.fail(shop.deliveries[0]["id"])
    with shop.store.read() as tx:
        told = timeline(tx, shop.workspace_id, message)
    assert told is not None
    assert told["message"]["source"]["name"] == "Pixel"
    assert told["verdict"]["trust"]["fr"] == "Déclaré : chacun aurait pu l'envoyer"
    assert told["verdict"]["reason"]["code"] == "order_added"
    (reading,) = told["readings"]
    assert ("contact.email", "anna@example.com") in reading["fields"]
    assert reading["effect"]["en"] == "Order added"
    (order,) = told["orders"]
    assert order["display_id"] == "1001"
    assert order["sums"] == {"EUR": Decimal("49.99")}
    assert [line["note"]["code"] for line in order["lines"]] == ["order_added"]
    assert told["contacts"][0]["email"] == "anna@example.com"
    (conversion,) = told["conversions"]
    assert conversion["campaigns"] == ["3"]
    (delivery,) = conversion["deliveries"]
    assert delivery["destination"]["name"] == "Hook"
    assert delivery["reason"]["fr"] == "Refusé définitivement par la destination"
    assert delivery["reason"]["action"]["en"] == "Read its answer, fix, then replay."
    assert delivery["attempts"][0]["calls"][0]["reply"]["status"] == 422


def test_a_message_that_was_not_read_is_told_with_its_reason(shop: Shop) -> None:
    message = shop.hit("amount=49.99&currency=EUR")
    with shop.store.read() as tx:
        told = timeline(tx, shop.workspace_id, message)
    assert told is not None
    assert told["verdict"]["state"] == "parked"
    assert told["verdict"]["reason"]["code"] == "no_usable_identity"
    assert told["verdict"]["detail"]
    assert told["readings"] == told["conversions"] == told["orders"] == []


def test_secrets_in_an_address_are_masked_and_the_rest_is_as_it_came(shop: Shop) -> None:
    message = shop.hit(f"{SALE}&token=hunter2secret&ts=1")
    with shop.store.read() as tx:
        told = timeline(tx, shop.workspace_id, message)
    assert told is not None
    assert "hunter2secret" not in str(told)
    assert "token=***" in told["message"]["query"]
    assert "orderId=1001" in told["message"]["query"]


@pytest.mark.parametrize(
    ("body", "shown", "cut", "readable"),
    [
        (b'{"a":1}', '{"a":1}', False, True),
        (b"\xff\xfe", "��", False, False),
        (b"x" * 30_000, "x" * 20_000, True, True),
    ],
)
def test_a_body_is_shown_as_far_as_it_can_be(shop: Shop, body: bytes, shown: str, cut: bool, readable: bool) -> None:
    message = new_id()
    row = inbound.NEW_ROW | {
        "id": message,
        "workspace_id": shop.workspace_id,
        "connection_id": shop.source_id,
        "received_at": now(),
        "due_at": now(),
        "method": "POST",
        "path": "/in/x",
        "query": "",
        "headers": {"content-encoding": "gzip"},
        "body": body,
        "state": inbound.PARKED,
    }
    with shop.store.write() as tx:
        insert(tx, inbound.inbound, [row])
        told = timeline(tx, shop.workspace_id, message)
    assert told is not None
    assert (told["message"]["body"], told["message"]["cut"], told["message"]["readable"]) == (shown, cut, readable)
    assert told["message"]["size"] == len(body)


def test_a_conversion_is_told_with_every_message_that_spoke_of_it(shop: Shop) -> None:
    first = shop.hit()
    second = shop.hit(SALE.replace("49.99", "59.99"))
    (conversion,) = shop.conversions
    with shop.store.read() as tx:
        told = timeline_of_conversion(tx, shop.workspace_id, conversion["id"])
    assert told is not None
    assert {one["message"]["id"] for one in told["messages"]} == {first, second}
    assert told["orders"][0]["sums"] == {"EUR": Decimal("59.99")}
    assert [line["note"]["code"] for line in told["orders"][0]["lines"]] == ["order_added", "amount_replaced"]


def test_another_workspace_is_told_nothing(shop: Shop) -> None:
    message = shop.hit()
    other = Shop(shop.store, "Other")
    with shop.store.read() as tx:
        assert timeline(tx, other.workspace_id, message) is None
        assert timeline_of_conversion(tx, other.workspace_id, shop.conversions[0]["id"]) is None

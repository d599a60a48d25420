"""One sale over the doors and out to a real receiver: whatever arrives how often and when, each route hears of it once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from journey.sale import at
from journey.world import World, world
from sqlalchemy import select

from hub.attribute import orders as fold
from hub.contract import Trust
from hub.steer import connections as steer
from hub.steer import routes as steer_routes
from hub.store import Store, connections, conversions, deliveries, inbound, new_id, now, orders, routes
from hub.store.base import Row, insert
from hub.toolkit.signing import make_hmac

SECRET = "made_up_key"
KINDS = ["conversion", "renewal", "refund", "dispute"]


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def sign(body: bytes) -> dict[str, str]:
    return {"X-Signature": make_hmac(body, SECRET), "Content-Type": "application/json"}


def post(hub: World, address: str, **record: Any) -> int:
    body = json.dumps(record).encode()
    return hub.client.application.test_client().post(f"/in/{address}", data=body, headers=sign(body)).status_code


def signed_source(hub: World) -> str:
    return hub.source("webhook", scheme="hmac_hex", header="X-Signature", secret=[SECRET])


def receiving(hub: World, **columns: Any) -> str:
    """A destination whose one route takes everything, changed by ``columns``."""
    destination_id = hub.destination("webhook", url=hub.receiver.url)
    with hub.store.write() as tx:
        (route,) = routes.routes_of(tx, hub.workspace_id, connection_id=destination_id)
        steer_routes.change(tx, now(), route["id"], kinds=KINDS, **columns)
    return destination_id


def rows(hub: World, table: Any) -> list[Row]:
    with hub.store.read() as tx:
        statement = select(table).where(table.c.workspace_id == hub.workspace_id)
        return list(tx.execute(statement.order_by(table.c.id)).mappings())


def types(hub: World) -> list[str]:
    return sorted(body["type"] for body in hub.receiver.bodies())


def test_fifty_parallel_copies_three_pixel_loads_and_a_refund_that_came_first(hub: World) -> None:
    address, _ = signed_source(hub), receiving(hub)
    hub.source("pixel", currency="EUR")
    refund = {"kind": "refund", "order_id": "1001", "refund_id": "r1", "amount": "9.00", "currency": "EUR"}
    sale = {"order_id": "1001", "email": "anna@example.com", "amount": "49.00", "currency": "EUR", "event_id": "e1"}
    assert post(hub, address, **refund) == 200
    hub.work()
    query = "/v1/conversion/pixel/1?orderId=1001&amount=49&email=anna%40example.com"

    def arrive(number: int) -> int:
        if number % 17 == 5:
            return hub.client.application.test_client().get(query).status_code
        return post(hub, address, **sale)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(arrive, range(53))) == {200}
    hub.work()
    (order,) = rows(hub, orders.order)
    assert (order["gross"], order["refunded"], order["status"]) == (49, 9, "paid")
    messages = rows(hub, inbound.inbound)
    assert sum(row["resends"] for row in messages) == 49
    assert len(messages) == 5
    assert types(hub) == ["conversion.purchase.created", "order.refunded"]


def test_copies_that_differ_in_their_bytes_are_still_one_event(hub: World) -> None:
    address, _ = signed_source(hub), receiving(hub)
    for number in range(3):
        body = json.dumps({"event_id": "e", "order_id": "1", "email": "a@b.fr"}, indent=number).encode()
        assert hub.client.post(f"/in/{address}", data=body, headers=sign(body)).status_code == 200
        hub.work()
    assert [row["reason"] for row in rows(hub, inbound.inbound)] == [
        "order_added",
        "duplicate_event",
        "duplicate_event",
    ]
    assert types(hub) == ["conversion.purchase.created"]


def test_two_orders_that_turn_out_to_be_one_are_not_sent_a_third_time(hub: World) -> None:
    """Both were sent while nobody could know; the books then hold one sale, and the one that was sent first stays."""
    address, _ = hub.source("thinkific", secret=[SECRET], currency="EUR"), receiving(hub)
    hub.source("pixel", currency="EUR")
    user = {"id": 7, "email": "anna@example.com"}
    course = {"id": 73, "order_number": None, "amount_cents": 4900, "user": user, "created_at": at(0)}
    charge = {"id": 22, "amount": 49, "currency": "eur", "created_at": at(1), "refunded": False, "order": course}

    def told(topic: str, payload: dict[str, Any]) -> None:
        resource, _, action = topic.partition(".")
        body = json.dumps({"id": topic, "resource": resource, "action": action, "payload": payload}).encode()
        headers = {"X-Thinkific-Hmac-Sha256": make_hmac(body, SECRET)}
        assert hub.client.post(f"/in/{address}", data=body, headers=headers).status_code == 200
        hub.work()

    hub.client.get("/v1/conversion/pixel/1?orderId=1001&amount=49")
    hub.work()
    told("order_transaction.succeeded", charge)
    assert len(hub.receiver.received) == 2
    told("order.created", {**course, "order_number": "1001"})
    assert len(hub.receiver.received) == 2
    (order,) = rows(hub, orders.order)
    assert (order["display_id"], order["gross"]) == ("73", 49)
    states = {row["id"]: row["state"] for row in rows(hub, conversions.conversion)}
    assert sorted(states.values()) == ["counted", "replaced"]
    assert {row["state"] for row in rows(hub, deliveries.delivery)} == {"delivered"}
    sums = [row["amount"] for row in rows(hub, orders.ledger)]
    assert sum(sums) == 49


def test_of_two_joined_sales_the_one_that_still_waits_is_called_off(hub: World) -> None:
    address = hub.source("thinkific", secret=[SECRET], currency="EUR")
    destination_id = receiving(hub)
    hub.source("pixel", currency="EUR")
    with hub.store.write() as tx:
        steer.pause(tx, now(), destination_id)
    user = {"id": 7, "email": "anna@example.com"}
    for number, names in enumerate(({"id": 73}, {"id": 73, "order_number": "1001"})):
        hub.client.get("/v1/conversion/pixel/1?orderId=1001&amount=49")
        hub.work()
        order = {"amount_cents": 4900, "user": user, "created_at": at(0), **names}
        body = json.dumps({"id": f"t{number}", "resource": "order", "action": "created", "payload": order}).encode()
        headers = {"X-Thinkific-Hmac-Sha256": make_hmac(body, SECRET)}
        assert hub.client.post(f"/in/{address}", data=body, headers=headers).status_code == 200
        hub.work()
    planned = sorted((row["state"], row["reason"]) for row in rows(hub, deliveries.delivery))
    assert planned == [("not_sent", "joined_known_sale"), ("waiting", "waiting")]
    with hub.store.write() as tx:
        steer.resume(tx, now(), destination_id)
    hub.work()
    assert types(hub) == ["conversion.purchase.created"]


@pytest.mark.parametrize("pixel_first", [True, False])
def test_a_route_that_wants_proof_hears_of_the_sale_once_in_either_order(hub: World, pixel_first: bool) -> None:
    address, _ = signed_source(hub), receiving(hub, trust="proven")
    hub.source("pixel", currency="EUR")
    for is_pixel in (pixel_first, not pixel_first):
        if is_pixel:
            hub.client.get("/v1/conversion/pixel/1?orderId=1001&amount=49&email=a%40b.fr")
        else:
            post(hub, address, order_id="1001", amount="49", currency="EUR")
        hub.work()
    assert types(hub) == ["conversion.purchase.created"]


@pytest.mark.parametrize("whole_first", [True, False])
def test_a_filter_on_the_amount_is_asked_again_when_the_amount_comes_later(hub: World, whole_first: bool) -> None:
    rule = {"path": "value", "op": "greater", "value": 40}
    address, _ = signed_source(hub), receiving(hub, filter=rule)
    for amount in ("49", None) if whole_first else (None, "49"):
        post(hub, address, order_id="1001", email="a@b.fr", amount=amount, currency="EUR", time=at(0))
        hub.work()
    assert types(hub) == ["conversion.purchase.created"]


def test_a_sale_that_turns_out_to_be_a_renewal_is_not_sent_where_only_new_sales_go(hub: World) -> None:
    hub.source("paypal", webhook_id="W1")
    destination_id = receiving(hub)
    with hub.store.write() as tx:
        (route,) = routes.routes_of(tx, hub.workspace_id, connection_id=destination_id)
        steer_routes.change(tx, now(), route["id"], kinds=["conversion"])
        steer.pause(tx, now(), destination_id)
    for minute in (30, 1):
        sale = {"id": f"S{minute}", "billing_agreement_id": "I-1", "amount": {"total": "19.00", "currency": "EUR"}}
        event = {"id": f"W{minute}", "event_type": "PAYMENT.SALE.COMPLETED", "create_time": at(minute)}
        arrive(hub, "paypal", {**event, "resource": sale})
    planned = sorted((row["state"], row["reason"]) for row in rows(hub, deliveries.delivery))
    assert planned == [("not_sent", "stage_not_accepted"), ("waiting", "waiting")]


def test_one_message_that_the_books_cannot_take_does_not_hold_up_the_others(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = signed_source(hub)
    whole = fold.totals

    def totals(folded: Any) -> Any:
        if any(one.data["order_id"] == "2" for one in folded):
            raise RuntimeError("a fault of ours")
        return whole(folded)

    monkeypatch.setattr(fold, "totals", totals)
    for number in range(1, 4):
        post(hub, address, order_id=str(number), email="a@b.fr", amount="5", currency="EUR")
    hub.work()
    verdicts = [(row["state"], row["reason"]) for row in rows(hub, inbound.inbound)]
    assert verdicts == [("done", "order_added"), ("parked", "internal_error"), ("done", "order_added")]
    monkeypatch.undo()
    with hub.store.write() as tx:
        inbound.read_again(tx, hub.workspace_id, [rows(hub, inbound.inbound)[1]["id"]], now())
    hub.work()
    assert {row["display_id"]: row["gross"] for row in rows(hub, orders.order)} == {"1": 5, "2": 5, "3": 5}


def test_a_message_replayed_after_a_change_of_its_source_replaces_what_it_said(hub: World) -> None:
    signing = {"scheme": "hmac_hex", "header": "X-Signature", "secret": [SECRET]}
    row = hub.connect("webhook", "source", **signing, paths={"order_id": "cart"})
    post(hub, row["address"], cart="c-9", order_id="1001", email="a@b.fr", amount="49", currency="EUR")
    hub.work()
    with hub.store.write() as tx:
        steer.change(tx, now(), row["id"], settings={"paths": {"order_id": "order_id"}})
        inbound.read_again(tx, hub.workspace_id, [one["id"] for one in rows(hub, inbound.inbound)], now())
    hub.work()
    assert [one["display_id"] for one in rows(hub, orders.order)] == ["1001"]
    assert sum(line["amount"] for line in rows(hub, orders.ledger)) == 49


def arrive(hub: World, connector: str, event: dict[str, Any]) -> None:
    """A message of a sender that we cannot sign for, as if it had been verified."""
    with hub.store.read() as tx:
        sources = connections.connections_of(tx, hub.workspace_id)
    (source,) = [one for one in sources if one["connector"] == connector and one["role"] == "source"]
    moment = datetime.now(UTC) - timedelta(seconds=1)
    row = inbound.NEW_ROW | {
        "id": new_id(),
        "workspace_id": hub.workspace_id,
        "connection_id": source["id"],
        "received_at": moment,
        "due_at": moment,
        "method": "POST",
        "path": "/",
        "query": "",
        "headers": {},
        "body": json.dumps(event).encode(),
        "trust": Trust.PROVEN.value,
    }
    with hub.store.write() as tx:
        insert(tx, inbound.inbound, [row])
    hub.work()

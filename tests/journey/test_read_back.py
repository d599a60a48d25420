"""A sender that names only an id: what is read back is the whole truth, so it is proven, each time the id comes anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from journey.world import World, world
from sqlalchemy import select

from hub.connecting.rehearsal import drive
from hub.contract import Call, Headers, Reply, Trust
from hub.contract.calls import dump_json
from hub.run import asking
from hub.store import Store, inbound, orders

PAYMENT: dict[str, Any] = {
    "id": "tr_1",
    "mode": "live",
    "status": "paid",
    "amount": {"value": "10.00", "currency": "EUR"},
    "paidAt": "2026-03-01T10:00:00+00:00",
}
REFUND = {"id": "re_1", "status": "refunded", "amount": {"value": "4.00", "currency": "EUR"}}


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def answering(monkeypatch: pytest.MonkeyPatch, payment: dict[str, Any]) -> None:
    def answer(_call: Call) -> Reply:
        return Reply(200, Headers(), dump_json(payment))

    monkeypatch.setattr(asking, "run_recipe", lambda _connected, recipe: drive(recipe, answer))


def tell(hub: World, address: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert hub.client.post(f"/in/{address}", data="id=tr_1", headers=headers).status_code == 200
    hub.work()


def told(hub: World) -> tuple[list[str], tuple[Any, ...]]:
    with hub.store.read() as tx:
        trusts = [row["trust"] for row in tx.execute(select(inbound.inbound)).mappings()]
        order = tx.execute(select(orders.order)).mappings().one()
    return trusts, (order["gross"], order["refunded"])


def test_an_id_alone_is_only_claimed_and_what_was_read_back_is_proven(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, PAYMENT)
    tell(hub, hub.source("mollie", api_key="live_sample"))
    assert told(hub) == ([Trust.PROVEN], (10, 0))


def test_the_same_id_again_is_no_resend_but_news(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    address = hub.source("mollie", api_key="live_sample")
    answering(monkeypatch, PAYMENT)
    tell(hub, address)
    answering(monkeypatch, {**PAYMENT, "_embedded": {"refunds": [REFUND]}})
    tell(hub, address)
    assert told(hub) == ([Trust.PROVEN, Trust.PROVEN], (10, 4))


def test_an_id_nobody_knows_proves_nothing(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        asking, "run_recipe", lambda _connected, recipe: drive(recipe, lambda _call: Reply(200, Headers()))
    )
    tell(hub, hub.source("mollie", api_key="live_sample"))
    with hub.store.read() as tx:
        [row] = tx.execute(select(inbound.inbound)).mappings()
    assert (row["state"], row["reason"]) == (inbound.IGNORED, "event_not_used")

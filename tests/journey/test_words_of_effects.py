"""What a message changed is said by its own name: a refund or dispute that is told again is no page refresh."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hostile import WRONGS, installed
from hostile.awful.source import sale
from journey.world import World, world
from sqlalchemy import select

from hub.contract import Headers, Inbound, Kind
from hub.contract.reasons import REASONS
from hub.store import Store, inbound, orders

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with installed(), world(store) as made:
        yield made


def tell(hub: World, address: str, number: int, **fields: Any) -> None:
    body = json.dumps({"id": "1001", "number": number}).encode()
    message = Inbound(body, Headers(), AT.replace(minute=number))
    money = {"value": Decimal(10), "currency": "EUR", "event_id": f"event:{number}"}
    WRONGS["normalize"] = lambda: [sale(message, **money | fields)]
    assert hub.client.post(f"/in/{address}", data=body).status_code == 200
    hub.work()


def refund(**fields: Any) -> dict[str, Any]:
    return {"kind": Kind.REFUND, "stage": None, "money_id": "all refunds of the order", **fields}


def dispute(**fields: Any) -> dict[str, Any]:
    return {"kind": Kind.DISPUTE, "stage": None, "money_id": "dp_1", **fields}


def said(hub: World) -> tuple[list[str], list[str]]:
    """The reasons of the messages and of the ledger's lines, as they came."""
    with hub.store.read() as tx:
        messages = list(tx.scalars(select(inbound.inbound.c.reason).order_by(inbound.inbound.c.id)))
        lines = list(tx.scalars(select(orders.ledger.c.note).order_by(orders.ledger.c.id)))
    return messages, lines


def test_a_second_partial_refund_says_that_it_is_a_refund(hub: World) -> None:
    address = hub.source("awful")
    tell(hub, address, 1)
    tell(hub, address, 2, **refund(value=Decimal(2)))
    tell(hub, address, 3, **refund(value=Decimal(5)))  # a sender that tells the sum of all refunds
    assert said(hub) == (
        ["order_added", "refund_recorded", "refund_updated"],
        ["order_added", "refund_recorded", "refund_updated"],
    )


def test_a_dispute_that_was_won_says_so(hub: World) -> None:
    address = hub.source("awful")
    tell(hub, address, 1)
    tell(hub, address, 2, **dispute())
    tell(hub, address, 3, **dispute(value=Decimal(7)))
    tell(hub, address, 4, **dispute(value=Decimal(0)))
    assert said(hub) == (
        ["order_added", "dispute_recorded", "dispute_updated", "dispute_won"],
        ["order_added", "dispute_recorded", "dispute_updated", "dispute_won"],
    )


def test_a_payment_that_is_awaited_still_is_no_refresh(hub: World) -> None:
    address = hub.source("awful")
    tell(hub, address, 1, kind=Kind.PENDING, stage=None)
    tell(hub, address, 2, kind=Kind.PENDING, stage=None)
    assert said(hub)[0] == ["pending_recorded", "pending_recorded"]


def test_a_page_refresh_replaces_the_amount(hub: World) -> None:
    address = hub.source("awful")
    tell(hub, address, 1)
    tell(hub, address, 2, value=Decimal(12))
    assert said(hub) == (["order_added", "amount_replaced"], ["order_added", "amount_replaced"])
    assert {"refund_updated", "dispute_updated", "dispute_won", "renewal_updated"} <= REASONS.keys()

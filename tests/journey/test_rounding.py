"""The books are kept in ten-thousandths. An amount is rounded to them once, when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from journey.shops import load, sell, shop
from journey.verdicts import rows
from journey.world import World, world

from hub.store import Store, conversions, orders


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


@pytest.mark.parametrize(("told", "booked"), [("10.00004", "10"), ("10.00005", "10"), ("10.00015", "10.0002")])
def test_an_amount_finer_than_the_books_adds_no_line_when_its_order_is_told_of_again(
    hub: World, told: str, booked: str
) -> None:
    pixel = hub.connect("pixel", "source", currency="EUR")
    sell(hub, shop(hub), 1001, told)
    for amount in ("10.00", "11.00"):
        load(hub, pixel, 1001, amount)  # only claimed: the shop's word still counts
    assert [row["amount"] for row in rows(hub, orders.ledger)] == [Decimal(booked)]
    (sale,) = rows(hub, conversions.conversion)
    assert Decimal(sale["data"]["value"]) == sale["value"] == Decimal(booked)


def test_a_finer_amount_that_was_stored_before_adds_no_line_either(hub: World) -> None:
    pixel = hub.connect("pixel", "source", currency="EUR")
    sell(hub, shop(hub), 1001, "10.00")
    (told,) = rows(hub, conversions.observation)
    with hub.store.write() as tx:
        finer = {**told["data"], "value": "10.000049"}
        tx.execute(conversions.observation.update().values(data=finer))
    load(hub, pixel, 1001, "11.00")
    assert [row["amount"] for row in rows(hub, orders.ledger)] == [10]

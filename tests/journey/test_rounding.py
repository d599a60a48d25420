"""The books are kept in ten-thousandths. An amount is rounded to them once, when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from journey.shops import sell, shop
from journey.verdicts import rows
from journey.world import World, world

from hub.store import Store, conversions, orders


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


@pytest.mark.parametrize(("told", "booked"), [("10.00004", "10"), ("10.00005", "10"), ("10.00015", "10.0002")])
def test_an_amount_finer_than_the_books_told_again_adds_no_line(hub: World, told: str, booked: str) -> None:
    source = shop(hub)
    for event in ("first", "second", "third"):
        sell(hub, source, 1001, told, event)
    assert [row["amount"] for row in rows(hub, orders.ledger)] == [Decimal(booked)]
    (sale,) = rows(hub, conversions.conversion)
    assert Decimal(sale["data"]["value"]) == sale["value"] == Decimal(booked)


def test_a_finer_amount_that_was_stored_before_adds_no_line_either(hub: World) -> None:
    source = shop(hub)
    sell(hub, source, 1001, "10.00", "first")
    (told,) = rows(hub, conversions.observation)
    with hub.store.write() as tx:
        finer = {**told["data"], "value": "10.000049"}
        tx.execute(conversions.observation.update().values(data=finer))
    sell(hub, source, 1001, "9.00", "an earlier one")  # the surest word is still the finer one
    assert [row["amount"] for row in rows(hub, orders.ledger)] == [10]

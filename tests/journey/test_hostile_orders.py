"""Order ids as shops, pages and processors write them: which are the same sale, and which are not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from journey.verdicts import messages, rows
from journey.world import World, world

from hub.steer import connections as steer
from hub.store import Store, contacts, conversions, now, orders
from hub.toolkit.signing import make_hmac


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        made.source("pixel", currency="EUR")
        yield made


def load(hub: World, **fields: Any) -> str:
    """One hit of the pixel; returns its reason."""
    answer = hub.client.get("/v1/conversion/pixel/1", query_string={"email": "anna@example.com", **fields})
    assert answer.status_code == 200
    return str(messages(hub)[-1]["reason"])


def post(hub: World, address: str, **record: Any) -> str:
    record = {"email": "anna@example.com", "currency": "EUR", **record}
    assert hub.client.post(f"/in/{address}", json=record).status_code == 200
    return str(messages(hub)[-1]["reason"])


def sales(hub: World) -> dict[str, Decimal]:
    return {row["display_id"]: row["gross"] for row in rows(hub, orders.order)}


@pytest.mark.parametrize("written", ["ABC-7", "abc-7", " ABC-7 ", "#abc-7", "Abc-7"])
def test_case_space_and_a_number_sign_do_not_tell_orders_apart(hub: World, written: str) -> None:
    assert load(hub, orderId="ABC-7", amount=49) == "order_added"
    assert load(hub, orderId=written, amount=50) == "amount_replaced"
    assert list(sales(hub).values()) == [50]


def test_leading_zeros_and_zero_itself_are_ids_of_their_own(hub: World) -> None:
    for number in ("42", "0042", "0", "00"):
        assert load(hub, orderId=number, amount=10) == "order_added"
    assert sales(hub) == {"42": 10, "0042": 10, "0": 10, "00": 10}
    flagged = [row["data"]["flags"] for row in rows(hub, conversions.conversion)]
    assert flagged == [[], [], ["order_id_zero"], []]


def test_an_empty_id_and_one_of_five_hundred_characters_are_no_id(hub: World) -> None:
    assert load(hub, orderId="", amount=10, webinarId="1") == "order_added"
    assert load(hub, orderId="#", amount=11, webinarId="1") == "amount_replaced"
    assert load(hub, orderId="x" * 500, amount=12, webinarId="1") == "amount_replaced"
    assert sales(hub) == {"": 12}


def test_two_long_ids_that_begin_alike_are_two_orders(hub: World) -> None:
    address = hub.source("webhook")
    for end in ("a", "b"):
        assert post(hub, address, order_id="x" * 250 + end, amount=1) == "order_added"
    assert len(sales(hub)) == 2


def test_the_same_number_at_two_processors_is_one_order_until_their_sources_are_told_apart(hub: World) -> None:
    one, two = hub.connect("webhook", "source"), hub.connect("webhook", "source")
    assert post(hub, one["address"], order_id="1001", amount=10) == "order_added"
    assert post(hub, two["address"], order_id="1001", amount=20) == "amount_replaced"
    with hub.store.write() as tx:
        steer.change(tx, now(), two["id"], order_scope="second shop")
    assert post(hub, two["address"], order_id="1001", amount=30) == "order_added"
    assert load(hub, orderId="1001", amount=40) == "amount_replaced"
    gross = sorted(row["gross"] for row in rows(hub, orders.order))
    assert gross == [30, 40]


def test_an_id_used_again_a_year_later_is_the_same_order_with_another_amount(hub: World) -> None:
    """Guarantee G4: one order for each id, without any window of time. Who reuses numbers gives the source a scope."""
    assert load(hub, orderId="1001", amount=49, time="2025-11-20T10:00:00Z") == "order_added"
    assert load(hub, orderId="1001", amount=59, time="2026-11-20T10:00:00Z") == "amount_replaced"
    assert sales(hub) == {"1001": 59}


def test_a_changed_amount_is_a_correction_in_the_ledger(hub: World) -> None:
    for amount, reason in ((49, "order_added"), (59, "amount_replaced"), (39, "amount_replaced")):
        assert load(hub, orderId="1001", amount=amount) == reason
    lines = [(row["amount"], row["note"]) for row in rows(hub, orders.ledger)]
    assert lines == [(49, "order_added"), (10, "amount_replaced"), (-20, "amount_replaced")]


def test_a_changed_currency_takes_the_old_money_out(hub: World) -> None:
    load(hub, orderId="1001", amount=49, currency="EUR")
    load(hub, orderId="1001", amount=55, currency="USD")
    assert [(row["amount"], row["currency"]) for row in rows(hub, orders.ledger)] == [
        (49, "EUR"),
        (-49, "EUR"),
        (55, "USD"),
    ]
    assert [(row["gross"], row["currency"]) for row in rows(hub, orders.order)] == [(55, "USD")]


def test_a_changed_address_moves_the_sale_and_its_money_to_the_other_person(hub: World) -> None:
    load(hub, orderId="1001", amount=49, email="typo@example.com")
    load(hub, orderId="1001", amount=49, email="anna@example.com")
    names = {row["id"]: row["email"] for row in rows(hub, contacts.contact)}
    assert set(names.values()) == {"typo@example.com", "anna@example.com"}
    assert {names[row["contact_id"]] for row in rows(hub, orders.ledger)} == {"anna@example.com"}
    assert [names[row["contact_id"]] for row in rows(hub, orders.order)] == ["anna@example.com"]


def test_what_the_public_pixel_claims_never_changes_what_is_proven(hub: World) -> None:
    address = hub.source("webhook", scheme="hmac_hex", header="X-Signature", secret=["made_up"])
    body = b'{"order_id": "1001", "amount": "49.00", "currency": "EUR", "email": "anna@example.com"}'
    answer = hub.client.post(f"/in/{address}", data=body, headers={"X-Signature": make_hmac(body, "made_up")})
    assert answer.status_code == 200
    for forged in ({"amount": 1}, {"amount": 999999, "email": "thief@example.com"}, {"test": 1, "amount": 0}):
        load(hub, orderId="1001", **forged)
    (order,) = rows(hub, orders.order)
    names = {row["id"]: row["email"] for row in rows(hub, contacts.contact)}
    assert (order["gross"], order["test"], names[order["contact_id"]]) == (49, False, "anna@example.com")
    (sale,) = rows(hub, conversions.conversion)
    assert (sale["trust"], sale["value"], sale["data"]["contact"]["email"]) == ("proven", 49, "anna@example.com")


def test_a_refund_in_another_currency_stands_apart_and_is_never_added_up(hub: World) -> None:
    address = hub.source("webhook")
    post(hub, address, order_id="1", amount=49)
    assert post(hub, address, order_id="1", kind="refund", amount=10, currency="USD") == "refund_recorded"
    (order,) = rows(hub, orders.order)
    assert (order["gross"], order["refunded"], order["status"]) == (49, 0, "paid")
    assert {row["currency"]: row["amount"] for row in rows(hub, orders.ledger)} == {"EUR": 49, "USD": -10}


def test_a_lifetime_counts_orders_that_were_paid_and_their_own_days(hub: World) -> None:
    address = hub.source("webhook")
    post(hub, address, order_id="1", kind="refund", amount=10, time="2026-01-01T00:00:00Z")
    post(hub, address, order_id="2", amount=49, time="2026-03-01T00:00:00Z")
    post(hub, address, order_id="2", kind="refund", amount=9, time="2026-04-01T00:00:00Z")
    post(hub, address, order_id="3", amount=5, currency="EUR", time="2026-05-01T00:00:00Z")
    post(hub, address, order_id="3", amount=5, currency="USD", time="2026-06-01T00:00:00Z")
    (person,) = rows(hub, contacts.contact)
    with hub.store.read() as tx:
        found = {row["currency"]: row for row in orders.lifetime(tx, [person["id"]])[person["id"]]}
    euros, dollars = found["EUR"], found["USD"]
    assert (euros["net"], euros["orders"], dollars["net"], dollars["orders"]) == (30, 1, 5, 1)
    assert (euros["first_at"].month, euros["last_at"].month, dollars["first_at"].month) == (3, 3, 5)

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hub.contract import Contact, Item, NotUnderstood, Stage
from hub.toolkit.conversion_facts import (
    first_object,
    first_text,
    major_money,
    minor_money,
    read_items,
    read_person,
    refused,
    sale_names,
    told,
)


def test_the_first_place_that_holds_a_text_counts():
    assert first_text({"a": "", "b": {"c": 7}}, "a", "b", "b.c") == "7"


def test_the_first_object_that_is_not_empty_counts_as_a_whole():
    data = {"ship": {"city": "", "zip": None}, "bill": [{"city": "Lyon"}], "home": {"city": "Nice", "zip": "06000"}}
    assert first_object(data, "none", "ship", "bill[0]", "home") == {"city": "Lyon"}
    assert first_object(data, "ship", "bill") == {}


def test_a_conversion_has_the_first_readable_time_and_says_when_it_is_not_the_best():
    arrived = datetime(2026, 3, 1, tzinfo=UTC)
    facts = {"event_id": "e1", "flags": ["guessed"]}
    found = told(facts, ["month 19", "2026-02-01T10:00:00Z"], arrived)
    assert (found.occurred_at, found.flags) == (datetime(2026, 2, 1, 10, tzinfo=UTC), ["guessed", "date_replaced"])
    assert told(facts, [None], arrived).occurred_at == arrived
    assert facts == {"event_id": "e1", "flags": ["guessed"]}


def test_the_shops_own_notes_are_put_where_they_belong_and_the_rest_is_kept():
    notes = {"webinarId": "spring", "utm_source": "news", "seat": "12"}
    found = told({"event_id": "e1", "extra": {"a": 1}}, [], datetime(2026, 3, 1, tzinfo=UTC), metadata=notes, empty=[])
    assert (found.campaigns.ids, found.context.utm) == (["spring"], {"source": "news"})
    assert found.extra == {"a": 1, "metadata": {"seat": "12"}}


def test_a_sale_is_named_by_all_its_ids_once_and_missing_ones_are_passed_over():
    assert sale_names(None, 12, "", "12", "R-7") == {"order_id": "12", "order_aliases": ["R-7"]}


@pytest.mark.parametrize("nothing", [(), (None, ""), ({}, [])])
def test_a_sale_without_any_name_is_not_understood(nothing):
    with pytest.raises(NotUnderstood):
        sale_names(*nothing)


@pytest.mark.parametrize(("currency", "value"), [("eur", "49.00"), ("JPY", "4900"), ("KWD", "4.900")])
def test_cents_follow_the_currency(currency, value):
    assert minor_money("4900", currency) == {"value": Decimal(value), "currency": currency.upper()}


def test_a_processors_own_units_come_first():
    assert minor_money(4900, "ISK", {"ISK": 2})["value"] == Decimal("49.00")


def test_major_units_stay_as_they_are():
    assert major_money("4900.50", "USD") == {"value": Decimal("4900.50"), "currency": "USD"}


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [
        ("53.0000", "USD", "53.00"),
        ("53.0000", "JPY", "53"),
        ("53.005", "USD", "53.005"),
        ("53", "USD", "53"),
        ("1.250", "KWD", "1.250"),
    ],
)
def test_only_zeros_without_a_place_are_taken_off(amount, currency, value):
    assert str(major_money(amount, currency)["value"]) == value


@pytest.mark.parametrize("read", [minor_money, major_money])
def test_money_without_an_amount_a_sign_or_a_currency_is_refused(read):
    for amount in (None, "", -1, "x"):
        with pytest.raises(ValueError, match=r"an? (amount|number)"):
            read(amount, "EUR")
    for currency in (None, "", "XQQ"):
        with pytest.raises(NotUnderstood):
            read(1, currency)


def test_a_refusal_has_the_processors_words():
    assert refused(" card expired ") == {"stage": Stage.LEAD, "reason": "refused: card expired"}
    assert refused(None)["reason"] == "refused"


def test_a_person_is_read_from_several_places():
    paths = {"email": ("email", "customer.email"), "name": "customer.name", "country": "address.country"}
    found = read_person({"email": "", "customer": {"email": "ada@example.com", "name": "Ada King Lovelace"}}, paths)
    assert found == Contact(email="ada@example.com", first_name="Ada", last_name="King Lovelace")


def test_a_first_name_is_worth_more_than_a_whole_one():
    paths = {"first_name": "first", "last_name": "last", "name": "name"}
    assert read_person({"first": "Ada", "name": "A. L."}, paths) == Contact(first_name="Ada")


def test_items_are_read_and_what_is_none_is_left_out():
    lines = [{"id": 5, "title": "Book", "count": 2, "cents": 450}, None, "x"]
    found = read_items(
        lines, {"product_id": "id", "name": "title", "quantity": "count"}, lambda line: Decimal(line["cents"])
    )
    assert found == [Item(product_id="5", name="Book", quantity=Decimal(2), price=Decimal(450))]
    assert read_items({"0": {}}, {}) == []

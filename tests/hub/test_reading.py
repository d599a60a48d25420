"""Asking a source connector what is in a message, with connectors as naive as they may be."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.contract import (
    Call,
    Campaigns,
    ConnectorBroken,
    Consent,
    Contact,
    Conversion,
    Headers,
    Inbound,
    Item,
    Kind,
    NotUnderstood,
    NotVerified,
    Recipe,
    Reply,
    Source,
    Stage,
    Trust,
    Unsigned,
)
from hub.normalize import MAX_LIST, MAX_WORDS, needs_fetch, read_back, read_message
from hub.verify import prove

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Told(Source):
    """Answers with what the test hands it: conversions, or something to be called with the message."""

    slug = "told"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def verify(self, inbound: Inbound, settings: Any) -> None:
        self.answer(inbound)

    def normalize(self, inbound: Inbound, settings: Any) -> Iterable[Conversion]:
        return list(self.answer(inbound) if callable(self.answer) else self.answer)


def message(body: bytes = b"{}") -> Inbound:
    return Inbound(body, Headers(), NOW)


def purchase(**rest: Any) -> Conversion:
    return Conversion(**{"event_id": "e1", "stage": Stage.PURCHASE, "occurred_at": NOW, **rest})


def read(*conversions: Conversion) -> list[Conversion]:
    return read_message(Told(conversions), message(), {})


def refusal(**rest: Any) -> NotUnderstood:
    with pytest.raises(NotUnderstood) as caught:
        read(purchase(**rest))
    return caught.value


@pytest.mark.parametrize(
    "trip",
    [
        lambda inbound: inbound.json()["id"],
        lambda inbound: inbound.json()[3],
        lambda inbound: None.id,
        lambda inbound: int("x"),
        lambda inbound: [][1],
        lambda inbound: 1 / 0,
        lambda inbound: Decimal("x"),
        lambda inbound: len(5),
        lambda inbound: None,
        lambda inbound: ["no conversion"],
    ],
)
def test_whatever_a_naive_connector_trips_over_is_not_understood(trip: Callable[[Inbound], Any]) -> None:
    with pytest.raises(NotUnderstood):
        read_message(Told(trip), message(), {})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(NotUnderstood, match="has no “order_id”") as caught:
        read_message(Told(lambda inbound: inbound.json()["order_id"]), message(), {})
    assert "test_reading.py" in caught.value.detail


def test_a_failure_that_no_message_explains_is_the_connectors() -> None:
    def fail(inbound: Inbound) -> None:
        raise OSError("disk")

    with pytest.raises(ConnectorBroken):
        read_message(Told(fail), message(), {})


def test_events_that_are_not_for_us_are_no_error() -> None:
    assert read() == []


def test_a_good_conversion_passes_unchanged() -> None:
    def made() -> Conversion:
        return purchase(value=Decimal("49.90"), currency="EUR", contact=Contact(email="a@b.example"), extra={"n": 1})

    assert read(made()) == [made()]


def test_two_different_events_of_one_id_are_refused_and_equal_ones_are_one() -> None:
    assert len(read(purchase(), purchase())) == 1
    with pytest.raises(NotUnderstood, match="same id"):
        read(purchase(), purchase(order_id="2"))


@pytest.mark.parametrize(
    "value",
    [
        Decimal(-1),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1e13"),
        Decimal("0." + "1" * 19),
        Decimal("1e-19"),
        49.9,
        "49.90",
        True,
    ],
)
def test_an_unusable_amount_is_refused(value: Any) -> None:
    refusal(value=value)


def test_a_refused_amount_says_so() -> None:
    assert refusal(value=Decimal(-1)).reason == "amount_not_readable"


def test_a_negative_zero_is_zero() -> None:
    assert read(purchase(value=Decimal("-0.00")))[0].to_dict()["value"] == "0.00"


def test_a_currency_is_an_iso_code_or_nothing() -> None:
    assert read(purchase(currency="usd"))[0].currency == "USD"
    assert read(purchase(currency=""))[0].currency is None
    assert refusal(currency="BTC").reason == "currency_unknown"


def test_a_time_without_zone_is_refused_and_an_absurd_one_replaced_with_a_flag() -> None:
    refusal(occurred_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    found = read(purchase(occurred_at=datetime(1970, 1, 1, tzinfo=UTC)))[0]
    assert (found.occurred_at, found.flags) == (NOW, ["date_replaced"])


def test_a_conversion_needs_a_stage_and_an_id() -> None:
    refusal(stage=None)
    refusal(event_id="")
    refusal(event_id=" \x00")
    assert read(purchase(stage=None, kind=Kind.REFUND))[0].stage is None


def test_long_words_are_cut_and_long_ids_stay_different() -> None:
    found = read(
        purchase(event_id="x" * 600 + "a", offer="é" * 600),
        purchase(event_id="x" * 600 + "b", offer=""),
    )
    assert [len(each.event_id) for each in found] == [MAX_WORDS, MAX_WORDS]
    assert found[0].event_id != found[1].event_id
    assert found[0].offer == "é" * MAX_WORDS
    assert found[1].offer is None


def test_text_a_database_refuses_is_cleaned() -> None:
    found = read(purchase(contact=Contact(first_name="A\x00d\ud800a"), extra={"a\x00": "\udfff!"}))[0]
    assert (found.contact.first_name, found.extra) == ("Ada", {"a": "!"})


def test_numbers_are_ids_too_but_objects_are_not() -> None:
    assert read(purchase(order_id=10**20))[0].order_id == str(10**20)
    refusal(order_id={"id": 1})
    refusal(contact=Contact(email=["a@b.example"]))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("name", ["event_id", "order_id", "subscription_id", "money_id"])
def test_a_missing_id_that_a_program_wrote_out_is_no_id(name: str) -> None:
    assert f"names no {name.replace('_', ' ')}" in refusal(**{name: "None"}).message
    assert read(purchase(**{name: "None-7"}))[0].to_dict()[name] == "None-7"


def test_strangers_never_share_an_alias_or_become_one_person_for_want_of_an_id() -> None:
    refusal(order_aliases=["A-1", "None"])
    found = read(purchase(contact=Contact(email="a@b.example", external_id="None")))[0]
    assert (found.contact.external_id, found.flags) == (None, ["external_id_not_usable"])


def test_lists_are_capped_and_hold_nothing_twice() -> None:
    found = read(
        purchase(
            items=[Item(name=str(number)) for number in range(1000)],
            campaigns=Campaigns(ids=["7", "7", "", *(str(number) for number in range(1000))]),
        )
    )[0]
    assert len(found.items) == MAX_LIST
    assert found.campaigns.ids[:2] == ["7", "0"]
    assert len(found.campaigns.ids) < MAX_LIST


def test_consent_is_yes_no_or_unknown() -> None:
    refusal(consent=Consent(ads="no"))  # type: ignore[arg-type]  # wrong on purpose


def test_extra_is_plain_json_of_bounded_length() -> None:
    found = read(
        purchase(extra={"price": Decimal("1.50"), "at": NOW, "huge": Decimal("1e999999999"), "deep": [{"a": 1}]})
    )
    assert json.loads(json.dumps(found[0].extra)) == {
        "price": "1.50",
        "at": "2026-11-21T12:00:00Z",
        "huge": "1E+999999999",
        "deep": [{"a": 1}],
    }
    long = read(purchase(extra={"text": "x" * 40_000}))[0]
    assert (long.extra, long.flags) == ({}, ["extra_dropped"])


def test_a_message_of_endless_events_is_refused() -> None:
    def endless(inbound: Inbound) -> list[Conversion]:
        return [purchase(event_id=str(number)) for number in range(1001)]

    with pytest.raises(NotUnderstood, match="more than 1000"):
        read_message(Told(endless), message(), {})


def verdict(verify: Callable[[Inbound], Any]) -> Trust:
    recipe = prove(Told(verify), message(b"no json"), {})
    with pytest.raises(StopIteration) as stop:
        next(recipe)
    return Trust(stop.value.value)


def test_a_verified_message_is_proven_and_an_unsigned_one_claimed() -> None:
    def unsigned(inbound: Inbound) -> None:
        raise Unsigned

    assert verdict(lambda inbound: None) is Trust.PROVEN
    assert verdict(unsigned) is Trust.CLAIMED


@pytest.mark.parametrize("trip", [lambda inbound: inbound.json(), lambda inbound: inbound.headers["x-signature"]])
def test_verification_that_trips_over_the_message_fails_closed(trip: Callable[[Inbound], Any]) -> None:
    with pytest.raises(NotVerified):
        verdict(trip)


class Incomplete(Source):
    """Leaves the order out of its messages, and trips over a message without an id."""

    slug = "incomplete"

    def needs_fetch(self, inbound: Inbound, settings: Any) -> bool:
        return bool(inbound.json()["id"])

    def fetch(self, inbound: Inbound, settings: Any) -> Recipe:
        reply = yield Call.get(f"https://api.example.com/orders/{inbound.json()['id']}")
        return {"order": reply.json()["order"]}


def test_what_a_message_leaves_out_is_read_back() -> None:
    source, inbound = Incomplete(), message(b'{"id": 7}')
    assert needs_fetch(source, inbound, {})
    recipe = read_back(source, inbound, {})
    assert next(recipe).url.endswith("/7")
    with pytest.raises(StopIteration) as stop:
        recipe.send(Reply(200, Headers(), b'{"order": {"total": 5}}'))
    assert stop.value.value == {"order": {"total": 5}}


def test_a_read_back_that_trips_is_not_understood() -> None:
    source = Incomplete()
    with pytest.raises(NotUnderstood, match="“id”"):
        needs_fetch(source, message(b"{}"), {})
    recipe = read_back(source, message(b'{"id": 7}'), {})
    next(recipe)
    with pytest.raises(NotUnderstood, match="“order”"):
        recipe.send(Reply(200, Headers(), b"{}"))

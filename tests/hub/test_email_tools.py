"""What tools that send e-mail share: names by stage, recorded agreement, opt-outs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.contract import BadMapping, Headers, Inbound, Kind, NotVerified, Record, Stage
from hub.mapping.rules import compile_mapping
from hub.toolkit.email_tools import (
    OptOut,
    UnsignedOptOuts,
    agreed,
    event_properties,
    filled,
    listed,
    named,
    require_email,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def record(**values):
    return Record("r1", "e1", Kind.CONVERSION, Stage.PURCHASE, NOW, values)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"kind": "conversion", "stage": "purchase"}, "Placed Order"),
        ({"kind": "refund", "stage": None}, "Refunded Order"),
        ({"kind": "conversion", "stage": "lead"}, None),
        ({"kind": "contact", "stage": None}, None),
    ],
)
def test_a_name_follows_the_stage_or_else_the_kind(said, name):
    rule = named({Stage.PURCHASE: "Placed Order", Kind.REFUND: "Refunded Order"})
    made = compile_mapping({"event_name": rule}).apply(said)
    assert (made.values.get("event_name"), made.problems) == (name, [])


@pytest.mark.parametrize("consent", [None, False, "true", 1, "yes"])
def test_nothing_but_a_recorded_yes_is_an_agreement(consent):
    assert not agreed(record(email_consent=consent))
    assert agreed(record(email_consent=True))


@pytest.mark.parametrize("email", [None, "", "anna", "anna@", 5, {}])
def test_an_email_that_is_none_is_a_mapping_error(email):
    with pytest.raises(BadMapping) as caught:
        require_email(record(email=email), "Acme")
    assert caught.value.field == "email"
    assert require_email(record(email=" Anna@Example.com "), "Acme") == "anna@example.com"


def test_only_what_is_filled_is_sent_and_zero_and_no_are_something():
    assert filled({"a": 0, "b": False, "c": None, "d": "", "e": []}, "abcdef") == {"a": 0, "b": False}
    assert listed([" a ", "", None, 7]) == ["a", "7"]
    assert listed(None) == []


def test_an_event_tells_the_sale_with_numbers_as_numbers_and_lines_that_have_an_id():
    items = [
        {"product_id": "p-1", "name": "Basics", "quantity": "2", "price": "24.50", "category": "art"},
        {"sku": "S-2", "quantity": 1, "price": None},
        {"name": "without an id"},
        "nonsense",
    ]
    told = event_properties(
        record(value="49.00", currency="EUR", order_id="1001", coupon="", items=items, email="a@b.c")
    )
    assert told == {
        "value": 49,
        "currency": "EUR",
        "order_id": "1001",
        "items": [
            {"product_id": "p-1", "name": "Basics", "quantity": 2, "price": 24.5},
            {"product_id": "S-2", "name": "S-2", "quantity": 1},
        ],
    }
    with pytest.raises(BadMapping):
        event_properties(record(value="nine"))


class Tool(UnsignedOptOuts):
    slug = name = "tool"

    def read_opt_outs(self, inbound, settings):
        return [OptOut("1", "anna@example.com", ("1999-01-01", "2026-11-20T09:00:00Z"), "complained", "p-7")]


def inbound(query="", method="POST"):
    return Inbound(b"{}", Headers(), NOW, method=method, query=query)


def test_an_opt_out_is_a_no_to_email_and_says_nothing_else():
    (told,) = Tool().normalize(inbound(), {})
    assert (told.kind, told.stage, told.contact.email, told.contact.external_id) == (
        Kind.CONTACT,
        None,
        "anna@example.com",
        "p-7",
    )
    assert (told.consent.email, told.consent.ads, told.consent.analytics) == (False, None, None)
    assert told.occurred_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert told.flags == ["date_replaced"]
    assert told.extra == {"email_opt_out": "complained"}


@pytest.mark.parametrize("query", ["", "secret=", "secret=other", "token=s3cret"])
def test_an_address_without_the_secret_proves_nothing(query):
    with pytest.raises(NotVerified):
        Tool().verify(inbound(query), {"secret": ["s3cret"]})
    Tool().verify(inbound("secret=s3cret"), {"secret": ["older", "s3cret"]})


def test_a_tool_that_looks_whether_the_address_answers_is_answered():
    assert Tool().handshake(inbound("secret=x", "GET"), {}).status == 200
    assert Tool().handshake(inbound("secret=x"), {}) is None

"""The generic webhook source: every scheme against forgers, every body shape, and what a person points at."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hooks import BODY, NOW, message, read, read_all, reason, settings
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from connectors.webhook.source import WebhookSource
from hub.contract import Kind, NotUnderstood, Stage
from hub.contract.reasons import REASONS
from hub.normalize import read_message
from hub.toolkit.field_picker import GUESSES, NAMES


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"scheme": "hmac_hex"}, "header"),
        ({"scheme": "token_header"}, "header"),
        ({"signed": "timestamp.body"}, "timestamp_header"),
        ({"stage_values": {"paid": "bought"}}, "stage_values"),
        ({"kind_values": "not json"}, "kind_values"),
        ({"paths": ["email"]}, "paths"),
        ({"paths": {"email": 5}}, "paths"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_the_form(given, field):
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    assert field in caught.value.messages


def test_tables_may_be_given_as_text():
    assert settings(paths='{"email": " a.b ", "order_id": ""}')["paths"] == {"email": "a.b"}


# What is where


def test_usual_names_are_found_without_any_setting():
    conversion = read(
        {"order_id": 1001, "total": "49,99", "currency": "eur", "customer": {"email": "A@B.fr", "first_name": "Ana"}}
    )
    assert (conversion.order_id, conversion.value, conversion.currency) == ("1001", Decimal("49.99"), "EUR")
    assert (conversion.contact.email, conversion.contact.first_name) == ("a@b.fr", "Ana")
    assert conversion.stage is Stage.PURCHASE


def test_usual_names_are_found_inside_an_envelope_and_its_id_is_the_events():
    data = {"id": "o7", "amount": 5}
    body = {"id": "evt_1", "type": "x", "timestamp": "2026-11-20T09:30:00Z", "data": data}
    conversion = read(body, currency="EUR")
    assert (conversion.event_id, conversion.order_id, conversion.value) == ("evt_1", "o7", 5)
    assert conversion.occurred_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_nothing_is_taken_because_it_looks_like_an_address():
    body = {"merchant": {"email": "shop@example.org"}, "owner": "me@example.org", "text": "write to x@example.org"}
    assert reason(body) == "no_usable_identity"


def test_a_path_that_a_person_set_is_the_only_place_looked_at():
    body = {"email": "merchant@example.org", "who": {"mail": "buyer@example.org"}}
    assert read(body, paths={"email": "who.mail"}).contact.email == "buyer@example.org"
    assert reason({"email": "merchant@example.org"}, paths={"email": "who.mail"}) == "no_usable_identity"
    assert reason({"email": "merchant@example.org"}, paths={"email": "-"}) == "no_usable_identity"


def test_names_of_a_persons_own_become_extra_data():
    conversion = read({"id": 1, "seats": [{"n": 3}, {"n": 4}]}, paths={"seats": "seats[].n", "absent": "a.b"})
    assert conversion.extra == {"seats": [3, 4]}


def test_every_guessed_name_is_one_that_a_person_can_set():
    assert set(GUESSES) == set(NAMES)


def test_goods_given_as_lists_become_items():
    lines = [{"product_id": 1, "name": "Art, first steps"}, {"product_id": 2, "name": "Book"}]
    items = read({"id": 1, "items": lines}).items
    assert [(item.product_id, item.name) for item in items] == [("1", "Art, first steps"), ("2", "Book")]


def test_ids_longer_than_a_double_keep_every_digit():
    assert read(b'{"order_id": 12345678901234567890123}').order_id == "12345678901234567890123"


# What it means

TABLES: dict[str, Any] = {
    "paths": {"stage": "event", "kind": "event"},
    "stage_values": {"order.paid": "purchase", "cart": "add_to_cart"},
    "kind_values": {"order.refunded": "refund", "plan.charged": "renewal", "plan.ended": "cancellation"},
    "currency": "EUR",
}


@pytest.mark.parametrize(
    ("word", "kind", "stage"),
    [
        ("order.paid", Kind.CONVERSION, Stage.PURCHASE),
        ("cart", Kind.CONVERSION, Stage.ADD_TO_CART),
        ("AddToCart", Kind.CONVERSION, Stage.ADD_TO_CART),
        ("order.refunded", Kind.REFUND, None),
        ("plan.charged", Kind.RENEWAL, Stage.PURCHASE),
        ("plan.ended", Kind.CANCELLATION, None),
    ],
)
def test_the_senders_words_mean_what_the_tables_say(word, kind, stage):
    conversion = read({"event": word, "order_id": 1}, **TABLES)
    assert (conversion.kind, conversion.stage) == (kind, stage)
    assert conversion.recurring is (kind is Kind.RENEWAL)


def test_a_word_in_no_table_is_not_used():
    assert read_all({"event": "invoice.drafted", "order_id": 1}, **TABLES) == []


def test_a_message_without_the_word_counts_as_the_default_stage():
    assert read({"order_id": 1}, **TABLES, stage="lead").stage is Stage.LEAD


def test_a_strange_stage_nobody_pointed_at_does_not_hide_the_sale():
    assert read({"order_id": 1, "stage": "pipeline-3"}).stage is Stage.PURCHASE


@pytest.mark.parametrize("amount", ["-49.00", "49.00", "−49.00", -49, Decimal("49.0")])
def test_a_refund_is_positive_whatever_sign_the_sender_writes(amount):
    body = json.dumps({"event": "order.refunded", "order_id": 1, "amount": str(amount), "refund_id": "re_1"})
    if not isinstance(amount, str):
        body = body.replace(f'"{amount}"', str(amount))
    conversion = read(body.encode(), **TABLES)
    assert (conversion.value, conversion.money_id) == (49, "re_1")


@pytest.mark.parametrize(
    ("body", "given", "value", "currency"),
    [
        ({"amount": 4999, "currency": "EUR"}, {"amount_in": "minor"}, "49.99", "EUR"),
        ({"amount": "4999", "currency": "JPY"}, {"amount_in": "minor"}, "4999", "JPY"),
        ({"amount": 4999, "currency": "KWD"}, {"amount_in": "minor"}, "4.999", "KWD"),
        ({"amount": 4999}, {"amount_in": "minor", "currency": "EUR"}, "49.99", "EUR"),
        ({"amount": {"value": "5.00", "currency": "GBP"}}, {}, "5.00", "GBP"),
        ({"amount": 49.99, "currency": "EUR"}, {}, "49.99", "EUR"),
        ({"amount": 0, "currency": "EUR"}, {}, "0", "EUR"),
        ({"amounts": [7], "currency": "EUR"}, {"paths": {"amount": "amounts[]"}}, "7", "EUR"),
    ],
)
def test_amounts_follow_their_unit_and_currency(body, given, value, currency):
    conversion = read({"order_id": 1} | body, **given)
    assert (conversion.value, conversion.currency) == (Decimal(value), currency)


def test_cents_of_a_shared_sign_follow_the_default_currency():
    given = {"amount_in": "minor", "currency": "CLP"}
    assert read({"order_id": 1, "amount": 5000, "currency": "$"}, **given).value == Decimal(5000)
    assert read({"order_id": 1, "amount": 5000, "currency": "$"}, **given | {"currency": "USD"}).value == Decimal(50)


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [
        ({"amount": 5}, {}, "currency_unknown"),
        ({"amount": 5, "currency": "BTC"}, {"currency": "EUR"}, "currency_unknown"),
        ({"amount": 49.99, "currency": "EUR"}, {"amount_in": "minor"}, "amount_not_readable"),
        ({"amount": -5, "currency": "EUR"}, {}, "amount_not_readable"),
        ({"amount": "12.345", "currency": "EUR"}, {}, "amount_not_readable"),
        ({"amount": {"a": 1}, "currency": "EUR"}, {}, "amount_not_readable"),
        ({"amount": True, "currency": "EUR"}, {}, "amount_not_readable"),
        ({"amounts": [7, 8], "currency": "EUR"}, {"paths": {"amount": "amounts[]"}}, "amount_not_readable"),
    ],
)
def test_an_amount_that_cannot_be_counted_has_its_reason(body, given, expected):
    assert reason({"order_id": 1} | body, **given) == expected


# Shapes of bodies


def test_an_array_at_the_top_is_one_event_for_each_element():
    found = read_all([{"order_id": 1}, {"order_id": 2}])
    assert [each.order_id for each in found] == ["1", "2"]
    assert len({each.event_id for each in found}) == 2
    assert read_all([]) == []


def test_a_form_may_write_nested_names_in_brackets_and_claim_any_content_type():
    body = b"customer[email]=jane%2Bshop%40b.fr&order[id]=7&total=49,99&currency=EUR&x[]=1&a[b][c]=2&a=3"
    for claimed in ("application/x-www-form-urlencoded", "application/json", ""):
        conversion = read(message(body, Content_Type=claimed))
        assert (conversion.contact.email, conversion.order_id) == ("jane+shop@b.fr", "7")
        assert conversion.value == Decimal("49.99")


def test_json_is_read_whatever_the_content_type_says():
    assert read(message(BODY, Content_Type="application/x-www-form-urlencoded")).order_id == "7"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"5", b'"x"', b"[1]", b"not json", b'<a b="c"/>', b'{"order_id": ', b"[" * 9999]
)
def test_a_body_of_no_use_is_parked(body):
    assert reason(message(body)) == "not_understood"


def test_an_unknown_time_is_flagged_and_not_fatal():
    conversion = read({"order_id": 1, "created_at": "month 19"})
    assert (conversion.occurred_at, conversion.flags) == (NOW, ["date_replaced"])


# Ids, probes


def test_the_same_message_sent_twice_has_the_same_id_and_another_content_has_another():
    first = read(BODY).event_id
    assert read(message(BODY, at=NOW + timedelta(days=1))).event_id == first
    assert read(BODY + b" ").event_id != first
    assert read(message(BODY, webhook_id="msg_1")).event_id == "msg_1"
    assert read({"order_id": 7, "event_id": "e1"}).event_id == "e1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_probe_without_content_is_answered(method):
    assert WebhookSource().handshake(message(b"", method=method), settings()).status == 200


def test_a_call_with_content_is_no_probe():
    for inbound in (message(BODY), message(b"", method="GET", query="order_id=7"), message(BODY, method="GET")):
        assert WebhookSource().handshake(inbound, settings()) is None


def test_the_cloudevents_handshake_is_answered_for_a_plain_origin_only():
    for origin, allowed in (("events.example.org", "events.example.org"), ("a\r\nSet-Cookie: b", None)):
        reply = WebhookSource().handshake(message(b"", method="OPTIONS", WebHook_Request_Origin=origin), settings())
        assert reply.headers.get("webhook-allowed-origin") == allowed


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"type": "url_verification", "challenge": "3eZbrw1aB"}, b"3eZbrw1aB"),
        ({"type": "url_verification", "challenge": "<script>"}, None),
        ({"type": "url_verification"}, None),
        ({"type": "order", "challenge": "x", "note": "url_verification"}, None),
        (["url_verification"], None),
        (b'{"url_verification', None),
    ],
)
def test_a_challenge_is_answered_with_its_own_text_only_when_it_is_one(body, answer):
    reply = WebhookSource().handshake(message(body), settings())
    assert (reply.body if reply else None) == answer


PATHS = {path for paths in GUESSES.values() for path in paths}
ROOTS = st.sampled_from(sorted({path.split(".")[0].split("[")[0] for path in PATHS} | {"id", "data", "utm"}))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    LEAVES | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ROOTS, inner, max_size=5),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["major", "minor"]))
def test_no_json_makes_anything_but_conversions_or_a_known_reason(body, unit):
    try:
        found = read_message(WebhookSource(), message(body), settings(currency="EUR", amount_in=unit))
    except NotUnderstood as error:
        found, reasons, tripped = [], {error.reason}, error.detail
    else:
        reasons, tripped = set(), ""
    json.dumps([each.to_dict() for each in found], ensure_ascii=False).encode()
    assert reasons <= set(REASONS)
    assert not tripped.startswith(("KeyError", "TypeError", "AttributeError", "IndexError"))

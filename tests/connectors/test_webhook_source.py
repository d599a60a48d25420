"""The generic webhook source: every scheme against forgers, every body shape, and what a person points at."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from connectors.webhook.paths import GUESSES, NAMES
from connectors.webhook.source import WebhookSource
from hub.contract import Conversion, Headers, Inbound, Kind, NotUnderstood, NotVerified, Stage, Trust
from hub.contract.reasons import REASONS
from hub.reading import prove, read_message

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "made-up-secret"
# github.com/standard-webhooks/standard-webhooks, the vector of its libraries' tests.
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_TIME = datetime.fromtimestamp(1614265330, UTC)
VECTOR_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def settings(**given: Any) -> dict[str, Any]:
    return dict(WebhookSource.Settings().load(given))


def message(body: Any, *, at: datetime = NOW, method: str = "POST", query: str = "", **headers: str) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Inbound(raw, Headers({k.replace("_", "-"): v for k, v in headers.items()}), at, method, query=query)


def trust(inbound: Inbound, **given: Any) -> Trust:
    with pytest.raises(StopIteration) as stop:
        next(prove(WebhookSource(), inbound, settings(**given)))
    return stop.value.value


def refusal(inbound: Inbound, **given: Any) -> str:
    with pytest.raises(NotVerified) as caught:
        trust(inbound, **given)
    return caught.value.reason


def read_all(body: Any, **given: Any) -> list[Conversion]:
    inbound = body if isinstance(body, Inbound) else message(body)
    return read_message(WebhookSource(), inbound, settings(**given))


def read(body: Any, **given: Any) -> Conversion:
    [conversion] = read_all(body, **given)
    return conversion


def reason(body: Any, **given: Any) -> str:
    with pytest.raises(NotUnderstood) as caught:
        read_all(body, **given)
    return caught.value.reason


# Standard Webhooks

STANDARD = {"scheme": "standard_webhooks", "secret": [VECTOR_SECRET]}
VECTOR = Inbound(b'{"test": 2432232314}', Headers(VECTOR_HEADERS), VECTOR_TIME)


def changed(**headers: str | None) -> Inbound:
    named = VECTOR_HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(VECTOR, headers=Headers({name: value for name, value in named.items() if value is not None}))


def test_the_published_vector_verifies():
    assert trust(VECTOR, **STANDARD) is Trust.PROVEN


@pytest.mark.parametrize(
    "inbound",
    [
        replace(VECTOR, headers=Headers({k.upper(): v for k, v in VECTOR_HEADERS.items()})),
        replace(VECTOR, headers=Headers({k.replace("webhook", "svix"): v for k, v in VECTOR_HEADERS.items()})),
        changed(webhook_signature="v1,AAAA " + VECTOR_HEADERS["webhook-signature"] + " v2,BBBB"),
        replace(VECTOR, received_at=VECTOR_TIME + timedelta(seconds=300)),
        replace(VECTOR, received_at=VECTOR_TIME - timedelta(seconds=300)),
    ],
    ids=["upper case", "Svix's names", "several signatures", "five minutes later", "five minutes earlier"],
)
def test_the_vector_verifies_in_every_form_the_specification_allows(inbound):
    assert trust(inbound, **STANDARD) is Trust.PROVEN


def test_two_live_secrets_verify_either_ones_messages():
    new = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    assert trust(VECTOR, scheme="standard_webhooks", secret=[new, VECTOR_SECRET]) is Trust.PROVEN


@pytest.mark.parametrize(
    ("inbound", "expected"),
    [
        (replace(VECTOR, body=b'{"test": 2432232315}'), "signature_wrong"),
        (replace(VECTOR, body=b'{"test":2432232314}'), "signature_wrong"),
        (replace(VECTOR, body=b""), "signature_wrong"),
        (changed(webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="), "signature_wrong"),
        (changed(webhook_signature=VECTOR_HEADERS["webhook-signature"][3:]), "signature_wrong"),
        (changed(webhook_signature="v1," + "é" * 10), "signature_wrong"),
        (changed(webhook_signature="v1," + "A" * 10_000), "signature_wrong"),
        (changed(webhook_id="msg_other"), "signature_wrong"),
        (changed(webhook_id=None), "signature_missing"),
        (changed(webhook_timestamp=None), "signature_missing"),
        (changed(webhook_signature=None), "signature_missing"),
        (changed(webhook_signature=""), "signature_missing"),
        (changed(webhook_timestamp="soon"), "signature_wrong"),
        (changed(webhook_timestamp="nan"), "signature_too_old"),
        (replace(VECTOR, received_at=VECTOR_TIME + timedelta(seconds=301)), "signature_too_old"),
        (replace(VECTOR, received_at=VECTOR_TIME - timedelta(seconds=301)), "signature_too_old"),
    ],
)
def test_a_vector_changed_in_any_part_is_refused_with_its_reason(inbound, expected):
    assert refusal(inbound, **STANDARD) == expected


@pytest.mark.parametrize("secret", [[], [""], ["whsec_"], ["whsec_not base64!"]])
def test_an_empty_or_broken_secret_verifies_nothing(secret):
    assert refusal(VECTOR, scheme="standard_webhooks", secret=secret) == "secret_not_set"


def test_another_secret_verifies_nothing():
    other = "whsec_" + base64.b64encode(bytes(24)).decode()
    assert refusal(VECTOR, scheme="standard_webhooks", secret=[other]) == "signature_wrong"


# Plain HMAC, tokens, secret address

BODY = b'{"order_id": "7"}'
HEX = {"scheme": "hmac_hex", "secret": [SECRET], "header": "X-Signature", "prefix": "sha256="}


def digest(content: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def test_a_prefixed_hex_signature_over_the_body_verifies():
    assert trust(message(BODY, X_Signature="sha256=" + digest(BODY).hex()), **HEX) is Trust.PROVEN
    assert trust(message(BODY, X_Signature="sha256=" + digest(BODY).hex().upper()), **HEX) is Trust.PROVEN
    assert trust(message(BODY, X_Signature=f"sha256=00, sha256={digest(BODY).hex()}"), **HEX) is Trust.PROVEN


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({}, "signature_missing"),
        ({"X_Signature": ""}, "signature_missing"),
        ({"X_Signature": digest(BODY).hex()}, "signature_wrong"),
        ({"X_Signature": "sha256="}, "signature_wrong"),
        ({"X_Signature": "sha256=" + digest(BODY).hex()[:-1]}, "signature_wrong"),
        ({"X_Signature": "sha256=" + digest(BODY, "other").hex()}, "signature_wrong"),
        ({"X_Signature": "sha256=" + digest(BODY, "").hex()}, "signature_wrong"),
        ({"X_Signature": "sha256=" + base64.b64encode(digest(BODY)).decode()}, "signature_wrong"),
    ],
)
def test_a_hex_signature_that_is_missing_bare_cut_or_anothers_is_refused(header, expected):
    assert refusal(message(BODY, **header), **HEX) == expected


def test_a_signature_of_a_body_that_was_serialized_again_is_refused():
    assert refusal(message(b'{"order_id":"7"}', X_Signature="sha256=" + digest(BODY).hex()), **HEX) == "signature_wrong"


def test_a_hex_signature_with_no_secret_set_is_refused():
    inbound = message(BODY, X_Signature="sha256=" + digest(BODY, "").hex())
    assert refusal(inbound, **HEX | {"secret": []}) == "secret_not_set"


def test_a_base64_signature_verifies_only_as_base64():
    given = {"scheme": "hmac_base64", "secret": [SECRET], "header": "X-Hmac"}
    assert trust(message(BODY, X_Hmac=base64.b64encode(digest(BODY)).decode()), **given) is Trust.PROVEN
    assert refusal(message(BODY, X_Hmac=digest(BODY).hex()), **given) == "signature_wrong"


TIMED = {"scheme": "hmac_hex", "secret": [SECRET], "header": "X-Sig", "timestamp_header": "X-Time"} | {
    "signed": "timestamp.body"
}


def timed(stamp: str, *, shown: str | None = None) -> Inbound:
    return message(BODY, X_Sig=digest(stamp.encode() + b"." + BODY).hex(), X_Time=stamp if shown is None else shown)


def test_a_signed_time_is_part_of_what_is_verified():
    now = int(NOW.timestamp())
    assert trust(timed(str(now)), **TIMED) is Trust.PROVEN
    assert refusal(timed(str(now), shown=str(now + 1)), **TIMED) == "signature_wrong"
    assert refusal(timed(str(now), shown=""), **TIMED) == "signature_missing"
    assert refusal(timed(str(now - 301)), **TIMED) == "signature_too_old"
    assert refusal(timed(str(now + 301)), **TIMED) == "signature_too_old"


def test_time_and_signature_may_share_one_header():
    now = str(int(NOW.timestamp()))
    given = TIMED | {"timestamp_header": "X-Sig", "prefix": "v1="}
    header = f"t={now},v1={digest(now.encode() + b'.' + BODY).hex()}"
    assert trust(message(BODY, X_Sig=header), **given) is Trust.PROVEN
    other = header.replace(f"t={now}", f"t={int(now) + 1}")
    assert refusal(message(BODY, X_Sig=other), **given) == "signature_wrong"


def test_a_password_in_a_header_verifies_and_another_does_not():
    given = {"scheme": "token_header", "secret": [SECRET, "older"], "header": "Authorization", "prefix": "Bearer"}
    assert trust(message(BODY, Authorization=f"Bearer {SECRET}"), **given) is Trust.PROVEN
    assert trust(message(BODY, Authorization="Bearer older"), **given) is Trust.PROVEN
    assert refusal(message(BODY, Authorization="Bearer wrong"), **given) == "signature_wrong"
    assert refusal(message(BODY), **given) == "signature_missing"
    assert refusal(message(BODY, Authorization="Bearer x"), **given | {"secret": []}) == "secret_not_set"


def test_a_secret_address_is_only_claimed():
    assert trust(message(BODY)) is Trust.CLAIMED


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

"""The generic webhook source: every way a sender may sign, and what a forger may try."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hooks import BODY, NOW, SECRET, message, refusal, settings, trust

from connectors.webhook.source import WebhookSource
from hub.contract import Headers, Inbound, Trust

# github.com/standard-webhooks/standard-webhooks, the vector of its libraries' tests.
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_TIME = datetime.fromtimestamp(1614265330, UTC)
VECTOR_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


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
        (replace(VECTOR, received_at=VECTOR_TIME - timedelta(seconds=301)), "signature_from_future"),
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
    assert refusal(timed(str(now + 301)), **TIMED) == "signature_from_future"


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


# What it signs itself, for test messages

BEARER = {"scheme": "token_header", "secret": [SECRET], "header": "Authorization", "prefix": "Bearer"}


@pytest.mark.parametrize(
    "given",
    [
        STANDARD,
        HEX,
        HEX | {"scheme": "hmac_base64", "prefix": ""},
        TIMED,
        TIMED | {"signed": "body"},
        TIMED | {"timestamp_header": "x-sig", "prefix": "v1="},
        BEARER,
        BEARER | {"header": "X-Token", "prefix": ""},
    ],
)
def test_what_it_signs_for_a_scheme_is_accepted_at_that_time_and_with_no_other_body(given):
    at = NOW + timedelta(hours=5)
    headers = WebhookSource().rehearse(BODY, settings(**given), at, b"")
    assert trust(Inbound(BODY, Headers(headers), at), **given) is Trust.PROVEN
    if given["scheme"] != "token_header":
        assert refusal(Inbound(BODY + b" ", Headers(headers), at), **given) == "signature_wrong"


def test_it_signs_nothing_for_a_secret_address_and_cannot_without_a_secret():
    assert WebhookSource().rehearse(BODY, settings(), NOW, b"") == {}
    assert WebhookSource().rehearse(BODY, settings(**HEX | {"secret": []}), NOW, b"") is None

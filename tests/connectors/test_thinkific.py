"""Thinkific: the published signature, unsigned webhooks, and amounts whose unit nobody documents."""

import hashlib
import hmac
from decimal import Decimal
from typing import Any

import pytest
from senders import message, read, trust, vector

from connectors.thinkific.source import Thinkific
from hub.contract import Inbound, Kind, NotUnderstood, NotVerified, Trust

SOURCE = Thinkific()
VECTOR = vector("thinkific")
HEADER = "X-Thinkific-Hmac-Sha256"
SIGNATURE: str = VECTOR["headers"][HEADER]
KEY = {"secret": VECTOR["secret"]}


def sent(body: str = VECTOR["body"], signature: str | None = SIGNATURE) -> Inbound:
    return message(body, {} if signature is None else {HEADER: signature})


def charge(amount: Any, action: str = "succeeded", **more: Any) -> Inbound:
    order = {
        "id": 73,
        "order_number": "ORD000073",
        "amount_cents": 9950,
        "created_at": "2026-03-01T10:19:58Z",
        "user": {"id": 5, "email": "dana@example.com"},
    }
    payload = {"id": 22, "amount": amount, "currency": "cad", "created_at": "2026-03-01T10:20:00Z", "order": order}
    event = {"id": "1", "resource": "order_transaction", "action": action, "created_at": "2026-03-09T08:00:00Z"}
    return message({**event, "payload": payload | more})


def test_the_derived_vector_verifies() -> None:
    assert trust(SOURCE, sent(), KEY) is Trust.PROVEN


def test_upper_case_hex_is_the_same_signature() -> None:
    assert trust(SOURCE, sent(signature=SIGNATURE.upper()), KEY) is Trust.PROVEN


@pytest.mark.parametrize(
    "inbound",
    [
        sent(body=VECTOR["body"].replace("5000", "5001")),
        sent(body=VECTOR["body"] + "\n"),
        sent(signature=None),
        sent(signature=""),
        sent(signature="0" * 64),
        sent(signature=SIGNATURE[:-1]),
        sent(signature="é" * 64),
    ],
    ids=["amount changed", "newline added", "no header", "empty header", "zeros", "cut short", "not hex"],
)
def test_a_mutated_message_is_refused(inbound: Inbound) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, inbound, KEY)


@pytest.mark.parametrize("secret", ["", [], ["wrong"], "\n"])
def test_a_wrong_or_empty_key_is_refused(secret: Any) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, sent(), {"secret": secret})


def test_a_signature_made_with_an_empty_key_is_refused() -> None:
    forged = hmac.new(b"", VECTOR["body"].encode(), hashlib.sha256).hexdigest()
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, sent(signature=forged), {})
    assert refused.value.reason == "secret_not_set"


def test_either_key_verifies_while_the_key_is_changed() -> None:
    assert trust(SOURCE, sent(), {"secret": ["the_next_key", VECTOR["secret"]]}) is Trust.PROVEN


def test_an_unsigned_webhook_is_only_claimed_where_the_owner_allows_it() -> None:
    allowed = KEY | {"require_signature": False}
    assert trust(SOURCE, sent(signature=None), allowed) is Trust.CLAIMED
    assert trust(SOURCE, sent(), allowed) is Trust.PROVEN
    with pytest.raises(NotVerified):
        trust(SOURCE, sent(signature="0" * 64), allowed)


def test_no_currency_is_ever_assumed() -> None:
    [conversion] = read(SOURCE, sent())
    assert (conversion.value, conversion.currency) == (Decimal("50.00"), None)


@pytest.mark.parametrize(
    ("amount", "value", "guessed"),
    [
        (9950, "99.50", False),
        (Decimal("99.5"), "99.5", False),
        (Decimal("33.17"), "33.17", False),
        ("9950", "99.50", False),
        (85, "85", True),
        (3317, "33.17", True),
    ],
)
def test_the_unit_of_a_charge_is_worked_out_from_its_order(amount: Any, value: str, guessed: bool) -> None:
    [conversion] = read(SOURCE, charge(amount))
    assert str(conversion.value) == value
    assert ("amount_unit_guessed" in conversion.flags) is guessed


@pytest.mark.parametrize(("unit", "value"), [("major", "85"), ("minor", "0.85")])
def test_the_owner_may_choose_the_unit(unit: str, value: str) -> None:
    [conversion] = read(SOURCE, charge(85), {"amount_unit": unit})
    assert str(conversion.value) == value
    assert conversion.flags == []


def test_a_refund_takes_its_own_amount_and_the_delivery_s_time() -> None:
    [refund] = read(SOURCE, charge(9950, "refunded", refunded=False, refunded_amount=2000))
    assert (refund.kind, str(refund.value), refund.stage) == (Kind.REFUND, "20.00", None)
    assert refund.occurred_at.isoformat() == "2026-03-09T08:00:00+00:00"


def test_a_refund_of_an_unknown_amount_is_parked() -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, charge(9950, "refunded", refunded=False, refunded_amount=None))


@pytest.mark.parametrize("missing", [None, "", {}])
def test_a_null_id_is_parked_and_never_shared_by_all(missing: Any) -> None:
    whole = charge(9950, "refunded", refunded=False, refunded_amount=2000).json()
    order = whole["payload"]["order"]
    for data in (
        {**whole, "id": missing},
        {**whole, "payload": {**whole["payload"], "id": missing}},
        {**whole, "payload": {**whole["payload"], "order": {**order, "id": missing}}},
    ):
        with pytest.raises(NotUnderstood, match="no usable “id”"):
            read(SOURCE, message(data))


def test_an_unknown_currency_is_parked_and_not_replaced_by_the_schools() -> None:
    with pytest.raises(NotUnderstood) as parked:
        read(SOURCE, charge(9950, currency="BTC"), {"currency": "EUR"})
    assert parked.value.reason == "currency_unknown"
    assert read(SOURCE, charge(9950, currency=None), {"currency": "EUR"})[0].currency == "EUR"


def test_two_rebills_of_one_payment_plan_stay_two() -> None:
    months = [charge(3317, id=month, created_at=f"2026-0{month}-01T10:20:00Z") for month in (4, 5)]
    names = [read(SOURCE, each)[0] for each in months]
    assert [each.kind for each in names] == [Kind.RENEWAL, Kind.RENEWAL]
    assert [each.order_id for each in names] == ["73/4", "73/5"]
    assert all(not each.order_aliases for each in names)


def test_the_refund_of_a_rebill_finds_the_rebill() -> None:
    [refund] = read(SOURCE, charge(3317, "refunded", created_at="2026-04-01T10:20:00Z", refunded_amount=3317))
    assert refund.order_id == "73/22"


@pytest.mark.parametrize("value", [None, "", -1, "x", True])
def test_a_charge_without_a_usable_amount_is_parked(value: Any) -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, charge(value))

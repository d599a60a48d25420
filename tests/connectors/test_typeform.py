"""Typeform: the vector, forms without a secret, payments written in other ways."""

from decimal import Decimal
from typing import Any

import pytest
from senders import message, read, trust, vector

from connectors.typeform.source import Typeform
from hub.contract import Inbound, NotUnderstood, NotVerified, Stage, Trust

SOURCE = Typeform()
VECTOR = vector("typeform")
KEY = {"secret": VECTOR["secret"]}


def answered(*answers: dict[str, Any], **more: Any) -> Inbound:
    response = {"form_id": "f1", "token": "t1", "submitted_at": "2026-01-18T18:17:02Z", "answers": list(answers)}
    return message({"event_id": "e1", "event_type": "form_response", "form_response": response | more})


def paid(amount: Any, **more: Any) -> Inbound:
    payment = {"amount": amount, "last4": "4242", "name": "Ann", **more}
    return answered({"type": "payment", "payment": payment, "field": {"id": "p", "ref": "pay", "type": "payment"}})


def test_the_published_vector_verifies() -> None:
    assert trust(SOURCE, message(VECTOR["body"], VECTOR["headers"]), KEY) is Trust.PROVEN


def test_a_form_without_a_secret_is_only_claimed_but_a_signed_one_never_passes_unchecked() -> None:
    assert trust(SOURCE, message(VECTOR["body"]), {}) is Trust.CLAIMED
    with pytest.raises(NotVerified) as refused:
        trust(SOURCE, message(VECTOR["body"], VECTOR["headers"]), {})
    assert refused.value.reason == "secret_not_set"
    with pytest.raises(NotVerified):
        trust(SOURCE, message(VECTOR["body"]), KEY)


@pytest.mark.parametrize(
    ("amount", "settings", "value", "currency"),
    [
        ("$49.99", {"currency": "USD"}, "49.99", "USD"),
        ("49,90 €", {}, "49.90", "EUR"),
        (12, {"currency": "JPY"}, "12", "JPY"),
    ],
)
def test_a_payment_is_read_as_it_is_written(amount: Any, settings: dict[str, str], value: str, currency: str) -> None:
    [sale] = read(SOURCE, paid(amount), settings)
    assert (sale.stage, sale.value, sale.currency, sale.order_id) == (Stage.PURCHASE, Decimal(value), currency, "t1")


def test_a_payment_without_any_currency_is_parked() -> None:
    with pytest.raises(NotUnderstood) as parked:
        read(SOURCE, paid("49.99"))
    assert parked.value.reason == "currency_unknown"


def test_questions_are_known_by_their_reference_or_as_the_owner_says() -> None:
    field = {"id": "a", "ref": "full_name", "type": "short_text"}
    own = {"id": "b", "ref": "0c1d", "type": "short_text"}
    inbound = answered(
        {"type": "text", "text": "Ada King Lovelace", "field": field}, {"type": "text", "text": "Paris", "field": own}
    )
    [conversion] = read(SOURCE, inbound, {"answers": {"0c1d": "city"}, "stage": "lead"})
    contact = conversion.contact
    assert (contact.first_name, contact.last_name, contact.city) == ("Ada", "King Lovelace", "Paris")
    assert conversion.stage is Stage.LEAD

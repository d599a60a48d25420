"""ThriveCart: how it tries an address, rebills that share an order, secrets that are never told."""

from typing import Any
from urllib.parse import urlencode

import pytest
from senders import message, read, trust

from connectors.thrivecart.source import ThriveCart
from hub.contract import Kind, NotUnderstood, NotVerified, Trust

SOURCE = ThriveCart()
KEY = {"secret": "word"}


def order(event: str = "order.success", **more: Any) -> dict[str, Any]:
    base = {"event": event, "thrivecart_secret": "word", "order_id": 7, "currency": "USD", "order[total]": 10000}
    return {**base, "customer[email]": "jane@example.com", **more}


def form(**more: Any) -> bytes:
    return urlencode(order(**more)).encode()


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST"])
def test_an_empty_probe_is_answered_and_a_message_is_none(method: str) -> None:
    probe = message(b"")
    probe.method = method
    reply = SOURCE.handshake(probe, {})
    assert reply is not None
    assert reply.status == 200
    assert SOURCE.handshake(message(form()), {}) is None


def test_the_secret_stands_in_a_form_or_in_json() -> None:
    assert trust(SOURCE, message(form()), KEY) is Trust.PROVEN
    assert trust(SOURCE, message({"thrivecart_secret": "word"}), KEY) is Trust.PROVEN
    for wrong in (form(thrivecart_secret="other"), form(thrivecart_secret=""), b"[]", b"{}", b"x"):
        with pytest.raises(NotVerified):
            trust(SOURCE, message(wrong), KEY)


def test_two_rebills_of_one_order_stay_two() -> None:
    rebills = [
        read(SOURCE, message(form(event="order.subscription_payment", invoice_id=each)))[0] for each in ("41", "42")
    ]
    assert [(each.order_id, each.kind) for each in rebills] == [("41", Kind.RENEWAL), ("42", Kind.RENEWAL)]
    assert len({each.event_id for each in rebills}) == 2
    with pytest.raises(NotUnderstood):
        read(SOURCE, message(form(event="order.subscription_payment")))


def test_two_partial_refunds_stay_two() -> None:
    refunds = [
        read(SOURCE, message(form(event="order.refund", **{"refund[id]": name, "refund[amount]": 2500})))[0]
        for name in "ab"
    ]
    assert [(each.money_id, str(each.value)) for each in refunds] == [("a", "25.00"), ("b", "25.00")]
    assert len({each.event_id for each in refunds}) == 2

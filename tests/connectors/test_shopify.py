"""Shopify: refunds of sales in the buyer's currency, and topics that only a header names."""

from decimal import Decimal
from typing import Any

import pytest
from senders import message, read

from connectors.shopify.source import Shopify
from hub.contract import Conversion, NotUnderstood

SOURCE = Shopify()
REFUND = {
    "id": 9,
    "order_id": 7,
    "processed_at": "2026-03-01T10:00:00Z",
    "refund_line_items": [
        {"subtotal": 46, "subtotal_set": {"shop_money": {"amount": "50.00", "currency_code": "USD"}}}
    ],
}


def payment(amount: str, currency: str, status: str = "success", kind: str = "refund") -> dict[str, Any]:
    return {"kind": kind, "status": status, "amount": amount, "currency": currency}


def refunded(*payments: dict[str, Any]) -> Conversion:
    [found] = read(SOURCE, message({**REFUND, "transactions": list(payments)}, {"X-Shopify-Topic": "refunds/create"}))
    return found


def test_a_refund_is_what_was_paid_back_and_not_what_came_back() -> None:
    found = refunded(payment("30.00", "USD"), payment("5.00", "USD", "failure"), payment("50.00", "USD", kind="void"))
    assert (found.value, found.currency, found.flags) == (Decimal("30.00"), "USD", [])


def test_a_refund_in_the_buyers_currency_is_told_in_the_shops() -> None:
    found = refunded(payment("46.00", "EUR"))
    assert (found.value, found.currency, found.flags) == (Decimal("50.00"), "USD", ["refund_amount_from_lines"])


def test_a_message_without_a_topic_is_parked() -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, message(REFUND))


def test_ids_beyond_what_javascript_can_count_keep_every_digit() -> None:
    body = '{"id": 820982911946154508, "total_price": "1.00", "currency": "EUR", "line_items": []}'
    [sale] = read(SOURCE, message(body, {"Shopify-Topic": "orders/paid"}))
    assert sale.order_id == "820982911946154508"


def test_objects_that_arrive_as_empty_lists_are_survived() -> None:
    order = {
        "id": 1,
        "total_price": "0.00",
        "currency": "JPY",
        "customer": [],
        "client_details": [],
        "note_attributes": [],
    }
    [sale] = read(SOURCE, message({**order, "shipping_address": []}, {"X-Shopify-Topic": "orders/paid"}))
    assert sale.value == 0

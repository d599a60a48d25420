"""Paddle's events as conversions (developer.paddle.com/webhooks/transactions, /adjustments, /customers, /subscriptions)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Consent, Conversion, Inbound, Kind, Stage
from hub.contract.money import from_minor
from hub.toolkit.conversion_facts import (
    Facts,
    first_text,
    minor_money,
    read_items,
    read_person,
    refused,
    sale_names,
    told,
)
from hub.toolkit.paths import dig, required_text, text

Json = Mapping[str, Any]
# A further charge of a subscription; subscription_payment_method_change moves no money.
RENEWING = ("subscription_recurring", "subscription_update", "subscription_charge")
_ITEM = {"product_id": "product.id", "sku": "price_id", "name": "product.name", "quantity": "quantity"}


def read_event(event: Json, inbound: Inbound) -> Conversion | None:
    """The conversion in ``event``, whose type is one of :data:`READERS`; None when its state means nothing to us."""
    thing = event["data"]
    facts = READERS[event["event_type"]](thing)
    if facts is None:
        return None
    if facts.get("kind") is not Kind.CONTACT:
        contact = read_person(inbound.fetched.get("customer"), {"email": "email", "name": "name"})
        contact.external_id = text(thing.get("customer_id"))
        facts = {"subscription_id": text(thing.get("subscription_id")), "contact": contact, **facts}
    times = (event.get("occurred_at"), thing.get("updated_at"))
    facts["event_id"] = required_text(event, "event_id")
    return told(facts, times, inbound.received_at, custom_data=thing.get("custom_data"))


def _completed(transaction: Json) -> Facts | None:
    origin = transaction.get("origin")
    if origin == "subscription_payment_method_change":
        return None
    kind = Kind.RENEWAL if origin in RENEWING else Kind.CONVERSION
    return {**_transaction(transaction), "kind": kind, "stage": Stage.PURCHASE}


def _failed(transaction: Json) -> Facts:
    return {**_transaction(transaction), **refused(first_text(transaction, "payments[0].error_code"))}


def _transaction(transaction: Json) -> Facts:
    totals = transaction["details"]["totals"]
    currency = totals["currency_code"]
    lines = dig(transaction, "details.line_items")
    number = text(transaction.get("invoice_number"))
    return {
        **sale_names(required_text(transaction, "id"), transaction.get("invoice_id")),
        **minor_money(totals["grand_total"], currency),
        "items": read_items(lines, _ITEM, lambda line: from_minor(dig(line, "unit_totals.total"), currency)),
        "coupon": text(transaction.get("discount_id")),
        "recurring": bool(text(transaction.get("subscription_id"))),
        "extra": {"invoice_number": number} if number else {},
    }


def _adjusted(adjustment: Json) -> Facts | None:
    """Refunds wait for Paddle's approval. A credit moves no money: the next transaction is smaller by it."""
    action = adjustment["action"]
    if adjustment["status"] != "approved" or action not in _ADJUSTMENTS:
        return None
    facts = {
        "kind": _ADJUSTMENTS[action],
        "money_id": required_text(adjustment, "id"),
        "reason": text(adjustment.get("reason")),
        **sale_names(required_text(adjustment, "transaction_id")),
        **minor_money(adjustment["totals"]["total"], adjustment["totals"]["currency_code"]),
    }
    if facts["kind"] is Kind.DISPUTE:  # a chargeback that is won is told as an adjustment of its own
        facts["money_id"] = f"{facts['order_id']}:chargeback"
    return facts | {"value": Decimal(0)} if action == "chargeback_reverse" else facts


_ADJUSTMENTS = {"refund": Kind.REFUND, "chargeback": Kind.DISPUTE, "chargeback_reverse": Kind.DISPUTE}


def _customer(customer: Json) -> Facts:
    agreed = True if customer.get("marketing_consent") is True else None
    person = read_person(customer, {"email": "email", "name": "name", "external_id": "id"})
    return {"kind": Kind.CONTACT, "contact": person, "consent": Consent(email=agreed)}


def _trial(subscription: Json) -> Facts:
    number = required_text(subscription, "id")
    return {"stage": Stage.COMPLETE_REGISTRATION, "recurring": True, "subscription_id": number}


def _canceled(subscription: Json) -> Facts:
    return {"kind": Kind.CANCELLATION, "recurring": True, "subscription_id": required_text(subscription, "id")}


READERS: dict[str, Callable[[Json], Facts | None]] = {
    "transaction.completed": _completed,
    "transaction.payment_failed": _failed,
    "transaction.past_due": _failed,
    "adjustment.created": _adjusted,
    "adjustment.updated": _adjusted,
    "customer.created": _customer,
    "customer.updated": _customer,
    "subscription.trialing": _trial,
    "subscription.canceled": _canceled,
}

"""Chargebee's events as conversions (apidocs.chargebee.com/docs/api: events, invoices, transactions, credit_notes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hub.contract import Conversion, Kind, Stage
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

Content = Mapping[str, Any]  # the objects of the event: customer, subscription, invoice, transaction, credit_note
_ADDRESSES = ("customer.billing_address", "invoice.billing_address")
_BUYER = {
    "email": ("customer.email", "invoice.billing_address.email"),
    "phone": ("customer.phone", "customer.billing_address.phone"),
    "first_name": ("customer.first_name", "invoice.billing_address.first_name"),
    "last_name": ("customer.last_name", "invoice.billing_address.last_name"),
    "external_id": ("customer.id", "invoice.customer_id", "transaction.customer_id", "subscription.customer_id"),
    "city": [f"{each}.city" for each in _ADDRESSES],
    "region": [f"{each}.{name}" for each in _ADDRESSES for name in ("state_code", "state")],
    "postal_code": [f"{each}.zip" for each in _ADDRESSES],
    "country": [f"{each}.country" for each in _ADDRESSES],
}
_ITEM = {"product_id": "entity_id", "name": "description", "quantity": "quantity"}


def read_event(event: Content, received_at: datetime) -> Conversion | None:
    """The conversion in ``event``, whose type is one of :data:`READERS`; None when its state means nothing to us."""
    content = event["content"]
    facts = READERS[event["event_type"]](content)
    if facts is None:
        return None
    plan = first_text(content, "subscription.plan_id", "subscription.subscription_items[0].item_price_id")
    facts |= {
        "event_id": required_text(event, "id"),
        "contact": read_person(content, _BUYER),
        "extra": {"plan": plan} if plan else {},
    }
    found = [dig(content, f"{name}.meta_data") for name in ("customer", "subscription")]
    notes = {name: value for each in found if isinstance(each, dict) for name, value in each.items()}
    return told(facts, [event.get("occurred_at")], received_at, meta_data=notes)


def _payment_succeeded(content: Content) -> Facts:
    """An invoice may be paid in parts: once it is paid, its total counts."""
    payment, invoice = content["transaction"], content.get("invoice") or {}
    is_whole = invoice.get("status") == "paid"
    money = (invoice["total"], invoice["currency_code"]) if is_whole else (payment["amount"], payment["currency_code"])
    return {**_sale(content), **_first_or_later(content), **minor_money(*money)}


def _payment_failed(content: Content) -> Facts:
    payment = content["transaction"]
    words = first_text(payment, "error_text", "error_code")
    return {**_sale(content), **refused(words), **minor_money(payment["amount"], payment["currency_code"])}


def _invoice_generated(content: Content) -> Facts | None:
    invoice = content["invoice"]
    state = invoice["status"]
    if state in ("voided", "pending"):
        return None
    meaning = _first_or_later(content) if state == "paid" else {"kind": Kind.PENDING}
    return {**_sale(content), **meaning, **minor_money(invoice["total"], invoice["currency_code"])}


def _refunded(content: Content) -> Facts:
    """With its credit note, which ``credit_note_created`` tells as well: what it has given back so far."""
    payment, note = content["transaction"], content.get("credit_note") or {}
    known = first_text(content, "credit_note.id", "transaction.linked_credit_notes[0].cn_id")
    amount = note.get("amount_refunded") or payment["amount"]
    invoice = first_text(
        content,
        "credit_note.reference_invoice_id",
        "transaction.linked_credit_notes[0].cn_reference_invoice_id",
        "invoice.id",
    )
    return {
        "kind": Kind.REFUND,
        "money_id": known or required_text(payment, "id"),
        "reason": _why(note),
        **sale_names(invoice, payment.get("refunded_txn_id"), payment.get("reference_transaction_id")),
        **minor_money(amount, payment["currency_code"]),
    }


def _credit_note_created(content: Content) -> Facts | None:
    """Only what was paid back: an adjustment, or a note that is still to be refunded, moves no money."""
    note = content["credit_note"]
    amount = note.get("amount_refunded", note["total"])
    if note.get("type") == "adjustment" or not amount:
        return None
    return {
        "kind": Kind.REFUND,
        "money_id": required_text(note, "id"),
        "reason": _why(note),
        **sale_names(required_text(note, "reference_invoice_id")),
        **minor_money(amount, note["currency_code"]),
    }


def _subscription_created(content: Content) -> Facts | None:
    if content["subscription"]["status"] != "in_trial":
        return None
    return {"stage": Stage.COMPLETE_REGISTRATION, **_plan(content)}


def _subscription_cancelled(content: Content) -> Facts:
    reason = first_text(content, "subscription.cancel_reason_code", "subscription.cancel_reason")
    return {"kind": Kind.CANCELLATION, "reason": reason, **_plan(content)}


READERS: dict[str, Callable[[Content], Facts | None]] = {
    "payment_succeeded": _payment_succeeded,
    "payment_failed": _payment_failed,
    "payment_refunded": _refunded,
    "invoice_generated": _invoice_generated,
    "credit_note_created": _credit_note_created,
    "subscription_created": _subscription_created,
    "subscription_cancelled": _subscription_cancelled,
}


def _sale(content: Content) -> Facts:
    """The invoice names the sale; without one the payment does."""
    invoice = content.get("invoice") or {}
    names = (
        first_text(content, "invoice.id", "transaction.linked_invoices[0].invoice_id"),
        dig(content, "transaction.id"),
        *(dig(invoice, "linked_payments[].txn_id") or ()),
    )
    number = first_text(content, "invoice.subscription_id", "transaction.subscription_id")
    currency = invoice.get("currency_code")
    return {
        **sale_names(*names),
        "recurring": bool(number),
        "subscription_id": number,
        "items": read_items(
            invoice.get("line_items"), _ITEM, lambda line: from_minor(line.get("unit_amount"), currency)
        ),
        "coupon": first_text(invoice, "discounts[0].entity_id"),
    }


def _first_or_later(content: Content) -> Facts:
    """``first_invoice`` is of the subscription; of a single sale it would be of the customer."""
    invoice = content.get("invoice") or {}
    renews = bool(text(invoice.get("subscription_id"))) and invoice.get("first_invoice") is False
    return {"kind": Kind.RENEWAL if renews else Kind.CONVERSION, "stage": Stage.PURCHASE}


def _plan(content: Content) -> Facts:
    return {"recurring": True, "subscription_id": required_text(content, "subscription.id")}


def _why(note: Content) -> str | None:
    return first_text(note, "create_reason_code", "reason_code")

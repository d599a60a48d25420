"""Square's events as conversions (square/connect-api-specification: Payment, PaymentRefund, Invoice)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.contract import Conversion, Inbound, Kind, Stage
from hub.contract.money import currency_code, from_minor
from hub.toolkit.conversion_facts import Facts, first_text, minor_money, read_items, read_person, refused, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.paths import dig, required_text, text

Json = Mapping[str, Any]
_BUYER = {
    "email": ("payment.buyer_email_address", "customer.email_address"),
    "phone": ("payment.buyer_phone_number", "customer.phone_number"),
    "first_name": ("customer.given_name", "payment.billing_address.first_name"),
    "last_name": ("customer.family_name", "payment.billing_address.last_name"),
    "external_id": "payment.customer_id",
    "city": ("payment.billing_address.locality", "customer.address.locality"),
    "region": (
        "payment.billing_address.administrative_district_level_1",
        "customer.address.administrative_district_level_1",
    ),
    "postal_code": ("payment.billing_address.postal_code", "customer.address.postal_code"),
    "country": ("payment.billing_address.country", "customer.address.country"),
}
_RECIPIENT = {
    "email": "email_address",
    "phone": "phone_number",
    "first_name": "given_name",
    "last_name": "family_name",
    "external_id": "customer_id",
}
_ITEM = {"product_id": "catalog_object_id", "name": "name", "quantity": "quantity"}


def thing_of(event: Json) -> Any:
    """The payment, refund or invoice in the event."""
    return event["data"]["object"][event["type"].partition(".")[0]]


def read_event(event: Json, inbound: Inbound) -> Conversion | None:
    """The conversion in ``event``, whose type is one of :data:`READERS`; None when its state means nothing to us."""
    thing = thing_of(event)
    facts = READERS[event["type"]](thing, inbound.fetched)
    if facts is None:
        return None
    times = thing.get("updated_at"), event.get("created_at")
    occurred_at, flags = first_time(*times, fallback=inbound.received_at)
    facts["flags"] = [*facts.get("flags", ()), *flags]
    return Conversion(event_id=required_text(event, "event_id"), occurred_at=occurred_at, **facts)


def _payment(payment: Json, fetched: Json) -> Facts | None:
    meaning = _PAYMENT_STATES.get(payment["status"])
    if meaning is None:
        return None
    if payment["status"] == "FAILED":
        meaning = refused(first_text(payment, "card_details.errors[0].code"))
    currency = currency_code(payment["amount_money"]["currency"])
    lines, found = dig(fetched, "order.line_items"), {"payment": payment, "customer": fetched.get("customer")}
    extra = {name: text(payment.get(name)) for name in ("note", "reference_id", "source_type", "receipt_number")}
    return {
        **sale_names(payment.get("order_id"), required_text(payment, "id")),
        **minor_money(payment["amount_money"]["amount"], currency),
        "contact": read_person(found, _BUYER),
        "items": read_items(lines, _ITEM, lambda line: from_minor(dig(line, "base_price_money.amount"), currency)),
        "extra": {name: value for name, value in extra.items() if value},
        **meaning,
    }


_PAYMENT_STATES: dict[str, Facts] = {
    "COMPLETED": {"stage": Stage.PURCHASE},
    "APPROVED": {"kind": Kind.PENDING},  # authorized, not captured yet
    "PENDING": {"kind": Kind.PENDING},
    "CANCELED": {"stage": Stage.LEAD, "reason": "abandoned"},
    "FAILED": refused(),
}


def _refund(refund: Json, _fetched: Json) -> Facts | None:
    """Its ``order_id`` is an order of its own, made for the return: the payment names the sale."""
    if refund["status"] != "COMPLETED":
        return None
    return {
        "kind": Kind.REFUND,
        "money_id": required_text(refund, "id"),
        "reason": text(refund.get("reason")),
        **sale_names(required_text(refund, "payment_id")),
        **minor_money(refund["amount_money"]["amount"], refund["amount_money"]["currency"]),
    }


def _invoice(invoice: Json, _fetched: Json) -> Facts:
    """What was paid so far: an invoice may be paid in parts. A subscription's may be its first or a later one."""
    paid = [request["total_completed_amount_money"] for request in invoice["payment_requests"]]
    plan = text(invoice.get("subscription_id"))
    return {
        "stage": Stage.PURCHASE,
        **sale_names(invoice.get("order_id"), required_text(invoice, "id")),
        **minor_money(sum(int(money["amount"]) for money in paid), paid[0]["currency"]),
        "contact": read_person(invoice.get("primary_recipient"), _RECIPIENT),
        "recurring": bool(plan),
        "subscription_id": plan,
        "flags": ["maybe_renewal"] if plan else [],
        "extra": {"invoice_number": number} if (number := text(invoice.get("invoice_number"))) else {},
    }


READERS: dict[str, Callable[[Json, Json], Facts | None]] = {
    "payment.created": _payment,
    "payment.updated": _payment,
    "refund.created": _refund,
    "refund.updated": _refund,
    "invoice.payment_made": _invoice,
}

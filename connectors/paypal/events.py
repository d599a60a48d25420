"""PayPal's events as conversions (developer.paypal.com/api/rest/webhooks/event-names)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.paypal.resources import (
    SANDBOX,
    agreement_of,
    contact_of,
    custom_of,
    is_sandbox,
    items_of,
    linked,
    money,
    order_to_read,
    payment_to_read,
    references_of,
    total,
)
from hub.contract import Conversion, Inbound, Kind, NotUnderstood, Stage
from hub.contract.dates import first_time
from hub.contract.paths import dig, required_text, text
from hub.contract.tracking import read_tracking, tracking_pairs

Json = Mapping[str, Any]
Facts = dict[str, Any]  # arguments of Conversion
# Dispute outcomes that leave the money with the seller (developer.paypal.com/docs/api/customer-disputes/v1).
KEPT = ("RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER")
MAYBE_RENEWAL = "maybe_renewal"  # the first charge of a subscription looks like every other: the hub knows which it is


def read_event(event: Json, inbound: Inbound) -> Conversion:
    """The conversion in ``event``, whose type is one of :data:`READERS`."""
    resource = event["resource"]
    resource = resource.get("invoice") or resource  # invoicing v2 wraps it once more
    behind = inbound.fetched.get("resource") or {}
    reader, stage_or_kind = READERS[event["event_type"]]
    facts = reader(resource)
    if isinstance(stage_or_kind, Kind):
        facts["kind"] = stage_or_kind
    elif "kind" not in facts:
        facts.setdefault("stage", stage_or_kind)
    names = [name for name in dict.fromkeys(facts.pop("names", [])) if name]
    times = event.get("create_time"), resource.get("update_time"), resource.get("create_time")
    occurred_at, date_flags = first_time(*times, fallback=inbound.received_at)
    facts["flags"] = [*facts.get("flags", ()), *date_flags]
    conversion = Conversion(
        event_id=f"{required_text(event, 'id')}:{event['event_type']}",  # the simulator gives several types one id
        occurred_at=occurred_at,
        order_id=names[0] if names else None,
        order_aliases=names[1:],
        test=is_sandbox(event, resource) or SANDBOX in inbound.headers.get("PayPal-Cert-Url", ""),
        contact=contact_of(resource, behind),
        items=items_of(resource) or items_of(behind),
        **facts,
    )
    _take_custom(conversion, custom_of(resource, behind))
    return conversion


def _order(order: Json) -> Facts:
    units = order["purchase_units"]
    value, currency = total(unit["amount"] for unit in units)
    payments = [*(dig(order, "purchase_units[].payments.captures") or [])]
    payments += dig(order, "purchase_units[].payments.authorizations") or []
    ids = [text(one.get("id")) for some in payments for one in some]
    references = [text(unit.get("reference_id")) for unit in units]
    extra = {"reference_id": references[0]} if references[0] not in (None, "default") else {}
    names = [required_text(order, "id"), *ids, *references_of(order)]
    return {"names": names, "value": _positive(value), "currency": currency, "extra": extra}


def _order_completed(order: Json) -> Facts:
    """Completed says that the steps are done; the money may still be awaited."""
    captures = [one for some in dig(order, "purchase_units[].payments.captures") or [] for one in some]
    awaited = bool(captures) and all(one.get("status") == "PENDING" for one in captures)
    return _order(order) | ({"kind": Kind.PENDING} if awaited else {})


def _order_voided(order: Json) -> Facts:
    return _order(order) | {"reason": "abandoned"}


def _payment(payment: Json) -> Facts:
    """A v1 payment: approved by the buyer, and often with its completed sale inside."""
    value, currency = total(transaction["amount"] for transaction in payment["transactions"])
    related = [one for some in dig(payment, "transactions[].related_resources") or [] for one in some]
    sales = [one.get("sale") or one.get("capture") or {} for one in related]
    names = [required_text(payment, "id"), *(text(sale.get("id")) for sale in sales), *references_of(payment)]
    facts: Facts = {"names": names, "value": _positive(value), "currency": currency}
    if any(sale.get("state") == "completed" for sale in sales):
        facts["stage"] = Stage.PURCHASE
    return facts


def _sale(sale: Json) -> Facts:
    """A capture (v2, v1) or sale (v1)."""
    value, currency = money(sale["amount"])
    facts: Facts = {"value": _positive(value), "currency": currency}
    agreement = agreement_of(sale)
    if agreement:
        charge = {"subscription_id": agreement, "recurring": True, "flags": [MAYBE_RENEWAL]}
        return facts | charge | {"names": [required_text(sale, "id"), *references_of(sale)]}
    authorization = text(dig(sale, "supplementary_data.related_ids.authorization_id"))
    parents = [order_to_read(sale), payment_to_read(sale), linked(sale, "up"), required_text(sale, "id")]
    return facts | {"names": [*parents, authorization, *references_of(sale)]}


def _sale_refused(sale: Json) -> Facts:
    words = text(dig(sale, "status_details.reason")) or text(sale.get("reason_code"))
    facts = {name: value for name, value in _sale(sale).items() if name != "flags"}
    return facts | {"reason": f"refused: {words}" if words else "refused"}


def _sale_pending(sale: Json) -> Facts:
    why = text(dig(sale, "status_details.reason")) or text(sale.get("reason_code") or sale.get("pending_reason"))
    return {name: value for name, value in _sale(sale).items() if name != "flags"} | {"reason": why}


def _refund(refund: Json) -> Facts:
    """Refunds of sales are positive, of v1 captures negative. The resource is the refund, or the reversed sale."""
    value, currency = money(refund["amount"])
    order = text(dig(refund, "supplementary_data.related_ids.order_id")) or linked(refund, "up", "/checkout/orders/")
    capture = text(dig(refund, "supplementary_data.related_ids.capture_id")) or linked(refund, "up")
    sale = text(refund.get("sale_id")) or text(refund.get("capture_id"))
    sale = sale or linked(refund, "sale") or linked(refund, "capture")
    itself = linked(refund, "self") if not linked(refund, "self", "/refund") else None
    names = [order, payment_to_read(refund), sale, capture, itself]
    if not any(names):
        raise NotUnderstood("The refund does not say which payment was given back.")
    why = text(refund.get("refund_reason_code")) or text(refund.get("note_to_payer"))
    return {
        "names": names,
        "value": abs(value),
        "currency": currency,
        "money_id": required_text(refund, "id"),
        "reason": why,
    }


def _dispute(dispute: Json) -> Facts:
    first, *others = dispute["disputed_transactions"]
    back = dig(dispute, "dispute_outcome.amount_refunded") or dispute["dispute_amount"]
    value, currency = money(back)
    if dig(dispute, "dispute_outcome.outcome_code") in KEPT:
        value = Decimal(0)
    also = [text(one.get("seller_transaction_id")) for one in others]  # other sales: never names of this one
    return {
        "names": [required_text(first, "seller_transaction_id"), text(first.get("invoice_number"))],
        "value": _positive(value),
        "currency": currency,
        "money_id": required_text(dispute, "dispute_id"),
        "reason": text(dispute.get("reason")),
        "extra": {"also_disputed": also} if also else {},
    }


def _subscription(subscription: Json) -> Facts:
    return {"subscription_id": required_text(subscription, "id"), "recurring": True}


def _subscription_unpaid(subscription: Json) -> Facts:
    failed = dig(subscription, "billing_info.last_failed_payment") or {}
    words = text(failed.get("reason_code"))
    facts = _subscription(subscription) | {"reason": f"refused: {words}" if words else "refused"}
    if failed.get("amount"):
        facts["value"], facts["currency"] = money(failed["amount"])
    return facts


def _invoice(invoice: Json) -> Facts:
    amount = invoice.get("total_amount") or invoice["amount"]
    value, currency = money(amount)
    paid = invoice.get("payments") or []
    paid = (paid.get("transactions") or []) if isinstance(paid, dict) else paid
    ids = [text(one.get("transaction_id")) or text(one.get("payment_id")) for one in paid]
    number = text(invoice.get("number")) or text(dig(invoice, "detail.invoice_number"))
    extra = {"invoice_number": number} if number else {}
    return {
        "names": [required_text(invoice, "id"), *ids],
        "value": _positive(value),
        "currency": currency,
        "extra": extra,
    }


READERS: dict[str, tuple[Callable[[Json], Facts], Stage | Kind]] = {
    "CHECKOUT.ORDER.APPROVED": (_order, Stage.ADD_PAYMENT_INFO),
    "PAYMENTS.PAYMENT.CREATED": (_payment, Stage.ADD_PAYMENT_INFO),
    "CHECKOUT.ORDER.COMPLETED": (_order_completed, Stage.PURCHASE),
    "PAYMENT.CAPTURE.COMPLETED": (_sale, Stage.PURCHASE),
    "PAYMENT.SALE.COMPLETED": (_sale, Stage.PURCHASE),
    "INVOICING.INVOICE.PAID": (_invoice, Stage.PURCHASE),
    "CHECKOUT.ORDER.VOIDED": (_order_voided, Stage.LEAD),
    "PAYMENT.CAPTURE.DENIED": (_sale_refused, Stage.LEAD),
    "PAYMENT.CAPTURE.DECLINED": (_sale_refused, Stage.LEAD),
    "PAYMENT.SALE.DENIED": (_sale_refused, Stage.LEAD),
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": (_subscription_unpaid, Stage.LEAD),
    "PAYMENT.CAPTURE.PENDING": (_sale_pending, Kind.PENDING),
    "PAYMENT.SALE.PENDING": (_sale_pending, Kind.PENDING),
    "PAYMENT.CAPTURE.REFUNDED": (_refund, Kind.REFUND),
    "PAYMENT.CAPTURE.REVERSED": (_refund, Kind.REFUND),
    "PAYMENT.SALE.REFUNDED": (_refund, Kind.REFUND),
    "PAYMENT.SALE.REVERSED": (_refund, Kind.REFUND),
    "CUSTOMER.DISPUTE.CREATED": (_dispute, Kind.DISPUTE),
    "CUSTOMER.DISPUTE.UPDATED": (_dispute, Kind.DISPUTE),
    "CUSTOMER.DISPUTE.RESOLVED": (_dispute, Kind.DISPUTE),
    "BILLING.SUBSCRIPTION.CANCELLED": (_subscription, Kind.CANCELLATION),
    "BILLING.SUBSCRIPTION.EXPIRED": (_subscription, Kind.CANCELLATION),
    "BILLING.SUBSCRIPTION.SUSPENDED": (_subscription, Kind.CANCELLATION),
}


def _positive(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("a sale with a negative amount")
    return value


def _take_custom(conversion: Conversion, custom: str | None) -> None:
    if custom is None:
        return
    pairs = tracking_pairs(custom)
    left = read_tracking(conversion, pairs)
    if left or not pairs:
        conversion.extra["custom_id"] = custom

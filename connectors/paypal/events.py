"""PayPal's events as conversions (developer.paypal.com/api/rest/webhooks/event-names)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from connectors.paypal.resources import PATHS, Json, buyer_of, items_of, money, money_back, total, with_links
from hub.contract import Conversion, Inbound, Kind, Stage
from hub.toolkit import event_meanings as meanings
from hub.toolkit.conversion_facts import Facts, first_text, refused, sale_names, told
from hub.toolkit.paths import all_at, dig, required_text, text
from hub.toolkit.tracking import read_tracking, tracking_pairs

SANDBOX = "api.sandbox.paypal.com"
# Dispute outcomes that leave the money with the seller (developer.paypal.com/docs/api/customer-disputes/v1).
KEPT = ("RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER")
BEHIND = (*PATHS["order"], *PATHS["payment"])  # what every telling of one sale names


def read_event(event: Json, inbound: Inbound) -> Conversion:
    """The conversion in ``event``, whose type is one of :data:`READERS`."""
    resource = event["resource"]
    resource = with_links(resource.get("invoice") or resource)  # invoicing v2 wraps it once more
    behind = inbound.fetched.get("resource") or {}
    reader, meaning = READERS[event["event_type"]]
    addresses = [inbound.headers.get("PayPal-Cert-Url", ""), *all_at([event, resource], "[].links[].href")]
    facts: Facts = {
        "event_id": f"{required_text(event, 'id')}:{event['event_type']}",  # the simulator gives several types one id
        "test": any(SANDBOX in str(address) for address in addresses),
        "contact": buyer_of(resource, behind),
        "items": items_of(resource) or items_of(behind),
    }
    times = event.get("create_time"), resource.get("update_time"), resource.get("create_time")
    conversion = told({**facts, **meaning, **reader(resource)}, times, inbound.received_at)
    _take_custom(conversion, first_text(resource, *PATHS["custom"]) or first_text(behind, *PATHS["custom"]))
    return conversion


def _order(order: Json) -> Facts:
    parts = all_at(order, *PATHS["parts_of_order"], *PATHS["references"])
    names = sale_names(required_text(order, "id"), *parts)
    reference = text(dig(order, "purchase_units[0].reference_id"))
    extra = {"reference_id": reference} if reference not in (None, "default") else {}
    return {**names, **total([unit["amount"] for unit in order["purchase_units"]]), "extra": extra}


def _order_completed(order: Json) -> Facts:
    """Completed says that the steps are done; the money may still be awaited."""
    captures = all_at(order, "purchase_units[].payments.captures")
    awaited = bool(captures) and all(one.get("status") == "PENDING" for one in captures)
    return _order(order) | ({"kind": Kind.PENDING, "stage": None} if awaited else {})


def _payment(payment: Json) -> Facts:
    """A v1 payment: approved by the buyer, and often with its completed sale inside."""
    related = all_at(payment, "transactions[].related_resources")
    sales = [one.get("sale") or one.get("capture") or {} for one in related]
    ids = [required_text(payment, "id"), *(sale.get("id") for sale in sales), *all_at(payment, *PATHS["references"])]
    is_paid = any(sale.get("state") == "completed" for sale in sales)
    money_of_all = total([transaction["amount"] for transaction in payment["transactions"]])
    return {**sale_names(*ids), **money_of_all, **({"stage": Stage.PURCHASE} if is_paid else {})}


def _sale(sale: Json) -> Facts:
    """A capture (v2, v1) or sale (v1)."""
    plan = first_text(sale, *PATHS["subscription"])
    own_id = required_text(sale, "id")
    others = all_at(sale, *PATHS["references"])
    names = sale_names(own_id, *others) if plan else sale_names(*all_at(sale, *BEHIND, *PATHS["sale"]), *others)
    return {**names, **money(sale["amount"]), "subscription_id": plan, "recurring": bool(plan)}


def _sale_completed(sale: Json) -> Facts:
    facts = _sale(sale)  # the first charge of a subscription looks like every other
    return facts | {"flags": [meanings.MAYBE_RENEWAL] if facts["recurring"] else []}


def _sale_refused(sale: Json) -> Facts:
    return _sale(sale) | refused(first_text(sale, "status_details.reason", "reason_code"))


def _sale_pending(sale: Json) -> Facts:
    return _sale(sale) | {"reason": first_text(sale, "status_details.reason", "reason_code", "pending_reason")}


def _refund(refund: Json) -> Facts:
    """The resource is the refund, or the reversed sale."""
    why = first_text(refund, "refund_reason_code", "note_to_payer")
    facts = {"money_id": required_text(refund, "id"), "reason": why, **money_back(refund["amount"])}
    return {**facts, **sale_names(*all_at(refund, *BEHIND, *PATHS["refunded"]))}


def _dispute(dispute: Json) -> Facts:
    first, *others = dispute["disputed_transactions"]
    back = dig(dispute, "dispute_outcome.amount_refunded") or dispute["dispute_amount"]
    was_kept = dig(dispute, "dispute_outcome.outcome_code") in KEPT
    also = [text(one.get("seller_transaction_id")) for one in others]  # other sales: never names of this one
    return {
        **sale_names(required_text(first, "seller_transaction_id"), first.get("invoice_number")),
        **money(back),
        **({"value": Decimal(0)} if was_kept else {}),
        "money_id": required_text(dispute, "dispute_id"),
        "reason": text(dispute.get("reason")),
        "extra": {"also_disputed": also} if also else {},
    }


def _subscription(subscription: Json) -> Facts:
    return {"subscription_id": required_text(subscription, "id"), "recurring": True}


def _subscription_unpaid(subscription: Json) -> Facts:
    failed = dig(subscription, "billing_info.last_failed_payment") or {}
    amount = money(failed["amount"]) if failed.get("amount") else {}
    return {**_subscription(subscription), **refused(failed.get("reason_code")), **amount}


def _invoice(invoice: Json) -> Facts:
    number = first_text(invoice, "number", "detail.invoice_number")
    return {
        **sale_names(required_text(invoice, "id"), *all_at(invoice, *PATHS["paid_by"])),
        **money(invoice.get("total_amount") or invoice["amount"]),
        "extra": {"invoice_number": number} if number else {},
    }


READERS: dict[str, tuple[Callable[[Json], Facts], meanings.Meaning]] = {
    "CHECKOUT.ORDER.APPROVED": (_order, meanings.PAYMENT_INFO),
    "PAYMENTS.PAYMENT.CREATED": (_payment, meanings.PAYMENT_INFO),
    "CHECKOUT.ORDER.COMPLETED": (_order_completed, meanings.PURCHASE),
    "PAYMENT.CAPTURE.COMPLETED": (_sale_completed, meanings.PURCHASE),
    "PAYMENT.SALE.COMPLETED": (_sale_completed, meanings.PURCHASE),
    "INVOICING.INVOICE.PAID": (_invoice, meanings.PURCHASE),
    "CHECKOUT.ORDER.VOIDED": (_order, meanings.ABANDONED),
    "PAYMENT.CAPTURE.DENIED": (_sale_refused, meanings.REFUSED),
    "PAYMENT.CAPTURE.DECLINED": (_sale_refused, meanings.REFUSED),
    "PAYMENT.SALE.DENIED": (_sale_refused, meanings.REFUSED),
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": (_subscription_unpaid, meanings.REFUSED),
    "PAYMENT.CAPTURE.PENDING": (_sale_pending, meanings.PENDING),
    "PAYMENT.SALE.PENDING": (_sale_pending, meanings.PENDING),
    "PAYMENT.CAPTURE.REFUNDED": (_refund, meanings.REFUND),
    "PAYMENT.CAPTURE.REVERSED": (_refund, meanings.REFUND),
    "PAYMENT.SALE.REFUNDED": (_refund, meanings.REFUND),
    "PAYMENT.SALE.REVERSED": (_refund, meanings.REFUND),
    "CUSTOMER.DISPUTE.CREATED": (_dispute, meanings.DISPUTE),
    "CUSTOMER.DISPUTE.UPDATED": (_dispute, meanings.DISPUTE),
    "CUSTOMER.DISPUTE.RESOLVED": (_dispute, meanings.DISPUTE),
    "BILLING.SUBSCRIPTION.CANCELLED": (_subscription, meanings.CANCELLATION),
    "BILLING.SUBSCRIPTION.EXPIRED": (_subscription, meanings.CANCELLATION),
    "BILLING.SUBSCRIPTION.SUSPENDED": (_subscription, meanings.CANCELLATION),
}


def _take_custom(conversion: Conversion, custom: str | None) -> None:
    if custom is None:
        return
    pairs = tracking_pairs(custom)
    left = read_tracking(conversion, pairs)
    if left or not pairs:
        conversion.extra["custom_id"] = custom

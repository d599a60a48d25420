"""Stripe's events as conversions (docs.stripe.com/api/events/types, docs.stripe.com/currencies)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.stripe.objects import alias_ids, buyer_of, priced_lines, reference, subscription_of
from hub.contract import Conversion, Inbound, Kind, NotUnderstood, Stage
from hub.toolkit.conversion_facts import Facts, minor_money, refused, told
from hub.toolkit.paths import dig, required_text, text

Json = Mapping[str, Any]
Reader = Callable[[Json, Json], Facts | None]  # of the object, and of the event around it
# Where Stripe's units are not ISO's: ISK and UGX are sent with two decimals for compatibility, MGA without any
# (docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases"; for UGX the special case governs charges).
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}
INSTEAD_OF_PAYMENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.paid")
INSTEAD_OF_CHECKOUT = ("payment_intent.succeeded", "charge.succeeded")
RENEWING = ("subscription_cycle", "subscription_update", "subscription_threshold")
LOST = {"failed", "canceled"}  # a refund with this status gave nothing back
NOTES = ("client_reference_id", "payment_link", "number", "billing_reason")  # kept as they are


def read_event(event: Json, inbound: Inbound, settings: Json) -> list[Conversion]:
    """The conversion in ``event``, whose type is one of :data:`READERS`; [] when it means nothing to us."""
    thing = event["data"]["object"]
    facts = READERS[event["type"]](thing, event)
    if facts is None or _is_told_twice(event["type"], facts, settings["purchase_events"]):
        return []
    ids = alias_ids(thing, inbound.fetched)
    currency = facts.get("currency") or thing.get("currency")
    notes = {name: said for name in NOTES if (said := text(thing.get(name)))}
    facts |= {
        "event_id": required_text(event, "id"),
        "order_id": ids[0] if ids else None,
        "order_aliases": ids[1:],
        "subscription_id": subscription_of(thing),
        "test": event["livemode"] is not True,
        "contact": buyer_of(thing),
        "items": priced_lines(thing, inbound.fetched, currency, EXPONENTS),
        "coupon": _coupon(thing),
        "extra": {**facts.get("extra", {}), **notes},
    }
    from_plan = dig(thing, "parent.subscription_details.metadata") or dig(thing, "subscription_details.metadata") or {}
    metadata = {**from_plan, **(thing.get("metadata") or {})}
    return [told(facts, (event.get("created"), thing.get("created")), inbound.received_at, metadata=metadata)]


def _is_told_twice(kind: str, facts: Facts, purchase_events: str) -> bool:
    if purchase_events == "checkout":
        return kind in INSTEAD_OF_CHECKOUT
    return kind in INSTEAD_OF_PAYMENTS and facts.get("stage") is Stage.PURCHASE


def _paid(amount: str) -> Reader:
    """A payment whose amount stands at ``amount``."""
    return lambda thing, _event: {"stage": Stage.PURCHASE, "recurring": _is_plan(thing), **_money(thing, amount)}


def _failed(amount: str, words: str) -> Reader:
    """A payment that was refused; at ``words`` it says why."""
    return lambda thing, _event: {**refused(dig(thing, words)), "recurring": _is_plan(thing), **_money(thing, amount)}


def _session_completed(session: Json, event: Json) -> Facts | None:
    if session["mode"] == "setup":
        return {"stage": Stage.ADD_PAYMENT_INFO}
    if session["payment_status"] == "unpaid":
        return {"kind": Kind.PENDING, **_money(session, "amount_total")}
    if session["payment_status"] not in ("paid", "no_payment_required"):
        raise NotUnderstood("The Checkout session's payment status is new to us.")
    return _paid("amount_total")(session, event)


def _session_failed(session: Json, _event: Json) -> Facts | None:
    return {**refused(), **_total_if_any(session)}


def _session_expired(session: Json, _event: Json) -> Facts | None:
    found = text(dig(session, "after_expiration.recovery.url"))
    extra = {"recovery_url": found} if found else {}
    return {"stage": Stage.LEAD, "reason": "abandoned", "extra": extra, **_total_if_any(session)}


def _invoice_paid(invoice: Json, event: Json) -> Facts | None:
    kind = Kind.RENEWAL if invoice["billing_reason"] in RENEWING else Kind.CONVERSION
    return {"kind": kind, **(_paid("amount_paid")(invoice, event) or {})}


def _charge_succeeded(charge: Json, event: Json) -> Facts | None:
    if not charge["captured"]:
        return {"kind": Kind.PENDING, **_money(charge, "amount")}
    return _paid("amount_captured")(charge, event)


def _charge_refunded(charge: Json, event: Json) -> Facts | None:
    """``amount_refunded`` is the sum of all refunds so far: this one is what it grew by."""
    before = dig(event, "data.previous_attributes.amount_refunded")
    last = dig(charge, "refunds.data[0]") or {}  # the newest; left out by API versions from 2022-11-15 on
    grown = charge["amount_refunded"] - before if before is not None else last.get("amount", charge["amount_refunded"])
    money = minor_money(grown, charge["currency"], EXPONENTS)
    if not money["value"]:
        raise NotUnderstood("The refund does not say how much was given back.")
    money_id = text(last.get("id"))
    flags = [] if money_id else ["refund_id_unknown"]
    if before is None and not last:
        flags.append("refund_amount_assumed_first")
    return {"kind": Kind.REFUND, "money_id": money_id, "flags": flags, **money}


def _refund(refund: Json, _event: Json) -> Facts | None:
    facts = {"kind": Kind.REFUND, "money_id": required_text(refund, "id"), **_money(refund, "amount")}
    if refund["status"] in LOST:
        return facts | {"value": Decimal(0), "reason": refused(refund.get("failure_reason"))["reason"]}
    return facts


def _dispute(dispute: Json, _event: Json) -> Facts | None:
    facts = {"kind": Kind.DISPUTE, "money_id": required_text(dispute, "id"), "reason": text(dispute.get("reason"))}
    won = dispute["status"] in ("won", "warning_closed")
    return {**facts, **_money(dispute, "amount"), **({"value": Decimal(0)} if won else {})}


def _subscription_created(subscription: Json, _event: Json) -> Facts | None:
    if subscription["status"] != "trialing":
        return None
    return {"stage": Stage.COMPLETE_REGISTRATION, "recurring": True}


def _subscription_updated(subscription: Json, event: Json) -> Facts | None:
    changed = event["data"].get("previous_attributes")
    if subscription["status"] != "past_due" or (changed and "status" not in changed):
        return None
    return {**refused(), "recurring": True}


def _subscription_ended(subscription: Json, _event: Json) -> Facts | None:
    why = text(dig(subscription, "cancellation_details.reason"))
    return {"kind": Kind.CANCELLATION, "recurring": True, "reason": why}


READERS: dict[str, Reader] = {
    "checkout.session.completed": _session_completed,
    "checkout.session.async_payment_succeeded": _paid("amount_total"),
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _failed("amount_due", "last_finalization_error.message"),
    "payment_intent.succeeded": _paid("amount_received"),
    "payment_intent.payment_failed": _failed("amount", "last_payment_error.message"),
    "charge.succeeded": _charge_succeeded,
    "charge.failed": _failed("amount", "failure_message"),
    "charge.refunded": _charge_refunded,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.closed": _dispute,
    "customer.subscription.created": _subscription_created,
    "customer.subscription.updated": _subscription_updated,
    "customer.subscription.deleted": _subscription_ended,
}


def _is_plan(thing: Json) -> bool:
    return thing.get("mode") == "subscription" or str(thing.get("billing_reason")).startswith("subscription")


def _money(thing: Json, amount: str) -> Facts:
    return minor_money(thing[amount], thing["currency"], EXPONENTS)


def _total_if_any(session: Json) -> Facts:
    is_known = session.get("amount_total") is not None and session.get("currency")
    return _money(session, "amount_total") if is_known else {}


def _coupon(thing: Json) -> str | None:
    paths = ("discounts[0].promotion_code", "discounts[0].coupon", "discount.coupon.name", "discount.coupon.id")
    return next((code for path in paths if (code := reference(dig(thing, path)))), None)

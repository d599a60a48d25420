"""Stripe's events as conversions (docs.stripe.com/api/events/types, docs.stripe.com/currencies)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.stripe.objects import address_of, alias_ids, person_of, priced_lines, reference, subscription_of
from hub.contract import Conversion, Inbound, Kind, NotUnderstood, Stage
from hub.contract.dates import first_time
from hub.contract.money import currency_code, from_minor
from hub.contract.paths import dig, required_text, text
from hub.contract.tracking import read_tracking

Json = Mapping[str, Any]
Facts = dict[str, Any]  # arguments of Conversion
# Where Stripe's units are not ISO's: ISK and UGX are sent with two decimals for compatibility, MGA without any
# (docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases"; for UGX the special case governs charges).
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}
INSTEAD_OF_PAYMENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.paid")
INSTEAD_OF_CHECKOUT = ("payment_intent.succeeded", "charge.succeeded")
RENEWING = ("subscription_cycle", "subscription_update", "subscription_threshold")
LOST = {"failed", "canceled"}  # a refund with this status gave nothing back


def read_event(event: Json, inbound: Inbound, settings: Json) -> list[Conversion]:
    """The conversion in ``event``, whose type is one of :data:`READERS`; [] when it means nothing to us."""
    thing = event["data"]["object"]
    facts = READERS[event["type"]](thing, event)
    if facts is None or _is_told_twice(event["type"], facts, settings["purchase_events"]):
        return []
    occurred_at, date_flags = first_time(event.get("created"), thing.get("created"), fallback=inbound.received_at)
    ids = alias_ids(thing, inbound.fetched)
    currency = facts.get("currency") or thing.get("currency")
    conversion = Conversion(
        event_id=required_text(event, "id"),
        occurred_at=occurred_at,
        order_id=ids[0] if ids else None,
        order_aliases=ids[1:],
        subscription_id=subscription_of(thing),
        test=event["livemode"] is not True,
        contact=address_of(thing, person_of(thing)),
        items=priced_lines(thing, inbound.fetched, currency, EXPONENTS),
        coupon=_coupon(thing),
        **facts,
    )
    conversion.flags += date_flags
    _take_metadata(conversion, thing)
    return [conversion]


def _is_told_twice(kind: str, facts: Facts, purchase_events: str) -> bool:
    if purchase_events == "checkout":
        return kind in INSTEAD_OF_CHECKOUT
    return kind in INSTEAD_OF_PAYMENTS and facts.get("stage") is Stage.PURCHASE


def _session_completed(session: Json, event: Json) -> Facts | None:
    if session["mode"] == "setup":
        return {"stage": Stage.ADD_PAYMENT_INFO}
    if session["payment_status"] == "unpaid":
        return {"kind": Kind.PENDING, **_money(session["amount_total"], session)}
    if session["payment_status"] not in ("paid", "no_payment_required"):
        raise NotUnderstood("The Checkout session's payment status is new to us.")
    return _session_paid(session, event)


def _session_paid(session: Json, _event: Json) -> Facts | None:
    is_plan = session["mode"] == "subscription"
    return {"stage": Stage.PURCHASE, "recurring": is_plan, **_money(session["amount_total"], session)}


def _session_failed(session: Json, _event: Json) -> Facts | None:
    return {"stage": Stage.LEAD, "reason": "refused", **_money_if_any(session.get("amount_total"), session)}


def _session_expired(session: Json, _event: Json) -> Facts | None:
    found = {"recovery_url": text(dig(session, "after_expiration.recovery.url"))}
    extra = {name: value for name, value in found.items() if value}
    money = _money_if_any(session.get("amount_total"), session)
    return {"stage": Stage.LEAD, "reason": "abandoned", "extra": extra, **money}


def _invoice_paid(invoice: Json, _event: Json) -> Facts | None:
    why = str(invoice["billing_reason"])
    kind = Kind.RENEWAL if why in RENEWING else Kind.CONVERSION
    is_plan = why.startswith("subscription")
    return {"kind": kind, "stage": Stage.PURCHASE, "recurring": is_plan, **_money(invoice["amount_paid"], invoice)}


def _invoice_failed(invoice: Json, _event: Json) -> Facts | None:
    words = text(dig(invoice, "last_finalization_error.message"))
    renews = str(invoice.get("billing_reason")).startswith("subscription")
    return {**_refused(words), "recurring": renews, **_money(invoice["amount_due"], invoice)}


def _intent_succeeded(intent: Json, _event: Json) -> Facts | None:
    return {"stage": Stage.PURCHASE, **_money(intent["amount_received"], intent)}


def _intent_failed(intent: Json, _event: Json) -> Facts | None:
    words = text(dig(intent, "last_payment_error.message"))
    return {**_refused(words), **_money(intent["amount"], intent)}


def _charge_succeeded(charge: Json, _event: Json) -> Facts | None:
    if not charge["captured"]:
        return {"kind": Kind.PENDING, **_money(charge["amount"], charge)}
    return {"stage": Stage.PURCHASE, **_money(charge["amount_captured"], charge)}


def _charge_failed(charge: Json, _event: Json) -> Facts | None:
    return {**_refused(text(charge.get("failure_message"))), **_money(charge["amount"], charge)}


def _charge_refunded(charge: Json, event: Json) -> Facts | None:
    """``amount_refunded`` is the sum of all refunds so far: this one is what it grew by."""
    before = dig(event, "data.previous_attributes.amount_refunded")
    last = dig(charge, "refunds.data[0]") or {}  # the newest; left out by API versions from 2022-11-15 on
    grown = charge["amount_refunded"] - before if before is not None else last.get("amount", charge["amount_refunded"])
    money = _money(grown, charge)
    if not money["value"]:
        raise NotUnderstood("The refund does not say how much was given back.")
    money_id = text(last.get("id"))
    flags = [] if money_id else ["refund_id_unknown"]
    if before is None and not last:
        flags.append("refund_amount_assumed_first")
    return {"kind": Kind.REFUND, "money_id": money_id, "flags": flags, **money}


def _refund(refund: Json, _event: Json) -> Facts | None:
    money = _money(refund["amount"], refund)
    facts = {"kind": Kind.REFUND, "money_id": required_text(refund, "id"), **money}
    if refund["status"] in LOST:
        words = text(refund.get("failure_reason"))
        return facts | {"value": Decimal(0), "reason": f"refused: {words}" if words else "refused"}
    return facts


def _dispute(dispute: Json, _event: Json) -> Facts | None:
    money = _money(dispute["amount"], dispute)
    if dispute["status"] in ("won", "warning_closed"):
        money["value"] = Decimal(0)
    return {
        "kind": Kind.DISPUTE,
        "money_id": required_text(dispute, "id"),
        "reason": text(dispute.get("reason")),
        **money,
    }


def _subscription_created(subscription: Json, _event: Json) -> Facts | None:
    if subscription["status"] != "trialing":
        return None
    return {"stage": Stage.COMPLETE_REGISTRATION, "recurring": True}


def _subscription_updated(subscription: Json, event: Json) -> Facts | None:
    changed = event["data"].get("previous_attributes")
    if subscription["status"] != "past_due" or (changed and "status" not in changed):
        return None
    return {**_refused(None), "recurring": True}


def _subscription_ended(subscription: Json, _event: Json) -> Facts | None:
    why = text(dig(subscription, "cancellation_details.reason"))
    return {"kind": Kind.CANCELLATION, "recurring": True, "reason": why}


READERS: dict[str, Callable[[Json, Json], Facts | None]] = {
    "checkout.session.completed": _session_completed,
    "checkout.session.async_payment_succeeded": _session_paid,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.payment_failed": _intent_failed,
    "charge.succeeded": _charge_succeeded,
    "charge.failed": _charge_failed,
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


def _refused(words: str | None) -> Facts:
    return {"stage": Stage.LEAD, "reason": f"refused: {words}" if words else "refused"}


def _money(minor: Any, thing: Json) -> Facts:
    currency = currency_code(thing["currency"])
    value = from_minor(minor, currency, EXPONENTS)
    if currency is None or value is None or value < 0:
        raise ValueError("an amount of zero or more needs a number and a known currency")
    return {"value": value, "currency": currency}


def _money_if_any(minor: Any, thing: Json) -> Facts:
    return {} if minor is None or not thing.get("currency") else _money(minor, thing)


def _coupon(thing: Json) -> str | None:
    paths = ("discounts[0].promotion_code", "discounts[0].coupon", "discount.coupon.name", "discount.coupon.id")
    return next((code for path in paths if (code := reference(dig(thing, path)))), None)


def _take_metadata(conversion: Conversion, thing: Json) -> None:
    from_plan = dig(thing, "parent.subscription_details.metadata") or dig(thing, "subscription_details.metadata") or {}
    left = read_tracking(conversion, {**from_plan, **(thing.get("metadata") or {})})
    for name in ("client_reference_id", "payment_link", "number", "billing_reason"):
        if text(thing.get(name)):
            conversion.extra[name] = text(thing[name])
    if left:
        conversion.extra["metadata"] = left

"""Thinkific's events as conversions (developers.thinkific.com/api/using-webhooks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hub.contract import Contact, Conversion, Item, Kind, NotUnderstood, Stage
from hub.contract.money import currency_code, decimal, exponent, from_minor
from hub.toolkit.dates import parse_time
from hub.toolkit.paths import required_text, text

Json = Mapping[str, Any]
TEST_MARK = "[TEST]"  # how the admin page's "send test" begins names and addresses
# A first charge follows its order within seconds; a rebill comes a week later at the earliest.
FIRST_CHARGE_WITHIN = timedelta(days=1)


def _order_created(order: Json, settings: Json) -> Conversion:
    conversion = _sale(order)
    conversion.stage = Stage.PURCHASE
    conversion.currency = settings["currency"] or None
    conversion.value = _not_negative(_order_total(order, conversion.currency))
    for item, line in zip(conversion.items, order.get("items") or [order], strict=False):
        item.price = from_minor(line.get("amount_cents"), conversion.currency)
    return conversion


def _charged(transaction: Json, settings: Json) -> Conversion:
    conversion, _ = _charge(transaction, settings)
    conversion.value = _not_negative(conversion.value)
    conversion.kind = Kind.RENEWAL if _is_rebill(transaction) else Kind.CONVERSION
    conversion.stage = Stage.PURCHASE
    return conversion


def _charge_failed(transaction: Json, settings: Json) -> Conversion:
    conversion, _ = _charge(transaction, settings)
    conversion.stage = Stage.LEAD
    conversion.value = _not_negative(conversion.value)
    conversion.reason = "refused"
    return conversion


def _refunded(transaction: Json, settings: Json) -> Conversion:
    conversion, unit = _charge(transaction, settings)
    conversion.kind = Kind.REFUND
    conversion.money_id = required_text(transaction, "id")
    amount = decimal(transaction.get("refunded_amount"))
    if amount is not None:
        conversion.value = abs(_in_unit(amount, unit, conversion.currency))
    elif transaction["refunded"] is True:
        conversion.value = abs(conversion.value or Decimal(0))
        conversion.flags.append("refund_amount_assumed_whole")
    else:
        raise NotUnderstood("The refund does not say how much was given back.")
    return conversion


def _subscription_ended(subscription: Json, _settings: Json) -> Conversion:
    conversion = _about(subscription["user"])
    conversion.kind = Kind.CANCELLATION
    conversion.recurring = True
    conversion.subscription_id = required_text(subscription, "id")
    return conversion


def _subscription_unpaid(subscription: Json, settings: Json) -> Conversion:
    conversion = _subscription_ended(subscription, settings)
    conversion.kind, conversion.stage = Kind.CONVERSION, Stage.LEAD
    conversion.reason = "refused"
    return conversion


def _enrolled(enrollment: Json, _settings: Json) -> Conversion:
    conversion = _about(enrollment["user"])
    conversion.stage = Stage.COMPLETE_REGISTRATION
    course = enrollment.get("course") or {}
    name = course.get("name")
    conversion.items = [Item(product_id=text(course.get("id") or enrollment.get("course_id")), name=_unmarked(name))]
    conversion.test |= _is_test(name)
    return conversion


def _signed_up(person: Json, _settings: Json) -> Conversion:
    conversion = _about(person)
    conversion.stage = Stage.COMPLETE_REGISTRATION
    return conversion


def _lead_created(person: Json, settings: Json) -> Conversion:
    conversion = _signed_up(person, settings)
    conversion.contact.external_id = None  # leads are numbered apart from users
    conversion.consent.email = person["subscribed"] if isinstance(person.get("subscribed"), bool) else None
    return conversion


def _updated(person: Json, _settings: Json) -> Conversion:
    conversion = _about(person)
    conversion.kind = Kind.CONTACT
    return conversion


Reader = Callable[[Json, Json], Conversion]
READERS: dict[str, tuple[Reader, str]] = {  # topic: its reader, and the payload's key for when it happened
    "order.created": (_order_created, "created_at"),
    "order_transaction.succeeded": (_charged, "created_at"),
    "order_transaction.failed": (_charge_failed, "created_at"),
    "order_transaction.refunded": (
        _refunded,
        "",
    ),  # its created_at is the charge's: the envelope's time is the refund's
    "subscription.cancelled": (_subscription_ended, "cancelled_at"),
    "subscription.canceled": (_subscription_ended, "cancelled_at"),
    "subscription.past_due": (_subscription_unpaid, ""),
    "subscription.unpaid": (_subscription_unpaid, ""),
    "enrollment.created": (_enrolled, "created_at"),
    "enrollment.trial": (_enrolled, "created_at"),
    "user.signup": (_signed_up, "created_at"),
    "user.updated": (_updated, "updated_at"),
    "lead.created": (_lead_created, "created_at"),
}


def _about(person: Json) -> Conversion:
    words = (person.get("email"), person.get("first_name"), person.get("last_name"))
    email, first, last = (_unmarked(word) for word in words)
    contact = Contact(email=email, first_name=first, last_name=last, external_id=text(person["id"]))
    return Conversion(event_id="", contact=contact, test=any(map(_is_test, words)))


def _sale(order: Json) -> Conversion:
    conversion = _about(order["user"])
    conversion.order_id = required_text(order, "id")
    number = text(order.get("order_number"))
    conversion.order_aliases = [number] if number else []  # the thank-you page knows only the number
    conversion.coupon = text((order.get("coupon") or {}).get("code"))
    conversion.items = [_item(line) for line in order.get("items") or [order]]
    conversion.recurring = "subscription" in str(order.get("payment_type") or "").lower()
    for key in ("payment_type", "affiliate_referral_code", "billing_name"):
        if text(order.get(key)):
            conversion.extra[key] = text(order[key])
    return conversion


def _charge(transaction: Json, settings: Json) -> tuple[Conversion, str]:
    """The charge, valued by itself (a payment plan repeats the whole order each time), and its amounts' unit."""
    order = transaction["order"]
    conversion = _sale(order)
    given = text(transaction["currency"])  # one we do not know is kept, and parks the message: never the default's
    conversion.currency = currency_code(given) or given or settings["currency"] or None
    amount = decimal(transaction["amount"])
    if amount is None:
        raise ValueError("a transaction without an amount")
    unit = settings["amount_unit"]
    if unit == "auto":
        unit, is_certain = _guess_unit(abs(amount), order)
        conversion.flags += [] if is_certain else ["amount_unit_guessed"]
    conversion.value = _in_unit(amount, unit, conversion.currency)
    transaction_id = conversion.extra["transaction_id"] = required_text(transaction, "id")
    if _is_rebill(transaction):
        conversion.recurring = True
        # Each rebill is a sale of its own: one id for all of them would leave only the last.
        conversion.order_id, conversion.order_aliases = f"{conversion.order_id}/{transaction_id}", []
    return conversion, unit


def _is_rebill(transaction: Json) -> bool:
    """Whether it was charged long after its order; a refund still carries the time of its charge."""
    ordered, charged = parse_time(transaction["order"].get("created_at")), parse_time(transaction.get("created_at"))
    return bool(ordered and charged and charged - ordered > FIRST_CHARGE_WITHIN)


def _guess_unit(amount: Decimal, order: Json) -> tuple[str, bool]:
    """("major" or "minor", whether the order proves it): a charge equals its order, or is at most a part of it."""
    total = _order_total(order, None)
    if amount == total or amount != amount.to_integral_value():
        return "major", True
    if amount == total * 100:
        return "minor", True
    return ("major" if amount <= total else "minor"), False


def _in_unit(amount: Decimal, unit: str, currency: str | None) -> Decimal:
    return amount if unit == "major" else amount.scaleb(-exponent(currency))


def _order_total(order: Json, currency: str | None) -> Decimal:
    total = from_minor(order.get("amount_cents"), currency)
    if total is None:
        total = decimal(order["amount_dollars"])
    if total is None:
        raise ValueError("an order without an amount")
    return total


def _item(line: Json) -> Item:
    return Item(product_id=text(line.get("product_id")), name=_unmarked(line.get("product_name")))


def _not_negative(amount: Decimal | None) -> Decimal:
    if amount is None or amount < 0:
        raise ValueError("a sale needs an amount of zero or more")
    return amount


def _is_test(word: Any) -> bool:
    return isinstance(word, str) and word.strip().startswith(TEST_MARK)


def _unmarked(word: Any) -> str | None:
    return text(str(word).strip().removeprefix(TEST_MARK)) if isinstance(word, str) else text(word)

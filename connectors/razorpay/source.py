"""Razorpay webhooks: set-up and events (razorpay/markdown-docs, webhooks/; razorpay.com/docs/webhooks)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from hub.contract import Conversion, Inbound, Snippet
from hub.contract.settings import Mode
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.conversion_facts import Facts, first_text, minor_money, read_person, refused, sale_names, told
from hub.toolkit.hmac_source import HmacSource, OwnSecret
from hub.toolkit.paths import dig, required_text, text

NO_EMAIL = "void@razorpay.com"  # what Razorpay writes when the buyer need not give one: it would join strangers
Things = Mapping[str, Any]  # the message's payment, order, refund …, each by its name
_BUYER = {
    "email": ("payment.email", "payment_link.customer.email", "invoice.customer_details.email"),
    "phone": ("payment.contact", "payment_link.customer.contact", "invoice.customer_details.contact"),
    "name": ("payment_link.customer.name", "invoice.customer_details.name", "payment.card.name"),
    "external_id": ("payment.customer_id", "subscription.customer_id", "invoice.customer_id"),
}


class RazorpaySettings(OwnSecret):
    mode = Mode()


class Razorpay(HmacSource):
    """Payments, orders, payment links, invoices, subscriptions and refunds of a Razorpay account."""

    slug = "razorpay"
    name = "Razorpay"
    category = Category.PAYMENTS
    homepage = "https://razorpay.com"
    Settings = RazorpaySettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.DISPUTE, Kind.CONTACT}
    signature_header = "X-Razorpay-Signature"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Razorpay Dashboard › Account & Settings › Webhooks › Add New Webhook",
            "Dashboard Razorpay › Account & Settings › Webhooks › Add New Webhook",
        ),
        events=(
            "payment.authorized",
            "payment.captured",
            "payment.failed",
            "order.paid",
            "payment_link.paid",
            "payment_link.expired",
            "payment_link.cancelled",
            "invoice.paid",
            "subscription.charged",
            "subscription.cancelled",
            "refund.created",
            "refund.processed",
            "refund.failed",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        reader, subject = _READERS.get(event["event"], (None, ""))
        things: Things = {name: found["entity"] for name, found in event["payload"].items() if "entity" in found}
        for thing in things.values():
            if thing.get("email") == NO_EMAIL:
                thing["email"] = None
        facts = reader(things) if reader else None
        if facts is None:
            return []
        number = required_text(things, _ID_OF.get(event["event"], f"{subject}.id"))
        found = {"receipt": first_text(things, "order.receipt"), "method": first_text(things, "payment.method")}
        facts |= {
            "event_id": f"{event['event']}:{number}",
            "contact": read_person(things, _BUYER),
            "test": settings["mode"] == "sandbox",
            "extra": {name: value for name, value in found.items() if value},
        }
        notes = {name: value for each in things.values() for name, value in (each.get("notes") or {}).items()}
        times = (event.get("created_at"), things[subject].get("created_at"))
        return [told(facts, times, inbound.received_at, notes=notes)]


def _captured(things: Things) -> Facts | None:
    """An invoice's payment is told by ``invoice.paid``, a subscription's by ``subscription.charged``."""
    payment = things["payment"]
    return None if text(payment.get("invoice_id")) else {**_paid(things), "stage": Stage.PURCHASE}


def _order_paid(things: Things) -> Facts | None:
    order = things["order"]
    facts = _captured(things)
    return facts and facts | minor_money(order.get("amount_paid") or order["amount"], order["currency"])


def _authorized(things: Things) -> Facts | None:
    return {**_paid(things), "kind": Kind.PENDING}


def _failed(things: Things) -> Facts | None:
    return {**_paid(things), **refused(first_text(things, "payment.error_description", "payment.error_code"))}


def _link_paid(things: Things) -> Facts | None:
    names = sale_names(dig(things, "order.id") or dig(things, "payment.order_id"), *_names_of_link(things))
    return {**_paid(things), "stage": Stage.PURCHASE, **names}


def _link_given_up(things: Things) -> Facts | None:
    link = things["payment_link"]
    money = minor_money(link["amount"], link["currency"])
    return {"stage": Stage.LEAD, "reason": "abandoned", **sale_names(*_names_of_link(things)), **money}


def _invoice_paid(things: Things) -> Facts | None:
    invoice = things["invoice"]
    if text(invoice.get("subscription_id")):
        return None
    names = sale_names(invoice.get("order_id"), required_text(invoice, "id"), invoice.get("payment_id"))
    return {"stage": Stage.PURCHASE, **names, **minor_money(invoice["amount_paid"], invoice["currency"])}


def _charged(things: Things) -> Facts | None:
    """The first charge of a subscription is the sale, the later ones renew it."""
    plan = things["subscription"]
    kind = Kind.CONVERSION if plan.get("paid_count") == 1 else Kind.RENEWAL
    number = required_text(plan, "id")
    return {**_paid(things), "kind": kind, "stage": Stage.PURCHASE, "recurring": True, "subscription_id": number}


def _cancelled(things: Things) -> Facts | None:
    return {"kind": Kind.CANCELLATION, "recurring": True, "subscription_id": required_text(things, "subscription.id")}


def _refunded(things: Things) -> Facts | None:
    """Of this refund; the payment's ``amount_refunded`` is of all so far. One that failed gave nothing back."""
    refund = things["refund"]
    facts = {
        "kind": Kind.REFUND,
        "money_id": required_text(refund, "id"),
        "reason": text(dig(refund, "notes.reason")),
        **sale_names(dig(things, "payment.order_id"), required_text(refund, "payment_id")),
        **minor_money(refund["amount"], refund["currency"]),
    }
    return facts | {"value": Decimal(0), "reason": "refused"} if refund.get("status") == "failed" else facts


Reader = Callable[[Things], Facts | None]
_READERS: dict[str, tuple[Reader, str]] = {  # event: its reader, and what it is about
    "payment.authorized": (_authorized, "payment"),
    "payment.captured": (_captured, "payment"),
    "payment.failed": (_failed, "payment"),
    "order.paid": (_order_paid, "order"),
    "payment_link.paid": (_link_paid, "payment_link"),
    "payment_link.expired": (_link_given_up, "payment_link"),
    "payment_link.cancelled": (_link_given_up, "payment_link"),
    "invoice.paid": (_invoice_paid, "invoice"),
    "subscription.charged": (_charged, "subscription"),
    "subscription.cancelled": (_cancelled, "subscription"),
    "refund.created": (_refunded, "refund"),
    "refund.processed": (_refunded, "refund"),
    "refund.failed": (_refunded, "refund"),
}
_ID_OF = {"subscription.charged": "payment.id"}  # the event's own id stands in a header only, which nothing signs


def _paid(things: Things) -> Facts:
    payment = things["payment"]
    names = sale_names(payment.get("order_id"), required_text(payment, "id"), payment.get("invoice_id"))
    return {**names, **minor_money(payment["amount"], payment["currency"])}


def _names_of_link(things: Things) -> tuple[Any, ...]:
    link = things["payment_link"]
    return dig(things, "payment.id"), required_text(link, "id"), link.get("reference_id")

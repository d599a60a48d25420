"""Lemon Squeezy webhooks: set-up and events (docs.lemonsqueezy.com/help/webhooks, docs.lemonsqueezy.com/api)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Conversion, Inbound, Snippet
from hub.contract.money import EXPONENTS, from_minor
from hub.contract.settings import Switch
from hub.contract.vocabulary import Category, Kind, Stage, Status, Text
from hub.toolkit.conversion_facts import Facts, minor_money, read_items, read_person, refused, sale_names, told
from hub.toolkit.hmac_source import HmacSource, OwnSecret
from hub.toolkit.paths import required_text, text

Json = Mapping[str, Any]
_HUNDREDTHS = dict.fromkeys(EXPONENTS, 2)
_BUYER = {"email": "user_email", "name": "user_name", "external_id": "customer_id"}
_ITEM = {"product_id": "product_id", "sku": "variant_id", "name": "product_name", "quantity": "quantity"}


class LemonSqueezySettings(OwnSecret):
    hundredths = Switch(
        Text("Amounts are hundredths in every currency", "Montants en centièmes dans toute devise"),
        help=Text(
            "Switch on if amounts in yen or other currencies without cents come out a hundred times too high. Lemon Squeezy "
            "does not document their unit.",
            "À activer si les montants en yens ou autres devises sans centimes sont cent fois trop élevés. Lemon Squeezy ne "
            "documente pas leur unité.",
        ),
    )


class LemonSqueezy(HmacSource):
    """Orders, refunds and subscriptions of a Lemon Squeezy store."""

    slug = "lemonsqueezy"
    name = "Lemon Squeezy"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://www.lemonsqueezy.com"
    Settings = LemonSqueezySettings
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.DISPUTE, Kind.CONTACT}
    signature_header = "X-Signature"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text("Lemon Squeezy › Settings › Webhooks › +", "Lemon Squeezy › Settings › Webhooks › +"),
        events=(
            "order_created",
            "order_refunded",
            "subscription_created",
            "subscription_payment_success",
            "subscription_payment_failed",
            "subscription_payment_recovered",
            "subscription_payment_refunded",
            "subscription_cancelled",
            "subscription_expired",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        message = inbound.json()
        meta, thing = message["meta"], message["data"]
        reader, found = _READERS.get(meta["event_name"], _not_used), thing["attributes"]
        exponents = _HUNDREDTHS if settings["hundredths"] else None
        facts = reader({**found, "id": required_text(thing, "id")}, exponents)
        if facts is None:
            return []
        facts |= {
            "event_id": ":".join([meta["event_name"], required_text(thing, "id"), text(found.get("updated_at")) or ""]),
            "test": found.get("test_mode") is True or meta.get("test_mode") is True,
            "contact": read_person(found, _BUYER),
        }
        times = (found.get(facts.pop("when", "updated_at")), found.get("created_at"))
        return [told(facts, times, inbound.received_at, custom_data=meta.get("custom_data"))]


Exponents = dict[str, int] | None
Reader = Callable[[Json, Exponents], Facts | None]


def _not_used(_thing: Json, _exponents: Exponents) -> None:
    return None


def _order_created(order: Json, exponents: Exponents) -> Facts:
    return {**_order(order, exponents), **_STATES.get(order["status"], {"stage": Stage.PURCHASE}), "when": "created_at"}


_STATES: dict[str, Facts] = {"failed": refused(), "pending": {"kind": Kind.PENDING}}


def _order_refunded(order: Json, exponents: Exponents) -> Facts:
    return _refunded(_order(order, exponents), order, exponents)


def _order(order: Json, exponents: Exponents) -> Facts:
    item, number = order.get("first_order_item"), text(order.get("order_number"))
    return {
        "extra": {"order_number": number} if number else {},
        **sale_names(order["id"], order.get("identifier")),
        **minor_money(order["total"], order["currency"], exponents),
        "items": read_items([item], _ITEM, lambda line: from_minor(line.get("price"), order["currency"], exponents)),
    }


def _refunded(whole: Facts, thing: Json, exponents: Exponents) -> Facts:
    """``refunded_amount`` is of all refunds so far, and none has an id: they are kept as one that grows."""
    facts = {**whole, "kind": Kind.REFUND, "money_id": f"{whole['order_id']}:refunds"}
    if thing.get("refunded_amount") is None:
        return facts | {"flags": ["refund_amount_assumed_whole"]}
    return {**facts, **minor_money(thing["refunded_amount"], thing["currency"], exponents), "when": "refunded_at"}


def _paid(invoice: Json, exponents: Exponents) -> Facts | None:
    """The first invoice of a subscription is the same sale as its order, which ``order_created`` tells."""
    facts = {**_invoice(invoice, exponents), "kind": Kind.RENEWAL, "stage": Stage.PURCHASE, "when": "created_at"}
    return None if invoice["billing_reason"] == "initial" else facts


def _failed(invoice: Json, exponents: Exponents) -> Facts:
    return {**_invoice(invoice, exponents), **refused()}


def _payment_refunded(invoice: Json, exponents: Exponents) -> Facts | None:
    is_order = invoice["billing_reason"] == "initial"
    return None if is_order else _refunded(_invoice(invoice, exponents), invoice, exponents)


def _invoice(invoice: Json, exponents: Exponents) -> Facts:
    """Invoices are numbered apart from orders."""
    return {
        **sale_names(f"invoice {invoice['id']}"),
        **minor_money(invoice["total"], invoice["currency"], exponents),
        "recurring": True,
        "subscription_id": required_text(invoice, "subscription_id"),
    }


def _trial(subscription: Json, _exponents: Exponents) -> Facts | None:
    is_trial = subscription["status"] == "on_trial"
    return {**_subscription(subscription), "stage": Stage.COMPLETE_REGISTRATION} if is_trial else None


def _ended(subscription: Json, _exponents: Exponents) -> Facts:
    return {**_subscription(subscription), "kind": Kind.CANCELLATION}


def _subscription(subscription: Json) -> Facts:
    names = sale_names(subscription.get("order_id"), f"subscription {subscription['id']}")
    return {**names, "recurring": True, "subscription_id": subscription["id"]}


_READERS: dict[str, Reader] = {
    "order_created": _order_created,
    "order_refunded": _order_refunded,
    "subscription_created": _trial,
    "subscription_payment_success": _paid,
    "subscription_payment_recovered": _paid,
    "subscription_payment_failed": _failed,
    "subscription_payment_refunded": _payment_refunded,
    "subscription_cancelled": _ended,
    "subscription_expired": _ended,
}

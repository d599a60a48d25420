"""ThriveCart's account webhook (support.thrivecart.com/help/using-webhook-notifications)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Headers,
    Inbound,
    Kind,
    Reply,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Status,
    Text,
)
from hub.contract.money import from_minor
from hub.toolkit.conversion_facts import first_text, minor_money, read_items, read_person, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import ABANDONED, CANCELLATION, PURCHASE, REFUND, REFUSED, RENEWAL, Meaning
from hub.toolkit.field_picker import records
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_token
from hub.toolkit.tracking import read_tracking

Json = Mapping[str, Any]
EVENTS: dict[str, Meaning] = {
    "order.success": PURCHASE,
    "order.subscription_payment": RENEWAL,
    "order.refund": REFUND,
    "order.rebill_failed": {**REFUSED, "recurring": True},
    "order.subscription_cancelled": CANCELLATION,
    "cart.abandoned": ABANDONED,
}
PERSON = {
    "email": "customer.email",
    "name": "customer.name",
    "first_name": ("customer.first_name", "customer.firstname"),
    "last_name": ("customer.last_name", "customer.lastname"),
    "phone": "customer.contactno",
    "external_id": ("customer.id", "customer_id"),
    "city": "customer.address.city",
    "region": "customer.address.state",
    "postal_code": "customer.address.zip",
    "country": "customer.address.country",
}
# Where the amount of this very event stands, and the flag that says it was not there: the order's total counts then.
AMOUNTS = {
    "order.refund": ("refund.amount", "refund_amount_assumed_whole"),
    "order.subscription_payment": ("subscription.amount", "renewal_amount_assumed"),
    "order.rebill_failed": ("subscription.amount", "renewal_amount_assumed"),
}


class ThriveCartSettings(SettingsSchema):
    secret = Secrets(
        Text("ThriveCart order validation secret", "Secret de validation ThriveCart"),
        help=Text(
            "The “Secret word” under Settings › API & Webhooks › ThriveCart order validation. Two lines while you change it.",
            "Le « Secret word » dans Settings › API & Webhooks › ThriveCart order validation. Deux lignes pendant un "
            "changement.",
        ),
    )


class ThriveCart(Source):
    """Orders, rebills, refunds, failed rebills, cancellations and abandoned carts."""

    slug = "thrivecart"
    name = "ThriveCart"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://thrivecart.com"
    Settings = ThriveCartSettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.CANCELLATION})
    own_order_numbers = True  # invoices are numbered in each account: 000000042
    signs_body = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "ThriveCart › Settings › API & Webhooks › Webhooks & notifications › Add another webhook",
            "ThriveCart › Settings › API & Webhooks › Webhooks & notifications › Add another webhook",
        ),
        events=tuple(EVENTS),
        note=Text(
            "On a custom success page, the address carries thrivecart[order_id] and more: the pixel may read it there.",
            "Sur une page de succès à vous, l'adresse porte thrivecart[order_id] et plus : le pixel peut l'y lire.",
        ),
    )

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """ThriveCart tries the address (HEAD, GET, an empty POST) before it saves it."""
        return None if inbound.body else Reply(200, Headers())

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """The secret stands in the body itself."""
        [event] = records(inbound) or [{}]
        check_token(text(event.get("thrivecart_secret")) or "", settings["secret"])

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        [event] = records(inbound)
        meaning = EVENTS.get(event["event"])
        if meaning is None:
            return []
        conversion = Conversion("", **meaning, contact=read_person(event, PERSON))
        _read_names(conversion, event)
        _read_money(conversion, event)
        # A rebill repeats the timestamp of its first order.
        ordered_at = event.get("order_timestamp") if conversion.kind is Kind.CONVERSION else None
        times = event.get("date_unix"), event.get("date_iso8601"), ordered_at
        conversion.occurred_at, date_flags = first_time(*times, fallback=inbound.received_at)
        conversion.flags += date_flags
        conversion.test = text(event.get("mode_int")) == "1" or event.get("mode") == "test"
        conversion.coupon = first_text(event, "order.coupon", "coupon_code", "customer.coupon")
        conversion.offer = text(event.get("base_product_name"))
        conversion.context.ip = text(dig(event, "customer.ip_address"))
        passed = event.get("passthrough")
        read_tracking(conversion, passed if isinstance(passed, dict) else {})
        return [conversion]


def _read_names(conversion: Conversion, event: Json) -> None:
    """All rebills share the order's id: only the invoice tells them apart."""
    invoice, order = text(event.get("invoice_id")), text(event.get("order_id"))
    conversion.subscription_id = first_text(event, "subscription_id", "subscription.id")
    if conversion.kind in (Kind.CONVERSION, Kind.REFUND) and conversion.stage is not Stage.LEAD:
        names = sale_names(invoice or order, order if conversion.kind is Kind.CONVERSION else None)
        conversion.order_id, conversion.order_aliases = names["order_id"], names["order_aliases"]
    elif conversion.kind is Kind.RENEWAL:
        conversion.order_id = required_text(event, "invoice_id")
    else:
        conversion.order_id = invoice if conversion.kind is Kind.CONVERSION else None
    conversion.money_id = text(dig(event, "refund.id"))
    subject = invoice or order or conversion.subscription_id or required_text(event, "customer.email")
    delivery = first_text(event, "webhook_id", "date_unix")  # the first stays the same over retries
    parts = event["event"], subject, conversion.money_id, delivery
    conversion.event_id = ":".join(part for part in parts if part)


def _read_money(conversion: Conversion, event: Json) -> None:
    if conversion.kind is Kind.CANCELLATION:
        return
    path, assumed = AMOUNTS.get(event["event"], ("", ""))
    own = text(dig(event, path)) if path else None
    amount = own or first_text(event, "order.total", "cart.total")
    if amount is None and conversion.stage is Stage.LEAD:
        return
    amount = amount.lstrip("-") if amount and conversion.kind is Kind.REFUND else amount
    money = minor_money(amount, event["currency"])
    conversion.value, conversion.currency = money["value"], money["currency"]
    conversion.flags += [assumed] if assumed and own is None else []
    charges = dig(event, "order.charges") or []
    conversion.items = read_items(
        list(charges.values()) if isinstance(charges, dict) else charges,
        {"name": "name", "product_id": "reference", "quantity": "quantity"},
        lambda line: from_minor(line.get("amount"), money["currency"]),
    )

"""ClickFunnels 2.0 webhooks (developers.myclickfunnels.com/docs/webhooks; orders after its API's order object)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Category, Conversion, Inbound, Kind, SettingsSchema, Snippet, Stage, Status, Text
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import first_text, major_money, read_items, read_person, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import (
    CANCELLATION,
    CONTACT,
    MAYBE_RENEWAL,
    PURCHASE,
    REFUND,
    REGISTRATION,
    EventTable,
    Meaning,
    meaning_of,
)
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.unsigned_source import UnsignedSender

EVENTS: dict[str, Meaning] = {
    "contact.identified": REGISTRATION,
    "contact.created": REGISTRATION,
    "contact.updated": CONTACT,
    "one-time-order.invoice.paid": PURCHASE,
    "order.invoice.paid": PURCHASE,
    "subscription.invoice.paid": {**PURCHASE, "recurring": True},
    "one-time-order.invoice.refunded": REFUND,
    "subscription.invoice.refunded": {**REFUND, "recurring": True},
    "subscription.canceled": CANCELLATION,
    "subscription.churned": CANCELLATION,
}
PERSON = {
    "email": ("contact.email_address", "order.contact.email_address", "email_address"),
    "first_name": ("contact.first_name", "order.contact.first_name", "first_name"),
    "last_name": ("contact.last_name", "order.contact.last_name", "last_name"),
    "phone": ("contact.phone_number", "order.contact.phone_number", "phone_number"),
    "external_id": ("contact.id", "order.contact.id", "contact_id"),
    "city": "billing_address_city",
    "region": "billing_address_region",
    "postal_code": "billing_address_postal_code",
    "country": "billing_address_country",
}
LINE = {
    "product_id": "original_product.id",
    "name": "original_product.name",
    "sku": "products_variant.sku",
    "quantity": "quantity",
}


class ClickFunnelsSettings(SettingsSchema):
    events = EventTable("one-time-order.completed")


class ClickFunnels(UnsignedSender):
    """Contacts, paid orders and subscriptions of a ClickFunnels 2.0 workspace."""

    slug = "clickfunnels"
    name = "ClickFunnels 2.0"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://www.clickfunnels.com"
    Settings = ClickFunnelsSettings
    stages = frozenset({Stage.PURCHASE, Stage.COMPLETE_REGISTRATION})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.CANCELLATION, Kind.CONTACT})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "ClickFunnels › Workspace settings › Webhooks › Add new endpoint",
            "ClickFunnels › Workspace settings › Webhooks › Add new endpoint",
        ),
        events=tuple(EVENTS),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        meaning = meaning_of(required_text(event, "event_type"), settings["events"], EVENTS)
        if meaning is None:
            return []
        thing = event["data"]
        conversion = Conversion(required_text(event, "event_id"), **meaning, contact=read_person(thing, PERSON))
        if event.get("subject_type") == "Contact":
            conversion.contact.external_id = required_text(thing, "id")
        elif conversion.kind in (Kind.CONVERSION, Kind.REFUND, Kind.RENEWAL):
            _read_sale(conversion, thing)
        else:
            conversion.subscription_id = first_text(thing, "order.id", "order_id", "id")
        times = event.get("created_at"), thing.get("created_at")
        conversion.occurred_at, date_flags = first_time(*times, fallback=inbound.received_at)
        conversion.flags += date_flags
        conversion.offer = text(thing.get("funnel_name"))
        tags = dig(thing, "tags[].name") or dig(thing, "contact.tags[].name") or []
        conversion.campaigns.tags = [said for tag in tags if (said := text(tag))]
        return [conversion]


def _read_sale(conversion: Conversion, thing: Mapping[str, Any]) -> None:
    """The subject may be an order, or an invoice that names its order (unconfirmed which): both are read."""
    order = first_text(thing, "order.id", "order_id") or required_text(thing, "id")
    if conversion.recurring:  # each invoice of a subscription is a sale of its own
        invoice = required_text(thing, "id") if order != text(thing.get("id")) else conversion.event_id
        conversion.order_id, conversion.subscription_id = f"{order}/{invoice}", order
        conversion.flags += [MAYBE_RENEWAL] if conversion.kind is Kind.CONVERSION else []
    else:
        names = sale_names(order, *(first_text(thing, f"order.{key}", key) for key in ("order_number", "public_id")))
        conversion.order_id, conversion.order_aliases = names["order_id"], names["order_aliases"]
    money = major_money(
        first_text(thing, "total_amount", "order.total_amount"), first_text(thing, "currency", "order.currency")
    )
    conversion.value, conversion.currency = money["value"], money["currency"]
    lines = thing.get("line_items") or dig(thing, "order.line_items")
    conversion.items = read_items(lines, LINE, lambda line: decimal(dig(line, "products_price.amount")))

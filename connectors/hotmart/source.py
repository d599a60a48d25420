"""Hotmart webhooks, version 2.0.0 (developers.hotmart.com/docs/en/2.0.0/webhook/purchase-webhook)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Inbound,
    Item,
    Kind,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Text,
)
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import major_money, read_person, refused
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import (
    ABANDONED,
    CANCELLATION,
    DISPUTE,
    MAYBE_RENEWAL,
    PAYMENT_INFO,
    PURCHASE,
    REFUND,
    REFUSED,
    RENEWAL,
    Meaning,
)
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_token
from hub.toolkit.tracking import read_tracking, tracking_pairs

HOTTOK = "X-HOTMART-HOTTOK"
EVENTS: dict[str, Meaning] = {  # PURCHASE_COMPLETE repeats a sale when its guarantee ends: not for us
    "PURCHASE_APPROVED": PURCHASE,
    "PURCHASE_BILLET_PRINTED": PAYMENT_INFO,
    "PURCHASE_CANCELED": REFUSED,
    "PURCHASE_EXPIRED": ABANDONED,
    "PURCHASE_DELAYED": REFUSED,
    "PURCHASE_OUT_OF_SHOPPING_CART": ABANDONED,
    "PURCHASE_REFUNDED": REFUND,
    "PURCHASE_CHARGEBACK": DISPUTE,
    "PURCHASE_PROTEST": {**DISPUTE, "reason": "refund requested"},
    "SUBSCRIPTION_CANCELLATION": CANCELLATION,
}
PERSON = {
    "email": ("buyer.email", "subscriber.email"),
    "name": ("buyer.name", "subscriber.name"),
    "first_name": "buyer.first_name",
    "last_name": "buyer.last_name",
    "phone": ("buyer.checkout_phone", "buyer.phone", "subscriber.phone.phone"),
    "city": "buyer.address.city",
    "region": "buyer.address.state",
    "postal_code": "buyer.address.zipcode",
    "country": ("buyer.address.country_iso", "purchase.checkout_country.iso", "checkout_country.iso"),
}

EXTRA = {
    "parent_transaction": "order_bump.parent_purchase_transaction",  # an order bump is a sale of its own
    "payment_type": "payment.type",
}


class HotmartSettings(SettingsSchema):
    hottok = Secrets(
        Text("Hottok", "Hottok"),
        help=Text(
            "The token shown on Hotmart's webhook page. Two lines while you change it.",
            "Le jeton affiché sur la page des webhooks de Hotmart. Deux lignes pendant un changement.",
        ),
    )


class Hotmart(Source):
    """Sales, renewals, refunds, disputes, unpaid orders and cancellations of a Hotmart producer."""

    slug = "hotmart"
    name = "Hotmart"
    category = Category.COURSES
    homepage = "https://hotmart.com"
    Settings = HotmartSettings
    stages = frozenset({Stage.ADD_PAYMENT_INFO, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION})
    signs_body = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Hotmart › Tools › Webhook (API and notifications) › New configuration, version 2.0.0",
            "Hotmart › Outils › Webhook (API et notifications) › Nouvelle configuration, version 2.0.0",
        ),
        events=tuple(EVENTS),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """A fixed token, in a header or, on older configurations, in the body."""
        given = inbound.headers.get(HOTTOK) or text(inbound.json().get("hottok"))
        check_token(given or "", settings["hottok"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {HOTTOK: settings["hottok"][0]}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        meaning = EVENTS.get(event["event"])
        if meaning is None:
            return []
        data = event["data"]
        purchase = data.get("purchase") or {}
        conversion = Conversion(required_text(event, "id"), **_meaning(meaning, purchase))
        conversion.contact = read_person(data, PERSON)
        product = data.get("product") or {}
        conversion.test = text(product.get("id")) == "0"  # Hotmart's own test button
        conversion.items = [Item(product_id=text(product.get("id")), name=text(product.get("name")))]
        conversion.subscription_id = text(dig(data, "subscription.subscriber.code") or dig(data, "subscriber.code"))
        conversion.recurring = conversion.subscription_id is not None
        paid_at = purchase.get("approved_date") if conversion.stage is Stage.PURCHASE else None
        times = paid_at, event.get("creation_date")
        conversion.occurred_at, conversion.flags = first_time(*times, fallback=inbound.received_at)
        conversion.context.ip = text(data.get("buyer_ip"))
        conversion.offer = text(dig(data, "offer.code"))
        if purchase:
            _read_purchase(conversion, purchase)
        return [conversion]


def _meaning(meaning: Meaning, purchase: Mapping[str, Any]) -> Meaning:
    number = decimal(purchase.get("recurrence_number"))
    return RENEWAL if meaning is PURCHASE and number is not None and number > 1 else meaning


def _read_purchase(conversion: Conversion, purchase: Mapping[str, Any]) -> None:
    conversion.order_id = required_text(purchase, "transaction")
    money = major_money(purchase["price"]["value"], purchase["price"]["currency_value"])
    conversion.value, conversion.currency = money["value"], money["currency"]
    if conversion.kind in (Kind.REFUND, Kind.DISPUTE):
        conversion.money_id = conversion.order_id  # Hotmart gives back a whole transaction
    elif conversion.items:
        conversion.items[0].price = conversion.value
    if conversion.recurring and conversion.stage is Stage.PURCHASE and purchase.get("recurrence_number") is None:
        conversion.flags.append(MAYBE_RENEWAL)
    if conversion.reason == "refused":
        conversion.reason = refused(dig(purchase, "payment.refusal_reason"))["reason"]
    if conversion.reason == "refund requested":
        conversion.value = Decimal(0)  # no money has moved yet
    offer = purchase.get("offer") or {}
    conversion.offer, conversion.coupon = text(offer.get("code")), text(offer.get("coupon_code"))
    found = {name: text(dig(purchase, path)) for name, path in EXTRA.items()}
    conversion.extra |= {name: said for name, said in found.items() if said}
    for name in ("sckPaymentLink", "origin.sck", "origin.src"):
        read_tracking(conversion, tracking_pairs(dig(purchase, name)))

"""Kartra's IPN (support.kartra.com, articles 153000169509, 153000169511, 153000169513)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Currency,
    Inbound,
    Item,
    Kind,
    SettingsSchema,
    Snippet,
    Stage,
    Status,
    Text,
)
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import first_text, major_money, read_person
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import CANCELLATION, DISPUTE, PURCHASE, REFUND, REFUSED, RENEWAL, Meaning
from hub.toolkit.field_picker import records
from hub.toolkit.paths import required_text, text
from hub.toolkit.unsigned_source import UnsignedSender

TYPES: dict[str, Meaning] = {
    "sale": PURCHASE,
    "rebill": RENEWAL,
    "failed": {**REFUSED, "recurring": True},
    "refund": REFUND,
    "partial_refund": REFUND,
    "chargeback": DISPUTE,
    "cancellation": CANCELLATION,
}
PERSON = {  # the older names begin with buyer_
    "email": ("lead_email", "buyer_email"),
    "first_name": ("lead_first_name", "buyer_first_name"),
    "last_name": ("lead_last_name", "buyer_last_name"),
    "phone": ("lead_phone_number", "buyer_billing_phone_number"),
    "external_id": ("lead_id", "buyer_id"),
    "city": ("lead_city", "buyer_billing_city"),
    "region": ("lead_state", "buyer_billing_state"),
    "postal_code": ("lead_zip", "buyer_billing_zip"),
    "country": ("lead_country", "buyer_billing_country"),
}
NOTHING = ("", "N/A", "n/a")


class KartraSettings(SettingsSchema):
    currency = Currency(
        Text("Currency of your products", "Devise de vos produits"),
        help=Text("Kartra's messages do not name it.", "Les messages de Kartra ne l'indiquent pas."),
        load_default="USD",
    )


class Kartra(UnsignedSender):
    """Sales, rebills, failed rebills, refunds, chargebacks and cancellations."""

    slug = "kartra"
    name = "Kartra"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://kartra.com"
    Settings = KartraSettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Kartra › My Products › your product › Edit › IPN (advanced settings); all products: Settings › IPN",
            "Kartra › My Products › votre produit › Edit › IPN (réglages avancés) ; tous les produits : Settings › IPN",
        ),
        note=Text(
            "Kartra fills in {first_name} and {email_address} in its messages; on a thank-you page this is unconfirmed.",
            "Kartra remplace {first_name} et {email_address} dans ses messages ; sur une page de merci, c'est non confirmé.",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        [given] = records(inbound)
        said = {name: value for name, value in given.items() if value not in NOTHING}
        kind = required_text(said, "transaction_type").lower()
        meaning = TYPES.get(kind)
        if meaning is None:
            return []
        meaning = RENEWAL if meaning is PURCHASE and _payment_number(said) > 1 else meaning
        transaction = required_text(said, "transaction_id")
        conversion = Conversion(f"{kind}:{transaction}", **meaning, contact=read_person(said, PERSON))
        conversion.order_id = None if conversion.kind is Kind.CANCELLATION else transaction
        if conversion.kind in (Kind.REFUND, Kind.DISPUTE):
            conversion.order_id, conversion.money_id = required_text(said, "transaction_parent_id"), transaction
        dialing, number = text(said.get("lead_phone_country_code")), conversion.contact.phone
        if dialing and number and not number.startswith("+"):
            conversion.contact.phone = f"+{dialing.lstrip('+')}{number}"
        conversion.subscription_id = first_text(
            said, "transaction_internal_subscription_id", "transaction_subscription_id"
        )
        conversion.recurring = conversion.subscription_id is not None
        conversion.occurred_at, conversion.flags = first_time(
            said.get("transaction_date"), fallback=inbound.received_at
        )
        _read_goods(conversion, said, settings["currency"])
        return [conversion]


def _payment_number(said: Mapping[str, Any]) -> int:
    return int(decimal(said.get("transaction_subscription_pay_number")) or 0)


def _read_goods(conversion: Conversion, said: Mapping[str, Any], currency: str) -> None:
    if conversion.kind is not Kind.CANCELLATION:
        amount = required_text(said, "transaction_full_amount")
        money = major_money(
            amount.lstrip("-") if conversion.money_id else amount, text(said.get("currency")) or currency
        )
        conversion.value, conversion.currency = money["value"], money["currency"]
    conversion.items = [
        Item(
            product_id=text(said.get("product_id")),
            name=text(said.get("product_name")),
            quantity=decimal(said.get("transaction_quantity")) or Item().quantity,
        )
    ]
    affiliate = text(said.get("transaction_affiliate"))
    conversion.extra = {"affiliate": affiliate} if affiliate else {}

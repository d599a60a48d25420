"""Mollie's classic webhooks: an id and nothing else, so everything is read back (docs.mollie.com/reference/webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from hub.contract import Bearer, Call, Conversion, Inbound, NotUnderstood, Recipe, Snippet
from hub.contract.money import decimal
from hub.contract.settings import Secret, SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.conversion_facts import (
    Facts,
    first_text,
    major_money,
    read_items,
    read_person,
    refused,
    sale_names,
    told,
)
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.unsigned_source import UnsignedSender

Json = Mapping[str, Any]
API = "https://api.mollie.com/v2"
_BUYER = {
    "email": ("customer.email", "payment.billingAddress.email", "payment.metadata.email"),
    "name": ("customer.name", "payment.details.consumerName"),
    "external_id": "payment.customerId",
    "first_name": "payment.billingAddress.givenName",
    "last_name": "payment.billingAddress.familyName",
    "phone": "payment.billingAddress.phone",
    "city": "payment.billingAddress.city",
    "region": "payment.billingAddress.region",
    "postal_code": "payment.billingAddress.postalCode",
    "country": ("payment.billingAddress.country", "payment.countryCode"),
}
_ITEM = {"sku": "sku", "name": "description", "quantity": "quantity"}
_LOST = ("failed", "canceled")  # a refund with this status gave nothing back


class MollieSettings(SettingsSchema):
    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text(
            "Mollie's messages hold only an id: with this key the payment is read back. Test mode has a key of its own.",
            "Les messages de Mollie ne contiennent qu'un identifiant : avec cette clé, le paiement est relu. Le mode test a "
            "sa propre clé.",
        ),
        placeholder="live_…",
    )


class Mollie(UnsignedSender):
    """Payments, refunds and chargebacks of a Mollie profile."""

    slug = "mollie"
    name = "Mollie"
    category = Category.PAYMENTS
    homepage = "https://www.mollie.com"
    Settings = MollieSettings
    auth = Bearer("api_key")
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.CANCELLATION, Kind.CONTACT}
    read_back_proves = True
    resend_is_news = True  # the same id is posted again at each change
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "In your shop or program: the webhookUrl given to Mollie when a payment is created",
            "Dans votre boutique ou programme : le webhookUrl donné à Mollie à la création d'un paiement",
        ),
        note=Text(
            "A payment has one webhookUrl. If your shop's plug-in needs it, forward its messages here unchanged.",
            "Un paiement n'a qu'un webhookUrl. Si l'extension de votre boutique en a besoin, transférez ici ses messages "
            "tels quels.",
        ),
    )

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return try_call(Call.get(f"{API}/payments", params={"limit": "1"}), "The key may read payments.")

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return _payment_id(inbound) is not None

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``payment`` with its refunds ({} when Mollie does not know the id), and its ``customer``."""
        number = quote(_payment_id(inbound) or "", safe="")
        call = Call.get(f"{API}/payments/{number}", params={"embed": "refunds"})
        payment = yield from read_object(call, needed=True)
        found = {"payment": payment}
        buyer = text(payment.get("customerId"))
        if buyer:
            found["customer"] = yield from read_object(Call.get(f"{API}/customers/{quote(buyer, safe='')}"))
        return found

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        if _payment_id(inbound) is None:
            return []
        payment = inbound.fetched.get("payment")
        if payment is None:
            raise NotUnderstood("The payment has to be read back from Mollie first: is the API key set?")
        return _read(payment, inbound) if payment else []


def _payment_id(inbound: Inbound) -> str | None:
    """None for what is not a payment (orders, subscriptions)."""
    number = required_text(inbound.form(), "id")
    return number if number.startswith("tr_") else None


def _read(payment: Json, inbound: Inbound) -> list[Conversion]:
    number, metadata = required_text(payment, "id"), payment.get("metadata")
    found = {"payment": payment, "customer": inbound.fetched.get("customer")}
    is_rebill = payment.get("sequenceType") == "recurring"
    # A subscription hands its metadata on to all its payments: they would become one order.
    shop = None if is_rebill else first_text(payment, "metadata.order_id", "metadata.orderId")
    names = sale_names(number, shop, None if is_rebill else payment.get("orderId"))
    shared = {
        "contact": read_person(found, _BUYER),
        "subscription_id": text(payment.get("subscriptionId")),
        "recurring": is_rebill,
        "test": payment["mode"] != "live",
        **names,
    }
    return [
        told({"event_id": f"{number}:{suffix}", **shared, **facts}, times, inbound.received_at, metadata=metadata)
        for suffix, times, facts in _events(payment)
    ]


def _events(payment: Json) -> Iterable[tuple[str, tuple[Any, ...], Facts]]:
    """(what tells the event from the payment's others, when, what): its state, each refund, what was charged back."""
    status = payment["status"]
    meaning = _MEANINGS.get(status)
    if meaning is not None:
        if status == "failed":
            meaning = refused(first_text(payment, "details.failureReason", "details.failureMessage"))
        renews = status == "paid" and payment.get("sequenceType") == "recurring"
        lines = read_items(payment.get("lines"), _ITEM, lambda line: decimal(dig(line, "unitPrice.value")))
        times = (*(payment.get(f"{name}At") for name in (status, "authorized", "created")),)
        facts = {**_money(payment["amount"]), **meaning, "items": lines, **({"kind": Kind.RENEWAL} if renews else {})}
        yield status, times, facts
    if status != "paid":
        return
    for refund in dig(payment, "_embedded.refunds") or []:
        number, state = required_text(refund, "id"), required_text(refund, "status")
        facts = {"kind": Kind.REFUND, "money_id": number, "reason": text(refund.get("description"))}
        money = _money(refund["amount"]) | ({"value": Decimal(0)} if state in _LOST else {})
        yield f"{number}:{state}", (refund.get("createdAt"),), facts | money
    taken = payment.get("amountChargedBack")
    if taken:
        name = f"{payment['id']}:chargebacks"
        yield f"chargedback:{taken['value']}", (), {"kind": Kind.DISPUTE, "money_id": name, **_money(taken)}


_MEANINGS: dict[str, Facts] = {
    "paid": {"stage": Stage.PURCHASE},
    "authorized": {"kind": Kind.PENDING},
    "pending": {"kind": Kind.PENDING},
    "failed": refused(),
    "expired": {"stage": Stage.LEAD, "reason": "abandoned"},
    "canceled": {"stage": Stage.LEAD, "reason": "abandoned"},
}


def _money(amount: Json) -> Facts:
    return major_money(amount["value"], amount["currency"])

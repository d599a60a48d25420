"""Finds things in a message of any shape: where the person said, else under well-known names.

Only the paths listed here are well known. Nothing is ever taken because it looks like an e-mail or an amount: the only
address in a message may be the merchant's own. :mod:`hub.toolkit.field_values` makes conversions of what is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Text
from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES
from hub.toolkit.paths import dig, nested

Json = dict[str, Any]

NAMES: dict[str, Text] = {
    "email": Text("Buyer's e-mail", "E-mail de l'acheteur"),
    "amount": Text("Amount", "Montant"),
    "currency": Text("Currency", "Devise"),
    "order_id": Text("Order id", "Numéro de commande"),
    "stage": Text("Stage, or the word that tells it", "Étape, ou le mot qui l'indique"),
    "kind": Text("Kind, or the word that tells it", "Nature, ou le mot qui l'indique"),
    "event_id": Text("Event id", "Identifiant de l'événement"),
    "time": Text("Time", "Date et heure"),
    "first_name": Text("First name", "Prénom"),
    "last_name": Text("Last name", "Nom"),
    "full_name": Text("Full name", "Nom complet"),
    "phone": Text("Phone", "Téléphone"),
    "external_id": Text("Customer id", "Identifiant du client"),
    "city": Text("City", "Ville"),
    "region": Text("State or region", "État ou région"),
    "postal_code": Text("Postal code", "Code postal"),
    "country": Text("Country", "Pays"),
    "product_id": Text("Product id", "Identifiant du produit"),
    "product_name": Text("Product name", "Nom du produit"),
    "coupon": Text("Coupon", "Code promo"),
    "webinar_ids": Text("Webinar or campaign ids", "Identifiants de webinaires ou campagnes"),
    "tags": Text("Tags", "Tags"),
    "consent": Text("Consent", "Consentement"),
    "subscription_id": Text("Subscription id", "Identifiant d'abonnement"),
    "refund_id": Text("Refund id", "Identifiant du remboursement"),
    "reason": Text("Why it failed", "Raison de l'échec"),
    "test": Text("Marks a test", "Indique un test"),
}

GUESSES: dict[str, tuple[str, ...]] = {
    "email": (
        "email",
        "customer.email",
        "customer_email",
        "buyer.email",
        "buyer_email",
        "contact.email",
        "billing.email",
    ),
    "amount": ("amount.value", "amount", "total", "total_price", "total_amount", "value"),
    "currency": ("currency", "currency_code", "amount.currency", "amount.currency_code"),
    "order_id": ("order_id", "orderId", "order.id", "order_number", "transaction_id"),
    "stage": ("stage",),
    "kind": ("kind",),
    "event_id": ("event_id", "eventId"),
    "time": ("occurred_at", "created_at", "timestamp", "date", "time"),
    "first_name": ("first_name", "firstName", "customer.first_name", "contact.first_name", "billing.first_name"),
    "last_name": ("last_name", "lastName", "customer.last_name", "contact.last_name", "billing.last_name"),
    "full_name": ("full_name", "fullName", "customer.name", "buyer.name", "contact.name"),
    "phone": ("phone", "customer.phone", "contact.phone", "billing.phone"),
    "external_id": ("external_id", "customer_id", "customer.id", "contact.external_id"),
    "city": ("city", "customer.city", "contact.city", "billing.city"),
    "region": ("region", "customer.region", "contact.region", "billing.state"),
    "postal_code": ("postal_code", "customer.postal_code", "contact.postal_code", "billing.postcode"),
    "country": ("country", "customer.country", "contact.country", "billing.country"),
    "product_id": ("product_id", "productId", "product.id", "items[].product_id"),
    "product_name": ("product_name", "productName", "product.name", "items[].name"),
    "coupon": ("coupon", "coupon_code"),
    "webinar_ids": ("webinarId", "webinar_id", "campaigns.ids"),
    "tags": ("tag", "tags", "campaigns.tags"),
    "consent": ("consent",),
    "subscription_id": ("subscription_id",),
    "refund_id": ("refund_id",),
    "reason": ("reason",),
    "test": ("test", "is_test"),
}


class Message:
    """One record of a body, read by name."""

    def __init__(self, record: Json, paths: Mapping[str, str]) -> None:
        self._record = record
        self._paths = paths
        inner = record.get("data")
        # {type, timestamp, data}: the Standard Webhooks and CloudEvents envelope.
        self._roots: tuple[Json, ...] = (inner, record) if isinstance(inner, dict) else (record,)
        self.is_envelope = isinstance(inner, dict)

    def get(self, name: str) -> Any:
        """The value for ``name``, or None when it is missing or empty."""
        if name in self._paths:
            return _filled(dig(self._record, self._paths[name]))
        guesses = (dig(root, path) for path in GUESSES.get(name, ()) for root in self._roots)
        found = next((value for value in guesses if _filled(value) is not None), None)
        if found is None and name == "order_id":
            found = _filled(self._roots[0].get("id"))
        if found is None and name == "event_id" and self.is_envelope:
            found = _filled(self._record.get("id"))
        return found

    def text(self, name: str, limit: int = 500) -> str:
        """The value as text; empty for what is missing or no text."""
        value = self.get(name)
        value = value[0] if isinstance(value, list) and value else value
        return "" if value is None or isinstance(value, bool | dict | list) else str(value).strip()[:limit]

    def texts(self, name: str) -> list[str]:
        """The value as a list of texts: a list, or words separated by commas."""
        value = self.get(name)
        parts = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str | int) else []
        texts = [str(part).strip() for part in parts if isinstance(part, str | int) and not isinstance(part, bool)]
        return list(dict.fromkeys(filter(None, texts)))

    def configured(self, name: str) -> bool:
        return name in self._paths

    def touches(self) -> Json:
        """utm values and click ids under their usual names, beside or inside ``data``, ``utm`` or ``context``."""
        places = [place for root in self._roots for place in (root, root.get("utm"), root.get("tracking"))]
        wanted = {*CLICK_IDS, *(f"utm_{name}" for name in UTM_NAMES)}
        return {
            key: value
            for place in reversed(places)
            if isinstance(place, dict)
            for key, value in place.items()
            if key in wanted
        }

    def extra(self) -> Json:
        """What the person named beyond the known names."""
        named = {name: dig(self._record, path) for name, path in self._paths.items() if name not in NAMES}
        return {name: value for name, value in named.items() if _filled(value) is not None}


def records(inbound: Inbound) -> list[Json]:
    """The records of a body: one JSON object, an array of them, or a form. The first byte of the body tells which.

    Raises NotUnderstood when it is neither.
    """
    content = inbound.content().lstrip()
    if not content.startswith((b"{", b"[")) and b"=" in content[:200] and not content.startswith(b"<"):
        return [nested(inbound.form())]
    body = inbound.json()
    found = body if isinstance(body, list) else [body]
    if not all(isinstance(record, dict) for record in found):
        raise NotUnderstood("The message is JSON, but neither an object nor a list of objects.")
    return found


def _filled(value: Any) -> Any:
    return None if value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()) else value

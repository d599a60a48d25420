"""Shopify webhooks: set-up and signature (shopify.dev/docs/apps/build/webhooks; Shopify/shopify-api-ruby, request.rb)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.shopify.topics import COMPLIANCE, READERS, read_topic
from hub.contract import (
    Category,
    Conversion,
    Inbound,
    Kind,
    NotUnderstood,
    Secrets,
    SettingsSchema,
    Snippet,
    Stage,
    Text,
)
from hub.toolkit.hmac_source import HmacSource


class ShopifySettings(SettingsSchema):
    secret = Secrets(
        Text("Signing secret", "Secret de signature"),
        help=Text(
            "For webhooks made in the admin: shown under the list at Settings › Notifications › Webhooks. For webhooks of "
            "an app: its client secret. One a line.",
            "Pour les webhooks créés dans l'administration : affiché sous la liste dans Paramètres › Notifications › "
            "Webhooks. Pour ceux d'une application : son secret client. Un par ligne.",
        ),
    )


class Shopify(HmacSource):
    """Carts, checkouts, orders, refunds, customers and privacy requests of a Shopify store."""

    slug = "shopify"
    name = "Shopify"
    category = Category.SHOP
    homepage = "https://www.shopify.com"
    Settings = ShopifySettings
    stages = frozenset(Stage) - {Stage.VIEW_CONTENT, Stage.LEAD}
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.CANCELLATION, Kind.PENDING, Kind.CONTACT})
    own_order_numbers = True  # #1001 is the first order of every shop
    identity_headers = ("X-Shopify-Topic", "Shopify-Topic")
    signature_header = "X-Shopify-Hmac-Sha256"
    other_headers = ("Shopify-Hmac-Sha256",)  # newer deliveries leave out the X-
    encoding = "base64"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Shopify admin › Settings › Notifications › Webhooks › Create webhook",
            "Administration Shopify › Paramètres › Notifications › Webhooks › Créer un webhook",
        ),
        events=tuple(topic for topic in READERS if topic not in COMPLIANCE),
        note=Text(
            "Choose JSON and one webhook for each event. An image on the thank-you page no longer works: Shopify ended "
            "scripts there on 26 August 2026. Use webhooks, or a custom pixel under Customer events.",
            "Choisissez JSON et un webhook par événement. Une image sur la page de remerciement ne fonctionne plus : "
            "Shopify y a supprimé les scripts le 26 août 2026. Utilisez les webhooks, ou un pixel personnalisé sous "
            "Événements clients.",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        topic = _header(inbound, "Topic").lower()
        if not topic:
            raise NotUnderstood("The header X-Shopify-Topic is missing: only it says what happened.")
        conversion = read_topic(topic, inbound.json(), inbound.received_at)
        if conversion is None:
            return []
        conversion.test |= _header(inbound, "Test").lower() == "true"
        return [conversion]


def _header(inbound: Inbound, name: str) -> str:
    spellings = (f"X-Shopify-{name}", f"Shopify-{name}")
    return next((inbound.headers[each].strip() for each in spellings if each in inbound.headers), "")

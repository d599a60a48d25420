"""WooCommerce webhooks: set-up and signature (woocommerce/woocommerce, includes/class-wc-webhook.php)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.woocommerce.orders import read_customer, read_deleted, read_order
from hub.contract import Conversion, Headers, Inbound, Reply, Snippet
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.hmac_source import HmacSource

TOPIC = "X-WC-Webhook-Topic"


class WooCommerce(HmacSource):
    """Orders, refunds and customers of a WooCommerce shop."""

    slug = "woocommerce"
    name = "WooCommerce"
    category = Category.SHOP
    homepage = "https://woocommerce.com"
    stages = frozenset(Stage) - {Stage.VIEW_CONTENT, Stage.ADD_TO_CART}
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.CANCELLATION, Kind.PENDING})
    own_order_numbers = True  # WordPress counts in each site anew
    identity_headers = (TOPIC,)
    signature_header = "X-WC-Webhook-Signature"
    encoding = "base64"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "WordPress admin › WooCommerce › Settings › Advanced › Webhooks › Add webhook",
            "Administration WordPress › WooCommerce › Réglages › Avancé › Webhooks › Ajouter un webhook",
        ),
        events=("order.created", "order.updated", "order.deleted", "customer.created"),
        note=Text(
            "One webhook for each topic, status Active, API version WP REST API Integration v3. WooCommerce never tries "
            "again, follows no redirect and switches a webhook off after more than five failures: use the address exactly.",
            "Un webhook par sujet, état Actif, version d'API WP REST API Integration v3. WooCommerce ne réessaie jamais, "
            "ne suit pas les redirections et désactive un webhook après plus de cinq échecs : reprenez l'adresse exacte.",
        ),
    )

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """The unsigned ping ``webhook_id=4`` that WooCommerce sends when a webhook is switched on."""
        return Reply(200, Headers()) if _is_ping(inbound) else None

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        if _is_ping(inbound):
            return []
        thing = inbound.json()
        topic = inbound.headers.get(TOPIC, "").strip().lower()
        if "order_key" in thing:
            return read_order(thing, inbound.received_at)
        if topic in ("", "customer.created") and "username" in thing:
            return [read_customer(thing, inbound.received_at)]
        if topic == "order.deleted" or (not topic and set(thing) == {"id"}):
            return [read_deleted(thing, inbound.received_at)]
        return []


def _is_ping(inbound: Inbound) -> bool:
    name, _, number = inbound.body.strip().partition(b"=")
    return name == b"webhook_id" and number.isdigit()

"""BigCommerce webhooks: ids only, so orders, refunds and carts are read back (bigcommerce/docs, docs/webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from connectors.bigcommerce.orders import read_cart, read_order, read_refund
from hub.contract import ApiKeyHeader, Call, Conversion, Inbound, NotUnderstood, Recipe, Snippet, Source
from hub.contract.settings import Secret, Secrets, SettingsSchema, Words
from hub.contract.vocabulary import Category, Kind, Stage, Status, Text
from hub.toolkit.dates import first_time
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import required_text
from hub.toolkit.signing import check_token, require_header

API = "https://api.bigcommerce.com/stores"
JSON = {"Accept": "application/json"}  # API v2 answers in XML otherwise
HEADER = "X-Hub-Secret"
ORDERS = ("store/order/created", "store/order/updated", "store/order/statusUpdated")
REFUND, ADDED, ABANDONED = "store/order/refund/created", "store/cart/created", "store/cart/abandoned"


class BigCommerceSettings(SettingsSchema):
    secret = Secrets(
        Text("Secret in the header", "Secret dans l'en-tête"),
        help=Text(
            f"BigCommerce signs nothing. Any long random text, given as the header {HEADER} when the webhook is created.",
            f"BigCommerce ne signe rien. Un long texte au hasard, donné comme en-tête {HEADER} à la création du webhook.",
        ),
    )
    store_hash = Words(
        Text("Store hash", "Hash de la boutique"),
        help=Text(
            "In the address of your control panel: store-HASH.mybigcommerce.com.",
            "Dans l'adresse de votre panneau de contrôle : store-HASH.mybigcommerce.com.",
        ),
        placeholder="a1b2c3d4e5",
    )
    access_token = Secret(
        Text("Access token", "Jeton d'accès"),
        help=Text(
            "Of a store-level API account with read access to Orders, Order transactions and Carts.",
            "D'un compte API de la boutique, avec accès en lecture à Orders, Order transactions et Carts.",
        ),
    )


class BigCommerce(Source):
    """Orders, refunds and carts of a BigCommerce store."""

    slug = "bigcommerce"
    name = "BigCommerce"
    category = Category.SHOP
    status = Status.BETA
    homepage = "https://www.bigcommerce.com"
    Settings = BigCommerceSettings
    auth = ApiKeyHeader("X-Auth-Token", "access_token")
    stages = frozenset({Stage.ADD_TO_CART, Stage.INITIATE_CHECKOUT, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.DISPUTE, Kind.PENDING})
    own_order_numbers = True  # every store counts from 100
    signs_body = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "BigCommerce control panel › Settings › API › Store-level API accounts › Create API account; then the API's "
            "POST /v3/hooks",
            "Panneau de contrôle BigCommerce › Paramètres › API › Store-level API accounts › Create API account ; puis "
            "POST /v3/hooks de l'API",
        ),
        events=("store/order/created", "store/order/statusUpdated", REFUND, ADDED, ABANDONED),
        note=Text(
            "Webhooks are created through the API only: this source's page has the command.",
            "Les webhooks se créent par l'API seulement : la page de cette source donne la commande.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """The secret that was given as a header when the webhook was created."""
        check_token(require_header(inbound.headers, HEADER), settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {HEADER: settings["secret"][0]}

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        url = f"{API}/{quote(settings['store_hash'], safe='')}/v2/store"
        return try_call(Call.get(url, headers=dict(JSON)), "The token works for this store.")

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return inbound.json()["scope"] in (*ORDERS, REFUND, ADDED, ABANDONED)

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``order``, with its ``products`` or ``refunds``; or ``cart``, {} when it is gone."""
        event, store = inbound.json(), f"{API}/{quote(settings['store_hash'], safe='')}"
        number = quote(required_text(event, "data.id"), safe="")
        if event["scope"] in (ADDED, ABANDONED):
            answer = yield from read_object(Call.get(f"{store}/v3/carts/{number}", headers=dict(JSON)), needed=True)
            return {"cart": answer.get("data") or {}}
        order = yield from read_object(Call.get(f"{store}/v2/orders/{number}", headers=dict(JSON)), needed=True)
        if event["scope"] == REFUND:
            url = f"{store}/v3/orders/{number}/payment_actions/refunds"
            answer = yield from read_object(Call.get(url, headers=dict(JSON)), needed=True)
            return {"order": order, "refunds": answer.get("data")}
        if not order:
            return {"order": {}}
        reply = yield Call.get(f"{store}/v2/orders/{number}/products", headers=dict(JSON))
        return {"order": order, "products": reply.json()}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event, fetched = inbound.json(), inbound.fetched
        scope = event["scope"]
        if scope not in (*ORDERS, REFUND, ADDED, ABANDONED):
            return []
        if not fetched:
            raise NotUnderstood("The order or cart has to be read back from BigCommerce first.")
        if scope in (ADDED, ABANDONED):
            facts = read_cart(event, fetched["cart"], is_abandoned=scope == ABANDONED)
        elif scope == REFUND:
            facts = read_refund(event, fetched["order"], fetched["refunds"])
        else:
            facts = read_order(fetched["order"], fetched.get("products"))
        if facts is None:
            return []
        event_id = f"{scope}:{required_text(event, 'data.id')}:{required_text(event, 'hash')}"
        times = (facts.pop("when", None), event.get("created_at"))
        occurred_at, flags = first_time(*times, fallback=inbound.received_at)
        return [Conversion(event_id=event_id, occurred_at=occurred_at, flags=flags, **facts)]

"""Square webhooks: set-up, signature and read-back (developer.squareup.com/docs/webhooks/step3validate)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from connectors.square.events import READERS, read_event, thing_of
from hub.contract import Bearer, Call, Conversion, Inbound, Recipe, Snippet, Source
from hub.contract.settings import Mode, Secret, Secrets, SettingsSchema, Url
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import text
from hub.toolkit.signing import check_hmac, make_hmac, require_header

SIGNATURE = "x-square-hmacsha256-signature"
APIS = {"live": "https://connect.squareup.com", "sandbox": "https://connect.squareupsandbox.com"}


class SquareSettings(SettingsSchema):
    secret = Secrets(
        Text("Signature key", "Clé de signature"),
        help=Text(
            "Shown on the webhook subscription's page at Square. One a line while you roll it.",
            "Affichée sur la page de l'abonnement webhook chez Square. Une par ligne pendant un renouvellement.",
        ),
    )
    notification_url = Url(
        Text("Notification URL, as registered", "URL de notification, telle qu'enregistrée"),
        help=Text(
            "Square signs the address as well. Fill this in only if the one at Square is not this source's address, "
            "letter by letter (a proxy, another host name).",
            "Square signe aussi l'adresse. À remplir seulement si celle chez Square n'est pas l'adresse de cette source, "
            "lettre pour lettre (un proxy, un autre nom d'hôte).",
        ),
        placeholder="https://",
        load_default="",
    )
    mode = Mode()
    access_token = Secret(
        Text("Access token (recommended)", "Jeton d'accès (recommandé)"),
        help=Text(
            "With it, the buyer's e-mail and the products are read back: Square's payments rarely carry them.",
            "Avec lui, l'e-mail de l'acheteur et les produits sont relus : les paiements Square les portent rarement.",
        ),
        load_default="",
    )


class Square(Source):
    """Payments, refunds and invoices of a Square account."""

    slug = "square"
    name = "Square"
    category = Category.PAYMENTS
    homepage = "https://squareup.com"
    Settings = SquareSettings
    auth = Bearer("access_token")
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.PENDING})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "developer.squareup.com › Developer Console › your application › Webhooks › Subscriptions › Add subscription",
            "developer.squareup.com › Developer Console › votre application › Webhooks › Subscriptions › Add subscription",
        ),
        events=tuple(READERS),
        note=Text(
            "Paste the address exactly as shown: Square signs it together with each message.",
            "Collez l'adresse exactement comme affichée : Square la signe avec chaque message.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """Base64 HMAC-SHA256 over the registered address followed by the raw body; it carries no time."""
        signed = (settings["notification_url"] or inbound.url).encode() + inbound.body
        check_hmac(signed, [require_header(inbound.headers, SIGNATURE)], settings["secret"], encoding="base64")

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        """Only where the registered address is known."""
        url: str = settings["notification_url"]
        return {SIGNATURE: make_hmac(url.encode() + body, settings["secret"][0], encoding="base64")} if url else None

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        call = Call.get(f"{APIS[settings['mode']]}/v2/locations")
        return try_call(call, "The token works.") if settings["access_token"] else None

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return bool(settings["access_token"] and _left_out(inbound))

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``customer`` and ``order`` of a payment; nothing of those the token may not read."""
        found: dict[str, Any] = {}
        for name, path in _left_out(inbound):
            answer = yield from read_object(Call.get(APIS[settings["mode"]] + path))
            found[name] = answer.get(name)
        return found

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        conversion = read_event(event, inbound) if event["type"] in READERS else None
        if conversion is None:
            return []
        environment = inbound.headers.get("square-environment", "") or settings["mode"]
        conversion.test = environment.strip().lower() == "sandbox"
        return [conversion]


def _left_out(inbound: Inbound) -> list[tuple[str, str]]:
    """(name, path) of what a payment only names."""
    event = inbound.json()
    if event.get("type") not in ("payment.created", "payment.updated"):
        return []
    payment = thing_of(event)
    numbers = {"customer": text(payment.get("customer_id")), "order": text(payment.get("order_id"))}
    return [(name, f"/v2/{name}s/{quote(number, safe='')}") for name, number in numbers.items() if number]

"""Paddle Billing webhooks: set-up, signature and read-back (developer.paddle.com/webhooks; PaddleHQ/paddle-python-sdk)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from connectors.paddle.events import READERS, read_event
from hub.contract import Bearer, Call, Conversion, Inbound, Recipe, Snippet, Source
from hub.contract.settings import Mode, Number, Secret, Secrets, SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import dig, text
from hub.toolkit.signing import TOLERANCE, check_hmac, check_timestamp, make_hmac, parse_pairs, require_header

SIGNATURE = "Paddle-Signature"
APIS = {"live": "https://api.paddle.com", "sandbox": "https://sandbox-api.paddle.com"}


class PaddleSettings(SettingsSchema):
    secret = Secrets(
        Text("Secret key of the destination", "Clé secrète de la destination"),
        help=Text(
            "Shown when you edit the notification destination; begins with pdl_ntfset_. One a line while you change it.",
            "Affichée en modifiant la destination de notification ; commence par pdl_ntfset_. Une par ligne pendant un "
            "changement.",
        ),
        placeholder="pdl_ntfset_…",
    )
    mode = Mode()
    api_key = Secret(
        Text("API key (recommended)", "Clé API (recommandée)"),
        help=Text(
            "With the permission to read customers: Paddle's sales name the buyer by a number only.",
            "Avec la permission de lire les clients : les ventes Paddle ne nomment l'acheteur que par un numéro.",
        ),
        placeholder="pdl_live_apikey_…",
        load_default="",
    )
    tolerance = Number(
        Text("Oldest signature accepted, in seconds", "Âge maximal de la signature, en secondes"),
        help=Text(
            "Raise it if messages that Paddle tries again are refused as too old.",
            "À augmenter si des messages réessayés par Paddle sont refusés comme trop vieux.",
        ),
        validate=validate.Range(30, 86_400),
        load_default=TOLERANCE,
    )


class Paddle(Source):
    """Transactions, adjustments, customers and subscriptions of a Paddle Billing account."""

    slug = "paddle"
    name = "Paddle"
    category = Category.PAYMENTS
    homepage = "https://www.paddle.com"
    Settings = PaddleSettings
    auth = Bearer("api_key")
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.PENDING}
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Paddle › Developer tools › Notifications › New destination › Webhook",
            "Paddle › Developer tools › Notifications › New destination › Webhook",
        ),
        events=tuple(READERS),
        note=Text(
            "Tick transaction.completed, not transaction.paid: both tell the same sale.",
            "Cochez transaction.completed, pas transaction.paid : les deux annoncent la même vente.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """Hex HMAC-SHA256 over time, colon, raw body; during a rotation there are several."""
        pairs = parse_pairs(require_header(inbound.headers, SIGNATURE), ";")
        stamp = next((value for name, value in pairs if name == "ts"), "")
        check_timestamp(stamp, inbound.received_at, settings["tolerance"])
        given = [value for name, value in pairs if name == "h1"]
        check_hmac(f"{stamp}:".encode() + inbound.body, given, settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        stamp = int(at.timestamp())
        return {SIGNATURE: f"ts={stamp};h1={make_hmac(b'%d:' % stamp + body, settings['secret'][0])}"}

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        call = Call.get(f"{APIS[settings['mode']]}/customers", params={"per_page": "1"})
        return try_call(call, "The key may read customers.") if settings["api_key"] else None

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        event = inbound.json()
        is_sale = event.get("event_type") in READERS and not event["event_type"].startswith("customer.")
        return bool(settings["api_key"] and is_sale and text(dig(event, "data.customer_id")))

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``customer``: who bought."""
        number = quote(str(inbound.json()["data"]["customer_id"]), safe="")
        found = yield from read_object(Call.get(f"{APIS[settings['mode']]}/customers/{number}"))
        return {"customer": found.get("data")}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        conversion = read_event(event, inbound) if event["event_type"] in READERS else None
        if conversion is None:
            return []
        conversion.test = settings["mode"] == "sandbox"
        return [conversion]

"""Chargebee webhooks: set-up and verification (apidocs.chargebee.com/docs/api/events; chargebee-python's event models)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.chargebee.events import READERS, read_event
from hub.contract import Conversion, Inbound, Snippet, Source
from hub.contract.auth import basic
from hub.contract.settings import Mode, Secrets, SettingsSchema, Words
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.signing import check_token, require_header


class ChargebeeSettings(SettingsSchema):
    username = Words(
        Text("User name", "Nom d'utilisateur"),
        help=Text(
            "What you typed under basic authentication when creating the webhook.",
            "Ce que vous avez saisi sous « basic authentication » à la création du webhook.",
        ),
    )
    secret = Secrets(
        Text("Password", "Mot de passe"),
        help=Text(
            "Chargebee signs nothing: the password is all there is, so make it long. One a line while you change it.",
            "Chargebee ne signe rien : le mot de passe est tout ce qu'il y a, choisissez-le long. Un par ligne pendant un "
            "changement.",
        ),
    )
    mode = Mode()


class Chargebee(Source):
    """Payments, invoices, credit notes and subscriptions of a Chargebee site."""

    slug = "chargebee"
    name = "Chargebee"
    category = Category.PAYMENTS
    homepage = "https://www.chargebee.com"
    Settings = ChargebeeSettings
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.DISPUTE, Kind.CONTACT}
    own_order_numbers = True  # invoices are numbered in each site
    signs_body = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Chargebee › Settings › Configure Chargebee › API Keys and Webhooks › Webhooks › Add Webhook",
            "Chargebee › Settings › Configure Chargebee › API Keys and Webhooks › Webhooks › Add Webhook",
        ),
        events=tuple(READERS),
        note=Text(
            "Tick “Protect webhook URL with basic authentication”, API version V2.",
            "Cochez « Protect webhook URL with basic authentication », version d'API V2.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """HTTP Basic (RFC 7617): user name and password, nothing about the body."""
        given = require_header(inbound.headers, "Authorization")
        accepted = [_basic(settings["username"], password) for password in settings["secret"]]
        check_token(given, accepted if settings["username"] else [])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {"Authorization": _basic(settings["username"], settings["secret"][0])}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        conversion = read_event(event, inbound.received_at) if event["event_type"] in READERS else None
        if conversion is None:
            return []
        conversion.test = settings["mode"] == "sandbox"
        return [conversion]


def _basic(username: str, password: str) -> str:
    return basic(username, password) if password else ""

"""Any sender that signs the Standard Webhooks way (github.com/standard-webhooks/standard-webhooks, version 1.0.0)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hub.contract import ALL_STAGES, Category, Conversion, Inbound, Kind, Secrets, SettingsSchema, Source, Text
from hub.toolkit.field_picker import records
from hub.toolkit.field_values import PickedSettings, read_picked, with_event_word
from hub.toolkit.signing import check_standard, fingerprint, sign_standard

IDS = ("webhook-id", "svix-id")


class SignedSettings(SettingsSchema):
    secret = Secrets(
        Text("Signing secret", "Secret de signature"),
        help=Text(
            "The sender shows it: whsec_ and letters. Two lines while you change it.",
            "L'expéditeur l'affiche : whsec_ puis des lettres. Deux lignes pendant un changement.",
        ),
        placeholder="whsec_…",
        generate="whsec",
    )


class StandardWebhooksSettings(PickedSettings, SignedSettings):
    """The secret, then where things stand."""


class StandardWebhooks(Source):
    """JSON of any shape, usually ``{type, timestamp, data}``."""

    slug = "standard_webhooks"
    name = "Standard Webhooks"
    category = Category.GENERIC
    homepage = "https://www.standardwebhooks.com"
    Settings = StandardWebhooksSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    identity_headers = IDS
    signs_time = True

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """HMAC-SHA256 over id, time and body, under the webhook-… or svix-… headers; five minutes either way."""
        check_standard(inbound.headers, inbound.body, settings["secret"], inbound.received_at)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return sign_standard(f"msg_{fingerprint(body)[:24]}", int(at.timestamp()), body, settings["secret"][:1])

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        sent = next((inbound.headers[name] for name in IDS if inbound.headers.get(name)), "")
        return read_picked(records(inbound), inbound, with_event_word(settings, "type"), sent)

"""Any sender of webhooks: a person says how it signs, and points at what stands where in a real message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.webhook.intake_settings import IntakeSettings
from connectors.webhook.signatures import check_signature, make_signature
from hub.contract import ALL_STAGES, Category, Conversion, Headers, Inbound, Kind, NotUnderstood, Reply, Source
from hub.toolkit.field_picker import records
from hub.toolkit.field_values import read_picked


class WebhookSource(Source):
    """JSON or form bodies of any shape."""

    slug = "webhook"
    name = "Webhook"
    category = Category.GENERIC
    homepage = "https://www.standardwebhooks.com"
    Settings = IntakeSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    identity_headers = ("webhook-id", "svix-id")
    signs_time = True

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """Probes without content (GET, HEAD), the CloudEvents handshake (OPTIONS), and Slack-like challenges."""
        if inbound.method in ("GET", "HEAD", "OPTIONS") and not inbound.query and not inbound.body:
            origin = inbound.headers.get("webhook-request-origin", "")
            allowed = {"WebHook-Allowed-Origin": origin} if re.fullmatch(r"[\w.:-]{1,255}", origin) else {}
            return Reply(200, Headers(allowed))
        if b"url_verification" not in inbound.body[:2000]:
            return None
        try:
            body = inbound.json()
        except NotUnderstood:
            return None
        challenge = body.get("challenge") if isinstance(body, dict) and body.get("type") == "url_verification" else None
        if not isinstance(challenge, str) or not re.fullmatch(r"[\w.-]{1,200}", challenge):
            return None
        return Reply(200, Headers({"Content-Type": "text/plain"}), challenge.encode())

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """By the scheme the person chose; over the body's bytes."""
        check_signature(inbound, settings)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        return make_signature(body, settings, at)

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        sent = inbound.headers.get("webhook-id") or inbound.headers.get("svix-id") or ""
        return read_picked(records(inbound), inbound, settings, sent)

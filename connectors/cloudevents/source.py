"""CloudEvents 1.0 over HTTP (github.com/cloudevents/spec: http-protocol-binding.md, http-webhook.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from hub.contract import (
    ALL_STAGES,
    Category,
    Conversion,
    Headers,
    Inbound,
    Kind,
    NotUnderstood,
    Reply,
    Secrets,
    SettingsSchema,
    Source,
    Text,
    Unsigned,
)
from hub.toolkit.field_values import PickedSettings, read_picked, with_event_word
from hub.toolkit.paths import required_text
from hub.toolkit.signing import check_token

ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject")


class TokenSettings(SettingsSchema):
    token = Secrets(
        Text("Access token", "Jeton d'accès"),
        help=Text(
            "Sent as Authorization: Bearer, or as access_token in the address. Without one, messages count as claimed.",
            "Envoyé comme Authorization: Bearer, ou access_token dans l'adresse. Sans lui, les messages sont déclarés.",
        ),
    )


class CloudEventsSettings(PickedSettings, TokenSettings):
    """The token, then where things stand."""


class CloudEvents(Source):
    """Events in binary, structured or batched mode, whose data is JSON of any shape."""

    slug = "cloudevents"
    name = "CloudEvents"
    category = Category.GENERIC
    homepage = "https://cloudevents.io"
    Settings = CloudEventsSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    identity_headers = ("ce-source", "ce-id", "ce-type")
    signs_body = False

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """OPTIONS with the sender's origin: the same origin may send. Other probes without content get a plain 200."""
        if inbound.body or inbound.method not in ("OPTIONS", "GET", "HEAD"):
            return None
        origin = inbound.headers.get("webhook-request-origin", "")
        rate = inbound.headers.get("webhook-request-rate", "")
        answer = {"WebHook-Allowed-Origin": origin} if re.fullmatch(r"[\w.:*-]{1,255}", origin) else {}
        answer |= {"WebHook-Allowed-Rate": rate} if answer and re.fullmatch(r"\d{1,6}", rate) else {}
        return Reply(200, Headers(answer))

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """A bearer token, in a header or in the query. It does not cover the body."""
        scheme, _, header = inbound.headers.get("authorization", "").partition(" ")
        [in_query, *_] = parse_qs(inbound.query).get("access_token") or [""]
        given = header.strip() if scheme.lower() == "bearer" else in_query
        if not given and not settings["token"]:
            raise Unsigned
        check_token(given, settings["token"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {"Authorization": f"Bearer {settings['token'][0]}"} if settings["token"] else {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        for event in _events(inbound):
            # An event is named by its source and id together.
            name = f"{required_text(event, 'source')}#{required_text(event, 'id')}"
            required_text(event, "type")
            for conversion in read_picked([event], inbound, with_event_word(settings, "type")):
                conversion.event_id = name
                yield conversion


def _events(inbound: Inbound) -> list[dict[str, Any]]:
    body = inbound.json()
    if inbound.headers.get("ce-specversion"):
        if not isinstance(body, dict):
            raise NotUnderstood("The event's data is JSON, but no object.")
        return [{name: inbound.headers.get(f"ce-{name}") for name in ATTRIBUTES} | {"data": body}]
    found = body if isinstance(body, list) else [body]
    if not all(isinstance(event, dict) and event.get("specversion") for event in found):
        raise NotUnderstood("The message is no CloudEvent: it has neither ce-… headers nor a specversion.")
    return found

"""What a person sets on the generic webhook source."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from hub.contract import Choice, Secrets, SettingsSchema, Text, Words
from hub.toolkit.field_values import PickedSettings


class SchemeSettings(SettingsSchema):
    """How the sender proves itself."""

    scheme = Choice(
        Text("How the sender signs", "Comment l'expéditeur signe"),
        {
            "standard_webhooks": Text(
                "Standard Webhooks (whsec_…, also Svix)", "Standard Webhooks (whsec_…, aussi Svix)"
            ),
            "hmac_hex": Text("HMAC-SHA256 in a header, hexadecimal", "HMAC-SHA256 dans un en-tête, hexadécimal"),
            "hmac_base64": Text("HMAC-SHA256 in a header, base64", "HMAC-SHA256 dans un en-tête, base64"),
            "token_header": Text("A fixed password in a header", "Un mot de passe fixe dans un en-tête"),
            "secret_address": Text("Not at all: the address is secret", "Pas du tout : l'adresse est secrète"),
        },
        help=Text(
            "Look for “signature” or “verify” in the sender's help. Unsigned messages count as claimed, not proven.",
            "Cherchez « signature » dans l'aide de l'expéditeur. Sans signature, un message est déclaré, non prouvé.",
        ),
        load_default="secret_address",
    )
    secret = Secrets(
        Text("Secret", "Secret"),
        help=Text(
            "The signing secret or the password. Two lines while you change it.",
            "Le secret de signature ou le mot de passe. Deux lignes pendant un changement.",
        ),
        placeholder="whsec_…",
    )
    header = Words(
        Text("Header with the signature or password", "En-tête de la signature ou du mot de passe"),
        help=Text("Not needed for Standard Webhooks.", "Inutile pour Standard Webhooks."),
        placeholder="X-Signature",
        load_default="",
    )
    prefix = Words(
        Text("What stands before the signature", "Ce qui précède la signature"),
        help=Text("In that header, such as sha256= or v1=.", "Dans cet en-tête, comme sha256= ou v1=."),
        placeholder="sha256=",
        load_default="",
    )
    timestamp_header = Words(
        Text("Header with the time", "En-tête de l'heure"),
        help=Text(
            "If the sender signs a time. It may be the same header (t=…,v1=…).",
            "Si l'expéditeur signe une heure. Ce peut être le même en-tête (t=…,v1=…).",
        ),
        load_default="",
    )
    signed = Choice(
        Text("What is signed", "Ce qui est signé"),
        {
            "body": Text("The body", "Le corps"),
            "timestamp.body": Text("The time, a dot, the body", "L'heure, un point, le corps"),
        },
        help=Text(
            "With a time header, nearly always the second.", "Avec un en-tête d'heure, presque toujours le second."
        ),
        load_default="body",
    )

    @validates_schema
    def _check_scheme(self, data: dict[str, Any], **_: Any) -> None:
        if data["scheme"] in ("hmac_hex", "hmac_base64", "token_header") and not data["header"]:
            raise ValidationError("Enter the name of the header that carries it.", "header")
        if data["signed"] == "timestamp.body" and not data["timestamp_header"]:
            raise ValidationError("Enter the name of the header that carries the time.", "timestamp_header")


class IntakeSettings(PickedSettings, SchemeSettings):
    """How the sender proves itself, where things stand in its messages, and what its words mean."""

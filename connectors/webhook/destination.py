"""Outgoing webhooks, signed the Standard Webhooks way.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (1.0.0). The body is
``{"type", "timestamp", "data"}``; every type has the same ``data``, which about.en.md lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validates_schema

from hub.contract import (
    BadCredentials,
    Call,
    Category,
    Destination,
    Field,
    Kind,
    NotVerified,
    Recipe,
    Record,
    Secret,
    Secrets,
    SettingsSchema,
    SignedBody,
    Text,
    Url,
    Words,
)
from hub.contract.conversion import iso
from hub.toolkit.signing import standard_key

TYPES = {  # a stage that was reached is named conversion.<stage>.created
    Kind.RENEWAL: "order.renewed",
    Kind.REFUND: "order.refunded",
    Kind.DISPUTE: "order.disputed",
    Kind.CANCELLATION: "order.canceled",
    Kind.PENDING: "order.pending",
    Kind.CONTACT: "contact.updated",
}
KEY_BYTES = range(24, 65)  # what the specification asks of a secret
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TAKEN_HEADERS = {"host", "content-length", "content-type", "connection", "transfer-encoding", "user-agent"}


class WebhookSettings(SettingsSchema):
    """The receiver's address, the signing secrets, and a plain password header for receivers that cannot verify."""

    url = Url(
        Text("Address", "Adresse"),
        help=Text("Where the hub posts each conversion.", "Où le hub envoie chaque conversion."),
        placeholder="https://example.com/hooks/conversions",
        required=True,
    )
    secret = Secrets(
        Text("Signing secret", "Secret de signature"),
        help=Text(
            "Give it to the receiver, which checks the signature with it. Two lines while you change it.",
            "À donner au récepteur, qui vérifie la signature avec. Deux lignes pendant un changement.",
        ),
        placeholder="whsec_…",
        generate="whsec",
    )
    plain_header = Words(
        Text("Password header (optional)", "En-tête de mot de passe (facultatif)"),
        help=Text(
            "For receivers that cannot check a signature: the name of one more header.",
            "Pour les récepteurs qui ne vérifient pas de signature : le nom d'un en-tête de plus.",
        ),
        placeholder="X-Webhook-Token",
        load_default="",
    )
    plain_token = Secret(
        Text("Password in that header", "Mot de passe dans cet en-tête"),
        help=Text("The value that the receiver expects there.", "La valeur que le récepteur y attend."),
        load_default="",
    )

    @validates_schema
    def _check_together(self, data: dict[str, Any], **_: Any) -> None:
        for secret in data["secret"]:
            _check_secret(secret)
        header, token = data["plain_header"], data["plain_token"]
        if bool(header) != bool(token):
            missing = "plain_token" if header else "plain_header"
            raise ValidationError("Give both the header's name and its value, or neither.", missing)
        taken = header.lower() in _TAKEN_HEADERS or header.lower().startswith("webhook-")
        if header and (taken or not _HEADER_NAME.fullmatch(header)):
            raise ValidationError("Choose another header name, such as X-Webhook-Token.", "plain_header")
        if not token.isprintable() or not token.isascii():
            raise ValidationError("Only plain letters, digits and signs fit into a header.", "plain_token")


def _check_secret(secret: str) -> None:
    try:
        size = len(standard_key(secret))
    except NotVerified as error:
        raise ValidationError(error.message, "secret") from None
    if size not in KEY_BYTES:
        raise ValidationError("A signing secret holds 24 to 64 bytes: let the hub generate one.", "secret")


@dataclass(frozen=True)
class SignedWithPassword(SignedBody):
    """The signature, plus the receiver's own password header when one is set."""

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        super().apply(settings, headers, params)
        if settings["plain_header"]:
            headers[settings["plain_header"]] = settings["plain_token"]


class Webhook(Destination):
    """Any HTTP receiver: n8n, Make, your own code."""

    slug = "webhook"
    name = "Webhook"
    category = Category.GENERIC
    homepage = "https://www.standardwebhooks.com"
    Settings = WebhookSettings
    auth = SignedWithPassword()
    kinds = frozenset(Kind)
    fields = (
        Field("id", Text("Conversion id", "Identifiant de la conversion"), required=True),
        Field("kind", Text("Kind", "Nature")),
        Field("stage", Text("Stage", "Étape")),
        Field("occurred_at", Text("Time", "Date et heure"), "datetime"),
        Field("test", Text("Test", "Test"), "boolean"),
        Field("order_id", Text("Order id", "Numéro de commande")),
        Field("value", Text("Amount", "Montant"), "money"),
        Field("currency", Text("Currency", "Devise")),
        Field("recurring", Text("Part of a subscription", "Lié à un abonnement"), "boolean"),
        Field("subscription_id", Text("Subscription id", "Identifiant d'abonnement")),
        Field("reason", Text("Reason (lead)", "Raison (lead)")),
        Field("coupon", Text("Coupon", "Code promo")),
        Field("offer", Text("Offer", "Offre")),
        Field("contact", Text("Contact", "Contact"), "object"),
        Field("items", Text("Order lines", "Lignes de commande"), "list"),
        Field("order", Text("Order so far", "Commande à ce jour"), "object"),
        Field("customer", Text("Customer so far", "Client à ce jour"), "object"),
        Field("campaigns", Text("Campaign ids and tags", "Campagnes : identifiants et tags"), "object"),
        Field("campaign_names", Text("Campaign names", "Noms des campagnes"), "list"),
        Field("context", Text("Visit (page, utm, click ids)", "Visite (page, utm, identifiants de clic)"), "object"),
        Field("consent", Text("Consent", "Consentement"), "object"),
        Field("extra", Text("Other data of the sender", "Autres données de l'expéditeur"), "object"),
    )
    default_mapping = {"id": {"from": "event_id"}} | {field.key: {"from": field.key} for field in fields[1:]}

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One POST. Keys without a value are left out, at every depth, so that the body stays small."""
        if not settings["secret"] and not settings["plain_token"]:
            raise BadCredentials("No signing secret is set: generate one on this destination's page.")
        body = {
            "type": event_type(record),
            "timestamp": iso(record.occurred_at),
            "data": _without_empty(record.values),
        }
        # The id and its time are joined by dots in what is signed, so the id may hold none.
        yield Call.post(settings["url"], json=body, idempotency_key=record.event_id.replace(".", "_"), timeout=15)


def event_type(record: Record) -> str:
    """The dot-separated type: ``conversion.purchase.created``, ``order.refunded`` …"""
    return TYPES.get(record.kind) or f"conversion.{record.stage}.created"


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in values.items():
        kind = type(value)
        if kind is dict:
            value = _without_empty(value)
        elif kind is list:
            value = [_without_empty(part) if isinstance(part, dict) else part for part in value]
        if value or kind in _NEVER_EMPTY:
            kept[key] = value
    return kept


_NEVER_EMPTY = frozenset({bool, int, float, Decimal})  # zero and no are values

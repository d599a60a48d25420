"""What a person sets on the generic webhook source."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from connectors.webhook.paths import NAMES
from hub.contract import Choice, Currency, Paths, Secrets, SettingsSchema, Stage, Table, Text, Words
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS


class IntakeSettings(SettingsSchema):
    """How the sender proves itself, where things stand in its messages, and what its words mean."""

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
    paths = Paths(
        Text("Where things stand", "Où se trouvent les données"),
        names=NAMES,
        help=Text(
            "Pick them from a real message. What is left out is looked for under usual names such as customer.email. "
            "A name of your own is kept as extra data.",
            "Choisissez-les dans un vrai message. Le reste est cherché sous des noms usuels comme customer.email. "
            "Un nom à vous est gardé comme donnée supplémentaire.",
        ),
    )
    stage = Choice(
        Text("Stage", "Étape"),
        STAGE_LABELS,
        help=Text("What a message means that does not say.", "Ce que signifie un message qui ne le dit pas."),
        load_default=Stage.PURCHASE.value,
    )
    stage_values = Table(
        Text("Words for stages", "Mots pour les étapes"),
        choices=STAGE_LABELS,
        help=Text(
            "The sender's word → the stage. A word that is in no table is not used.",
            "Le mot de l'expéditeur → l'étape. Un mot absent des tableaux n'est pas utilisé.",
        ),
        placeholder="order.paid",
    )
    kind_values = Table(
        Text("Words for kinds", "Mots pour les natures"),
        choices=KIND_LABELS,
        help=Text(
            "The sender's word → refund, renewal, cancellation …",
            "Le mot de l'expéditeur → remboursement, renouvellement, annulation …",
        ),
        placeholder="order.refunded",
    )
    currency = Currency(
        Text("Default currency", "Devise par défaut"),
        help=Text("When the message names none.", "Si le message n'en indique pas."),
        placeholder="EUR",
        load_default="",
    )
    amount_in = Choice(
        Text("Amounts are", "Les montants sont"),
        {
            "major": Text("whole units: 49.99", "en unités : 49.99"),
            "minor": Text("cents: 4999", "en centimes : 4999"),
        },
        help=Text("Compare one message with its sale.", "Comparez un message à sa vente."),
        load_default="major",
    )

    @validates_schema
    def _check_scheme(self, data: dict[str, Any], **_: Any) -> None:
        if data["scheme"] in ("hmac_hex", "hmac_base64", "token_header") and not data["header"]:
            raise ValidationError("Enter the name of the header that carries it.", "header")
        if data["signed"] == "timestamp.body" and not data["timestamp_header"]:
            raise ValidationError("Enter the name of the header that carries the time.", "timestamp_header")

"""Typeform webhooks (typeform.com/developers/webhooks: example payload, secure your webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Choice,
    Contact,
    Conversion,
    Currency,
    Inbound,
    NotVerified,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Status,
    Table,
    Text,
    Unsigned,
)
from hub.contract.vocabulary import STAGE_LABELS
from hub.toolkit.amounts import read_money
from hub.toolkit.cleaning import clean_email, split_name
from hub.toolkit.conversion_facts import refused
from hub.toolkit.dates import first_time
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_hmac, make_hmac
from hub.toolkit.tracking import read_tracking

SIGNATURE = "Typeform-Signature"
PREFIX = "sha256="
Json = Mapping[str, Any]
PERSON = {
    "email": Text("E-mail", "E-mail"),
    "phone": Text("Phone", "Téléphone"),
    "first_name": Text("First name", "Prénom"),
    "last_name": Text("Last name", "Nom"),
    "full_name": Text("Full name", "Nom complet"),
    "external_id": Text("Your id of the person", "Votre identifiant de la personne"),
    "city": Text("City", "Ville"),
    "country": Text("Country", "Pays"),
}


class TypeformSettings(SettingsSchema):
    secret = Secrets(
        Text("Secret", "Secret"),
        help=Text(
            "The one you enter in Typeform with the webhook. Without it messages count as claimed, not proven.",
            "Celui que vous saisissez dans Typeform avec le webhook. Sans lui, les messages sont déclarés, non prouvés.",
        ),
    )
    stage = Choice(
        Text("An answered form is", "Un formulaire rempli est"),
        STAGE_LABELS,
        help=Text("A form with a paid payment question is a Purchase.", "Un formulaire payé est un achat."),
        load_default=Stage.COMPLETE_REGISTRATION.value,
    )
    answers = Table(
        Text("Who answers", "Qui répond"),
        choices=PERSON,
        help=Text(
            "A question's reference → what its answer is. E-mail and phone questions are known by themselves.",
            "La référence d'une question → ce qu'est sa réponse. Les questions e-mail et téléphone sont reconnues.",
        ),
        placeholder="first_name",
    )
    currency = Currency(
        Text("Default currency", "Devise par défaut"),
        help=Text("When a payment does not say it.", "Si un paiement ne l'indique pas."),
        load_default="",
    )


class Typeform(Source):
    """Answered forms, and what was paid in them."""

    slug = "typeform"
    name = "Typeform"
    category = Category.FORMS
    status = Status.BETA  # where a payment's currency stands is not documented
    homepage = "https://www.typeform.com"
    Settings = TypeformSettings
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Your form › Connect › Webhooks › Add a webhook; then Edit › Secret, and switch it on",
            "Votre formulaire › Connect › Webhooks › Add a webhook ; puis Edit › Secret, et activez-le",
        ),
        note=Text(
            "Hidden fields named utm_source, gclid, webinarId … are read: add them to the form and to its link.",
            "Les champs cachés nommés utm_source, gclid, webinarId … sont lus : ajoutez-les au formulaire et à son lien.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Json) -> None:
        """Base64 HMAC-SHA256 of the raw body. Typeform signs only where a secret was entered."""
        header = inbound.headers.get(SIGNATURE, "").strip()
        if not header and not settings["secret"]:
            raise Unsigned
        if not header.startswith(PREFIX):
            raise NotVerified(
                f"The header {SIGNATURE} is missing: the message is not signed.", reason="signature_missing"
            )
        check_hmac(inbound.body, [header.removeprefix(PREFIX)], settings["secret"], encoding="base64")

    def rehearse(self, body: bytes, settings: Json, at: datetime, key: bytes) -> dict[str, str]:
        return {SIGNATURE: PREFIX + make_hmac(body, settings["secret"][0], encoding="base64")}

    def normalize(self, inbound: Inbound, settings: Json) -> Iterable[Conversion]:
        event = inbound.json()
        if event["event_type"] != "form_response":
            return []
        response = event["form_response"]
        conversion = Conversion(required_text(event, "event_id"), stage=Stage(settings["stage"]))
        times = response.get("submitted_at"), response.get("landed_at")
        conversion.occurred_at, conversion.flags = first_time(*times, fallback=inbound.received_at)
        conversion.offer = text(dig(response, "definition.title"))
        conversion.extra = {"form_id": required_text(response, "form_id")}
        hidden = read_tracking(conversion, response.get("hidden") or {})
        _read_person(conversion, {**hidden, **_named_answers(response, settings["answers"])})
        if hidden:
            conversion.extra["hidden"] = hidden
        if said := {name: value for name, value in _answers(response) if value not in (None, "")}:
            conversion.extra["answers"] = said
        _read_payment(conversion, response, settings["currency"])
        return [conversion]


def _answers(response: Json) -> Iterator[tuple[str, Any]]:
    """(the question's reference, its answer). Questions that were skipped are left out by Typeform."""
    for answer in response.get("answers") or []:
        value = answer.get(answer["type"])
        chosen = (
            (dig(value, "label") or dig(value, "labels") or dig(value, "other")) if isinstance(value, dict) else value
        )
        yield text(dig(answer, "field.ref")) or required_text(answer, "field.id"), chosen


def _named_answers(response: Json, chosen: Mapping[str, str]) -> dict[str, Any]:
    found = {"email": dig(response, "answers[].email"), "phone": dig(response, "answers[].phone_number")}
    named: dict[str, Any] = {name: values[0] for name, values in found.items() if values}
    for ref, value in _answers(response):
        if name := chosen.get(ref) or (ref if ref in PERSON else None):
            named[name] = value
    return named


def _read_person(conversion: Conversion, given: Json) -> None:
    said = {name: text(given.get(name)) for name in PERSON}
    first, last = split_name(said.pop("full_name"))
    said["email"], problem = clean_email(said["email"] or "")
    conversion.flags += ["email_not_readable"] if problem else []
    conversion.contact = Contact(**said)
    if not conversion.contact.first_name:
        conversion.contact.first_name, conversion.contact.last_name = first, conversion.contact.last_name or last


def _read_payment(conversion: Conversion, response: Json, default: str) -> None:
    """The first payment answer makes it a sale. The currency stands with the amount or the question (unconfirmed)."""
    paid = next((answer for answer in response.get("answers") or [] if answer["type"] == "payment"), None)
    if paid is None:
        return
    payment, asked = paid["payment"], dig(paid, "field.id")
    questions = dig(response, "definition.fields[]") or []
    currency = next((dig(each, "properties.currency") for each in questions if dig(each, "id") == asked), None)
    money = read_money(payment["amount"], payment.get("currency") or currency, default)
    conversion.value, conversion.currency = money
    conversion.order_id = required_text(response, "token")
    conversion.stage = Stage.PURCHASE
    if payment.get("success") is False:
        conversion.stage, conversion.reason = Stage.LEAD, refused()["reason"]

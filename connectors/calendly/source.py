"""Calendly webhooks (developer.calendly.com: webhook signatures, Webhook Payload)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Inbound,
    Kind,
    NotUnderstood,
    Secrets,
    SettingsSchema,
    Snippet,
    Stage,
    Text,
)
from hub.toolkit.conversion_facts import major_money, read_person
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import PURCHASE, REGISTRATION
from hub.toolkit.hmac_source import TimedHmacSource
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.tracking import read_tracking

PERSON = {
    "email": "email",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "text_reminder_number",
}


class CalendlySettings(SettingsSchema):
    secret = Secrets(
        Text("Signing key", "Clé de signature"),
        help=Text(
            "The signing_key that you chose, or were given, when the webhook was created.",
            "La signing_key que vous avez choisie, ou reçue, à la création du webhook.",
        ),
    )


class Calendly(TimedHmacSource):
    """Bookings, paid bookings and cancellations."""

    slug = "calendly"
    name = "Calendly"
    category = Category.FORMS
    homepage = "https://calendly.com"
    Settings = CalendlySettings
    stages = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE})
    kinds = frozenset({Kind.CONVERSION, Kind.CANCELLATION})
    signature_header = "Calendly-Webhook-Signature"
    tolerance = 180  # as Calendly's own examples have it
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "No page: webhooks are created through Calendly's API (POST /webhook_subscriptions), on paid plans",
            "Pas de page : les webhooks se créent par l'API de Calendly (POST /webhook_subscriptions), offres payantes",
        ),
        events=("invitee.created", "invitee.canceled"),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        name, booking = event["event"], event["payload"]
        if name not in ("invitee.created", "invitee.canceled"):
            return []
        if booking.get("rescheduled") is True or booking.get("old_invitee"):
            return []  # the same booking at another time: neither a cancellation nor a second registration
        booking_id = _last_part(booking)
        conversion = Conversion(f"{booking_id}:{name}", contact=read_person(booking, PERSON))
        if payment_id := text(dig(booking, "payment.external_id")):  # what Stripe or PayPal calls the same payment
            conversion.order_id, conversion.order_aliases = payment_id, [booking_id]
        if name == "invitee.canceled":
            conversion.kind, conversion.reason = Kind.CANCELLATION, text(dig(booking, "cancellation.reason"))
        else:
            _read_stage(conversion, booking)
        times = event.get("created_at"), booking.get("created_at")
        conversion.occurred_at, conversion.flags = first_time(*times, fallback=inbound.received_at)
        conversion.offer = text(dig(booking, "scheduled_event.name"))
        conversion.extra = {"booking_id": booking_id, **_extra(booking)}
        read_tracking(conversion, booking.get("tracking") or {})
        return [conversion]


def _read_stage(conversion: Conversion, booking: Mapping[str, Any]) -> None:
    payment = booking.get("payment") or {}
    paid = payment.get("successful") is True
    conversion.stage = (PURCHASE if paid else REGISTRATION)["stage"]
    if paid:
        money = major_money(payment["amount"], payment["currency"])
        conversion.value, conversion.currency = money["value"], money["currency"]
        conversion.order_id = conversion.order_id or _last_part(booking)


def _last_part(booking: Mapping[str, Any]) -> str:
    last = required_text(booking, "uri").rstrip("/").rpartition("/")[2]
    if not last:
        raise NotUnderstood("The booking's address names no booking.")
    return last


def _extra(booking: Mapping[str, Any]) -> dict[str, Any]:
    answers = {
        required_text(each, "question"): each.get("answer") for each in booking.get("questions_and_answers") or []
    }
    extra = {"starts_at": text(dig(booking, "scheduled_event.start_time")), "answers": answers}
    return {name: value for name, value in extra.items() if value}

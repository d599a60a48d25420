"""Brevo: contacts with their attributes, and events that start automations.

Sources, under developers.brevo.com: reference/create-contact, reference/get-attributes, reference/create-attribute,
docs/event-endpoints. ``emailBlacklisted`` is never sent: with false, people who unsubscribed would be written to again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from hub.contract import (
    ApiKeyHeader,
    BadMapping,
    Call,
    Field,
    Limits,
    Number,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Text,
    TryLater,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, LISTED_FOR, Crm, Listed, by_account_key, expected, flat, listed_fields
from hub.toolkit.email_tools import (
    CONSENT,
    EVENT_FIELD_KEYS,
    EVENT_FIELDS,
    EmailTool,
    agreed,
    event_mapping,
    event_properties,
    filled,
    person_fields,
    person_mapping,
    require_email,
)
from hub.toolkit.paths import dig, text

API = "https://api.brevo.com/v3"
PERSON = {"email": "email", "FIRSTNAME": "first_name", "LASTNAME": "last_name", "SMS": "phone"}
STANDARD = ("FIRSTNAME", "LASTNAME", "SMS")  # every account has these attributes
IDENTIFIERS = ("SMS", "ext_id", "WHATSAPP")  # each may belong to one contact only
TYPES = {"float": "number", "date": "datetime", "boolean": "boolean"}
CREATED_AS = {"number": "float", "integer": "float", "datetime": "date"}


class BrevoSettings(SettingsSchema):
    """The account's key, and where consenting people go."""

    api_key = key_setting(
        Text(
            "Brevo: your name, SMTP & API, API keys. It starts with xkeysib-.",
            "Brevo : votre nom, SMTP & API, Clés API. Elle commence par xkeysib-.",
        ),
        placeholder="xkeysib-…",
    )
    list_id = Number(
        Text("List for people who agreed to e-mail", "Liste des personnes ayant accepté les e-mails"),
        help=Text(
            "Its number in Contacts, Lists. All others stay outside of lists, so they get no campaigns.",
            "Son numéro dans Contacts, Listes. Les autres restent hors des listes : ils ne reçoivent aucune campagne.",
        ),
        load_default=None,
        allow_none=True,
    )


class Brevo(EmailTool, Crm):
    """Adds and updates contacts without ever changing whether they may be written to."""

    slug = "brevo"
    name = "Brevo"
    homepage = "https://www.brevo.com"
    Settings = BrevoSettings
    auth = ApiKeyHeader("api-key")
    limits = Limits(per_second=10, concurrency=4)  # the lowest plan's for contacts
    exists_already = (400,)
    fields = person_fields({**PERSON, **HUB_KEYS}, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {**person_mapping({**PERSON, **HUB_KEYS}), **event_mapping()}

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{API}/contacts/attributes", cache_seconds=cache_seconds)
        told = dig(reply.json(), "attributes[]")
        if told is None and cache_seconds:
            return expected(str.upper)
        return listed_fields(
            told, "name", "name", "type", types=TYPES, wanted=lambda row: row.get("category") in ("normal", "category")
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = CREATED_AS.get(field.type, "text")
        yield Call.post(f"{API}/contacts/attributes/normal/{field.key.upper()}", json={"type": kind})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The contact, then its event. An attribute of a wrong type is dropped by Brevo without a word."""
        email = require_email(record, self.name)
        listed = yield from self.list_fields(settings, LISTED_FOR)
        fixed = {*PERSON, CONSENT, "ext_id", *EVENT_FIELD_KEYS}
        found, warning = by_account_key(record.values, listed, fixed)
        contact: dict[str, Any] = {"email": email, "updateEnabled": True}
        own = {key: _plain(field, value) for key, (field, value) in found.items()}
        contact["attributes"] = filled(record.values, STANDARD) | own
        if agreed(record) and settings["list_id"] and not (yield from _has_left(email, settings["list_id"])):
            contact["listIds"] = [settings["list_id"]]
        yield Call.post(f"{API}/contacts", json=contact)
        if record.values.get("event_name"):
            yield Call.post(f"{API}/events", json=_event(record, email))
        return Outcome.delivered(warning)

    def judge(self, reply: Reply) -> Outcome | None:
        """Brevo names what is wrong in ``code``; after a 429 it says when to come back in a header of its own."""
        body = reply.json() if not reply.ok else None
        words = text(dig(body, "message")) or ""
        if reply.status == 429:
            wait = reply.headers.get("x-sib-ratelimit-reset", "")
            raise TryLater(
                "Brevo asks us to slow down.",
                after=float(wait) if wait.isdigit() else None,
                whole_connection=True,
                detail=words,
            )
        if reply.status == 400 and text(dig(body, "code")) == "duplicate_parameter":
            field = next((name for name in IDENTIFIERS if name.lower() in words.lower()), "")
            raise BadMapping(field, "Another contact at Brevo has this identifier.", status=400, detail=words)
        if reply.status == 400 and text(dig(body, "code")) == "invalid_parameter" and "email" in words.lower():
            raise Refused("Brevo does not take this e-mail address.", status=400, detail=words)
        return None


def _has_left(email: str, list_id: int) -> Generator[Call, Reply, bool]:
    """Whether the person unsubscribed, from all or from this list: only they can come back."""
    try:
        reply = yield Call.get(f"{API}/contacts/{quote(email, safe='')}")
    except Refused as error:
        if error.status != 404:
            raise
        return False
    known = reply.json()
    return dig(known, "emailBlacklisted") is not False or list_id in (dig(known, "listUnsubscribed") or [])


def _plain(field: Field, value: Any) -> Any:
    """Dates are days at Brevo."""
    return str(value)[:10] if field.type == "datetime" else flat(value)


def _event(record: Record, email: str) -> dict[str, Any]:
    return {
        "event_name": record.values["event_name"],
        "event_date": record.occurred_at.isoformat(timespec="milliseconds"),
        "identifiers": {"email_id": email},
        "event_properties": event_properties(record),
    }

"""Loops: contacts with their properties, and events that start workflows.

Sources, under loops.so/docs/api-reference: intro (10 calls a second), find-contact, create-contact, update-contact,
send-event (``Idempotency-Key``; 409 when it was seen before), list-contact-properties, create-contact-property.
``subscribed`` is sent for new contacts only: with true, people who left would be written to again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

from hub.contract import (
    Bearer,
    Call,
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Result,
    SettingsSchema,
    Text,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import (
    HUB_KEYS,
    LISTED_FOR,
    Crm,
    Listed,
    by_account_key,
    expected,
    find_or_create,
    flat,
    listed_fields,
)
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

API = "https://app.loops.so/api/v1"
PERSON = {"email": "email", "firstName": "first_name", "lastName": "last_name", "userId": "external_id"}
FIXED = {*PERSON, CONSENT, *EVENT_FIELD_KEYS}
TYPES = {"number": "number", "boolean": "boolean", "date": "datetime"}
CREATED_AS = {"number": "number", "integer": "number", "datetime": "date"}


class LoopsSettings(SettingsSchema):
    """The team's key."""

    api_key = key_setting(Text("Loops: Settings, API, Generate key.", "Loops : Settings, API, Generate key."))


class Loops(EmailTool, Crm):
    """Adds and updates contacts; a new one is subscribed only with a recorded agreement."""

    slug = "loops"
    name = "Loops"
    homepage = "https://loops.so"
    Settings = LoopsSettings
    auth = Bearer("api_key")
    limits = Limits(per_second=8, concurrency=1)
    exists_already = (400, 409)
    fields = person_fields({**PERSON, **HUB_KEYS}, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {**person_mapping({**PERSON, **HUB_KEYS}), **event_mapping()}

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{API}/contacts/properties", cache_seconds=cache_seconds)
        told = reply.json()
        if not isinstance(told, list):
            return expected(_camel) if cache_seconds else {}
        return listed_fields(told, "key", "label", "type", types=TYPES)

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = CREATED_AS.get(field.type, "string")
        yield Call.post(f"{API}/contacts/properties", json={"name": _camel(field.key), "type": kind})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The contact, then its event, under a key by which Loops knows a second try."""
        email = require_email(record, self.name)
        found, warning = by_account_key(record.values, (yield from self.list_fields(settings, LISTED_FOR)), FIXED)
        contact = {"email": email, **filled(record.values, ("firstName", "lastName", "userId"))}
        contact |= {key: flat(value) for key, (_, value) in found.items()}
        yield from find_or_create(
            Call.get(f"{API}/contacts/find", params={"email": email}),
            lambda reply: text(dig(reply.json(), "[0].id")),
            lambda _: Call.put(f"{API}/contacts/update", json=contact),
            Call.post(f"{API}/contacts/create", json={**contact, "subscribed": agreed(record)}),
        )
        if record.values.get("event_name"):
            outcome = yield from _send_event(record, email)
            if outcome is not None:
                return outcome
        return Outcome.delivered(warning)

    def judge(self, reply: Reply) -> Outcome | None:
        """``success: false`` is a no, whatever the status."""
        body = reply.json()
        if reply.ok and dig(body, "success") is False:
            words = text(dig(body, "message")) or "no words"
            raise Refused(f"Loops refused: {words}", status=reply.status, detail=words)
        if reply.status == 409:
            words = text(dig(body, "message")) or ""
            raise Refused("Loops has this already.", status=409, detail=words, reason="had_it_already")
        return None


def _camel(key: str) -> str:
    """``hub_order_id`` → ``hubOrderId``, the only form that Loops takes."""
    first, *more = key.split("_")
    return first + "".join(part.capitalize() for part in more)


def _send_event(record: Record, email: str) -> Generator[Call, Reply, Outcome | None]:
    try:
        yield Call.post(
            f"{API}/events/send",
            json={
                "email": email,
                "eventName": record.values["event_name"],
                "eventProperties": {key: value for key, value in event_properties(record).items() if key != "items"},
            },
            headers={"Idempotency-Key": record.event_id[:100]},
        )
    except Refused as error:
        if error.status != 409:
            raise
        return Outcome(Result.DUPLICATE)
    return None

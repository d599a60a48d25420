"""Mailchimp: members of one audience, their merge fields, tags and events.

Sources, under mailchimp.com/developer/marketing: api/list-members/add-or-update-list-member (``status_if_new``),
api/list-member-tags, api/list-member-events, docs/errors. ``status`` is never sent: with it, people who unsubscribed
would be subscribed again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from hub.contract import (
    BadCredentials,
    BadMapping,
    Basic,
    Call,
    Choice,
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Text,
    TryLater,
    Words,
)
from hub.toolkit.email_tools import (
    TAGS_FIELDS,
    TAGS_MAPPING,
    EmailTool,
    agreed,
    listed,
    person_fields,
    person_mapping,
    require_email,
)
from hub.toolkit.paths import dig, text

from .merge_fields import MERGE_TAG, fields_of, merge_values

API_VERSION = "3.0"
EVENT_NAME = re.compile(r"[A-Za-z0-9_-]{2,30}")
LOCKED = ("Member In Compliance State", "Forgotten Email Not Subscribed")  # only the person can come back
HOURS = 3600.0  # seconds
KEYS = {"email": "email", "FNAME": "first_name", "LNAME": "last_name", "PHONE": "phone"}


class MailchimpSettings(SettingsSchema):
    """One account's key, one audience, and how a consenting person joins it."""

    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text(
            "Mailchimp: your profile, Extras, API keys. It ends with the data center, such as -us21.",
            "Mailchimp : votre profil, Extras, Clés API. Elle finit par le centre de données, par exemple -us21.",
        ),
        placeholder="0123456789abcdef0123456789abcdef-us21",
        required=True,
        validate=validate.Regexp(
            r"\A\S+-[a-z]{2,4}\d{1,3}\Z",
            error="A Mailchimp key ends with its data center, such as -us21: copy it whole.",
        ),
    )
    audience = Words(
        Text("Audience id", "Identifiant de l'audience"),
        help=Text(
            "Mailchimp: Audience, Settings, Audience name and defaults.",
            "Mailchimp : Audience, Paramètres, Nom et valeurs par défaut de l'audience.",
        ),
        placeholder="a1b2c3d4e5",
        required=True,
        validate=validate.Regexp(r"\A[A-Za-z0-9]{4,20}\Z", error="An audience id has only letters and digits."),
    )
    consenting = Choice(
        Text("New people who agreed to e-mail", "Nouvelles personnes ayant accepté les e-mails"),
        {
            "pending": Text("Ask them to confirm (double opt-in)", "Leur demander de confirmer (double opt-in)"),
            "subscribed": Text("Subscribe them at once", "Les abonner aussitôt"),
        },
        help=Text(
            "All others join as transactional: they get no campaigns.",
            "Les autres entrent comme transactionnels : ils ne reçoivent aucune campagne.",
        ),
        load_default="pending",
    )


class Mailchimp(EmailTool):
    """Adds and updates members without ever changing whether they are subscribed."""

    slug = "mailchimp"
    name = "Mailchimp"
    homepage = "https://mailchimp.com"
    Settings = MailchimpSettings
    auth = Basic("api_key", user="hub")
    fields = (
        *person_fields(KEYS, *TAGS_FIELDS),
        Field("event_name", Text("Event to record", "Événement à enregistrer"), max_length=30),
        Field("event_properties", Text("Event: properties", "Événement : propriétés"), "object"),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = {**person_mapping(KEYS), **TAGS_MAPPING}
    limits = Limits(concurrency=4)  # the account may have 10 at once, all tools together

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The key, then the audience by its name."""
        yield Call.get(f"{_base(settings)}/ping")
        reply = yield Call.get(_audience(settings), params={"fields": "name"})
        return f"Connected to the audience {text(dig(reply.json(), 'name')) or settings['audience']}."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """The audience's merge fields, beside the fixed ones; an address counts once for each of its parts."""
        reply = yield Call.get(f"{_audience(settings)}/merge-fields", params={"count": "1000"})
        fixed = [field for field in self.fields if not MERGE_TAG.fullmatch(field.key)]
        return fixed + [field for merge in dig(reply.json(), "merge_fields[]") or [] for field in fields_of(merge)]

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The member, then its tags, then the event: what can be repeated without harm comes first."""
        email = require_email(record, "Mailchimp")
        member = f"{_audience(settings)}/members/{_member_id(email)}"
        merge_fields, left_out = merge_values(record.values)
        status = settings["consenting"] if agreed(record) else "transactional"
        person = {"email_address": text(record.values["email"]), "status_if_new": status}
        try:
            yield Call.put(member, json=person | ({"merge_fields": merge_fields} if merge_fields else {}))
        except Refused as error:
            if error.reason != "person_suppressed":
                raise
            return Outcome.skipped("person_suppressed", error.detail)
        tags = _tags(record.values)
        if tags:
            yield Call.post(f"{member}/tags", json={"tags": tags})
        if record.values.get("event_name"):
            yield Call.post(f"{member}/events", json=_event(record))
        return Outcome.delivered(left_out)

    def judge(self, reply: Reply) -> Outcome | None:
        """Mailchimp says most things with a 400: people who may not be added, people to try later, bad fields."""
        body = reply.json() if reply.status in (400, 403, 404) else None
        title, detail = text(dig(body, "title")) or "", text(dig(body, "detail")) or ""
        words = f"{title}: {detail}"
        if reply.status == 400 and title in LOCKED:
            raise Refused(
                "This person left the audience, and only they can come back.",
                status=400,
                detail=words,
                reason="person_suppressed",
            )
        if reply.status == 400 and "lot of lists very recently" in detail:
            raise TryLater("Mailchimp takes this person for a fake sign-up for now.", after=6 * HOURS, detail=words)
        field = text(dig(body, "errors[0].field"))
        if reply.status == 400 and field:
            said = text(dig(body, "errors[0].message")) or detail
            raise BadMapping(field, f"Mailchimp refused {field}: {said}", status=400, detail=words)
        if reply.status == 403 and title:
            raise BadCredentials(f"Mailchimp refused this key: {detail}", status=403, detail=words)
        if reply.status == 404:
            raise Refused("Mailchimp does not know this audience. Check its id.", status=404, detail=words)
        return None


def _base(settings: Mapping[str, Any]) -> str:
    data_center = settings["api_key"].rpartition("-")[2]
    return f"https://{data_center}.api.mailchimp.com/{API_VERSION}"


def _audience(settings: Mapping[str, Any]) -> str:
    return f"{_base(settings)}/lists/{quote(settings['audience'], safe='')}"


def _member_id(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _tags(values: Mapping[str, Any]) -> list[dict[str, str]]:
    added = dict.fromkeys(listed(values.get("tags")), "active")
    removed = dict.fromkeys(listed(values.get("remove_tags")), "inactive")
    return [{"name": name, "status": status} for name, status in (removed | added).items()]


def _event(record: Record) -> dict[str, Any]:
    name = str(record.values["event_name"])
    if not EVENT_NAME.fullmatch(name):
        raise BadMapping(
            "event_name", f"An event's name has 2 to 30 letters, digits, _ or -; this one is “{name[:40]}”."
        )
    properties = record.values.get("event_properties") or {}
    return {
        "name": name,
        "properties": {key: str(value) for key, value in properties.items() if value is not None},
        "occurred_at": record.occurred_at.isoformat(timespec="seconds"),
    }

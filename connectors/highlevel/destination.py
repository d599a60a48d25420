"""HighLevel (GoHighLevel, LeadConnector): contacts of one sub-account, upserted.

Sources: HighLevel's OpenAPI documents (github.com/GoHighLevel/highlevel-api-docs: contacts upsert and tags, locations
custom fields), marketplace.gohighlevel.com/docs (Versioning, Rate limits: 100 calls in 10 seconds).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import quote

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
    Secret,
    SettingsSchema,
    Status,
    Text,
    Words,
)
from hub.toolkit.crm import (
    HUB_KEYS,
    LISTED_FOR,
    Crm,
    Listed,
    by_account_key,
    expected,
    flat,
    listed_fields,
    said,
    title,
)
from hub.toolkit.email_tools import TAGS_FIELDS, TAGS_MAPPING, filled, listed, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://services.leadconnectorhq.com"
API_VERSION = "2021-07-28"
KEYS = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "phone": "phone",
    "city": "city",
    "state": "region",
    "postalCode": "postal_code",
    "country": "country",
    **HUB_KEYS,
}
CONTACT = [key for key in KEYS if key not in HUB_KEYS]
FIXED = frozenset({*CONTACT, "tags", "remove_tags"})
TYPES = {
    "NUMERICAL": "number",
    "FLOAT": "number",
    "MONETORY": "money",
    "DATE": "datetime",
    "PHONE": "phone",
    "MULTIPLE_OPTIONS": "list",
    "CHECKBOX": "list",
}
CREATED_AS = {"number": "NUMERICAL", "integer": "NUMERICAL", "datetime": "DATE"}  # else a line of text
LONG = ("hub_summary", "hub_products")


class HighLevelSettings(SettingsSchema):
    """One sub-account."""

    access_token = Secret(
        Text("Private integration token", "Jeton d'intégration privée"),
        help=Text("Sub-account: Settings, Private Integrations.", "Sous-compte : Settings, Private Integrations."),
        placeholder="pit-…",
        required=True,
    )
    location_id = Words(
        Text("Location id", "Identifiant du sous-compte (location)"),
        help=Text("Sub-account: Settings, Business Profile.", "Sous-compte : Settings, Business Profile."),
        required=True,
    )


class HighLevel(Crm):
    """HighLevel itself finds or creates the contact; tags are added one by one, never replaced."""

    slug = "highlevel"
    name = "HighLevel"
    status = Status.BETA
    homepage = "https://www.gohighlevel.com"
    Settings = HighLevelSettings
    auth = Bearer("access_token")
    fields = (*fields_for(KEYS, required={"email"}), *TAGS_FIELDS)
    default_mapping = mapping_for(KEYS) | dict(TAGS_MAPPING)
    limits = Limits(per_second=8, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        url = f"{_location(settings)}/customFields?model=contact"
        reply = yield _call("GET", url, cache_seconds=cache_seconds)
        told = dig(reply.json(), "customFields[]")
        if told is None and cache_seconds:
            return expected()
        return listed_fields(
            told, "id", "name", "dataType", types=TYPES, names=["fieldKey"], options="picklistOptions[]"
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = "LARGE_TEXT" if field.key in LONG else CREATED_AS.get(field.type, "TEXT")
        body = {"name": title(field.key), "dataType": kind, "model": "contact"}
        yield _call("POST", f"{_location(settings)}/customFields", json=body)

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The contact, then its tags. Custom fields go by their id: by key they are lost without a word."""
        email = require_email(record, self.name)
        fields = yield from self.list_fields(settings, LISTED_FOR)
        found, warning = by_account_key(record.values, fields, FIXED)
        custom = [
            {"id": key, "field_value": str(value)[:10] if field.type == "datetime" else flat(value)}
            for key, (field, value) in found.items()
        ]
        body = {"locationId": settings["location_id"], **filled(record.values, CONTACT), "email": email}
        reply = yield _call("POST", f"{API}/contacts/upsert", json=body | ({"customFields": custom} if custom else {}))
        contact = text(dig(reply.json(), "contact.id"))
        if contact is None:
            return Outcome.refused("HighLevel answered without an error, but names no contact that it wrote.")
        tags = f"{API}/contacts/{quote(contact, safe='')}/tags"
        for method, names in (("DELETE", record.values.get("remove_tags")), ("POST", record.values.get("tags"))):
            if listed(names):
                yield _call(method, tags, json={"tags": listed(names)})
        known = (text(dig(reply.json(), "contact.email")) or email).lower()
        other = f"HighLevel took it for its contact {known}, by the phone number. " if known != email else ""
        return Outcome.delivered((other + warning).strip())

    def judge(self, reply: Reply) -> Outcome | None:
        """HighLevel's ``message`` may be a list of sentences."""
        if reply.status in (400, 404, 422):
            words = said(reply, "message")
            status = 409 if "already exist" in words.lower() else reply.status
            raise Refused("HighLevel refused.", status=status, detail=words)
        return None


def _call(method: str, url: str, **rest: Any) -> Call:
    return Call(method, url, headers={"Version": API_VERSION}, **rest)


def _location(settings: Mapping[str, Any]) -> str:
    return f"{API}/locations/{quote(settings['location_id'], safe='')}"

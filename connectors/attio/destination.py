"""Attio: people, asserted by e-mail.

Sources, under docs.attio.com: rest-api/endpoint-reference/people (assert a person record), …/attributes (create an
attribute), docs/attribute-types, rest-api/how-to/rate-limiting, rest-api/guides/errors.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import Any

from hub.contract import (
    BadMapping,
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
    Text,
)
from hub.toolkit.crm import HUB_KEYS, Crm, Listed, flat, listed_fields, refusal, title
from hub.toolkit.email_tools import filled, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

PEOPLE = "https://api.attio.com/v2/objects/people"
KEYS = {
    "email_addresses": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone_numbers": "phone",
    "locality": "city",
    "region": "region",
    "postcode": "postal_code",
    "country_code": "country",
    **HUB_KEYS,
}
LOCATION = ("locality", "region", "postcode", "country_code")
COMPOSED = frozenset({"email_addresses", "name", "phone_numbers", "primary_location"})  # made of the fixed fields
TYPES = {"number": "number", "currency": "money", "checkbox": "boolean", "date": "datetime", "timestamp": "datetime"}
CREATED_AS = {"number": "number", "integer": "number", "datetime": "timestamp"}  # else text
UNKNOWN = re.compile(r"attribute with slug/ID \W*([\w-]+)")


class AttioSettings(SettingsSchema):
    """One workspace's token."""

    access_token = Secret(
        Text("Access token", "Jeton d'accès"),
        help=Text(
            "Attio: Workspace settings, Developers, New access token. Scopes: records read-write, object configuration "
            "read-write.",
            "Attio : Paramètres de l'espace, Développeurs, Nouveau jeton. Portées : enregistrements et configuration "
            "des objets, en lecture et écriture.",
        ),
        required=True,
    )


class Attio(Crm):
    """One call a person: Attio itself finds or creates it."""

    slug = "attio"
    name = "Attio"
    homepage = "https://attio.com"
    Settings = AttioSettings
    auth = Bearer("access_token")
    fields = fields_for(KEYS, required={"email_addresses"})
    default_mapping = mapping_for(KEYS)
    limits = Limits(per_second=20, concurrency=1)  # 25 writes a second

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{PEOPLE}/attributes", params={"limit": "500"})
        return listed_fields(
            dig(reply.json(), "data[]"),
            "api_slug",
            "title",
            "type",
            types=TYPES,
            wanted=lambda row: row.get("api_slug") not in COMPOSED and row.get("is_writable") is not False,
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        definition = {
            "title": title(field.key),
            "description": field.label.en,
            "api_slug": field.key,
            "type": CREATED_AS.get(field.type, "text"),
            "is_required": False,
            "is_unique": False,
            "is_multiselect": False,
            "config": {},
        }
        yield Call.post(f"{PEOPLE}/attributes", json={"data": definition})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """Assert the person. Attio answers with the record it wrote."""
        email = require_email(record, self.name, "email_addresses")
        values = {"email_addresses": [email], **_composed(record.values)}
        values |= {key: flat(value) for key, value in filled(record.values, record.values).items() if key not in KEYS}
        values |= {key: flat(value) for key, value in filled(record.values, HUB_KEYS).items()}
        params = {"matching_attribute": "email_addresses"}
        reply = yield Call.put(f"{PEOPLE}/records", params=params, json={"data": {"values": values}})
        if not dig(reply.json(), "data.id.record_id"):
            return Outcome.refused("Attio answered without an error, but names no record that it wrote.")
        return Outcome.delivered()

    def judge(self, reply: Reply) -> Outcome | None:
        """Attio's ``code`` says what its status does not."""
        body = reply.json() if reply.status in (400, 403, 404, 409) else None
        code, words = text(dig(body, "code")), text(dig(body, "message")) or ""
        if match := UNKNOWN.search(words):
            raise BadMapping(match[1], f"Attio has no attribute {match[1]}. Press Prepare.", detail=words)
        if code == "concurrent_write_conflict":
            raise refusal(self.name, "later", words)
        if reply.status == 409:
            raise Refused("Attio has that already.", status=409, detail=words)
        return None


def _composed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attio's own attributes of several parts, all of which it wants named."""
    made: dict[str, Any] = {}
    first, last = text(values.get("first_name")) or "", text(values.get("last_name")) or ""
    if first or last:
        made["name"] = [{"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}]
    if values.get("phone_numbers"):
        made["phone_numbers"] = [{"original_phone_number": text(values["phone_numbers"])}]
    if filled(values, LOCATION):
        empty = ("line_1", "line_2", "line_3", "line_4", "latitude", "longitude")
        made["primary_location"] = [dict.fromkeys(empty) | {part: text(values.get(part)) for part in LOCATION}]
    return made

"""Airtable: one row for each person, found by the e-mail column.

Sources, under airtable.com/developers/web/api: update-multiple-records (``performUpsert``, 10 records), field-model,
create-field, get-base-schema, errors, rate-limits (5 requests a second and base; after a 429 wait 30 seconds).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from marshmallow import validate

from hub.contract import (
    BadMapping,
    Batch,
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
    Words,
)
from hub.toolkit.crm import HUB_KEYS, Crm, Listed, flat, listed_fields, people_of, refusal, title
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://api.airtable.com/v0"
KEYS = {
    "Email": "email",
    "First name": "first_name",
    "Last name": "last_name",
    "Phone": "phone",
    "City": "city",
    "Region": "region",
    "Postal code": "postal_code",
    "Country": "country",
    **HUB_KEYS,
}
TYPES = {
    "number": "number",
    "currency": "money",
    "percent": "number",
    "checkbox": "boolean",
    "date": "datetime",
    "dateTime": "datetime",
    "multipleSelects": "list",
    "email": "email",
    "phoneNumber": "phone",
}
READ_ONLY = frozenset(
    {
        "formula",
        "rollup",
        "count",
        "lookup",
        "multipleLookupValues",
        "createdTime",
        "lastModifiedTime",
        "createdBy",
        "lastModifiedBy",
        "autoNumber",
        "button",
        "aiText",
        "externalSyncSource",
    }
)
CREATED_AS: dict[str, dict[str, Any]] = {  # else multilineText
    "email": {"type": "email"},
    "phone": {"type": "phoneNumber"},
    "number": {"type": "number", "options": {"precision": 2}},
    "integer": {"type": "number", "options": {"precision": 0}},
    "datetime": {
        "type": "dateTime",
        "options": {"dateFormat": {"name": "iso"}, "timeFormat": {"name": "24hour"}, "timeZone": "utc"},
    },
}
NAMED = re.compile(r"Unknown field name: \W*([^\"]+)\"|Field \W*([^\"]+)\" cannot")


class AirtableSettings(SettingsSchema):
    """One table of one base."""

    access_token = Secret(
        Text("Personal access token", "Jeton d'accès personnel"),
        help=Text(
            "airtable.com/create/tokens. Scopes: data.records:read and :write, schema.bases:read and :write.",
            "airtable.com/create/tokens. Portées : data.records:read et :write, schema.bases:read et :write.",
        ),
        placeholder="pat…",
        required=True,
    )
    base = Words(
        Text("Base id", "Identifiant de la base"),
        help=Text("In the base's address, from app to the slash.", "Dans l'adresse de la base, de app à la barre."),
        placeholder="appXXXXXXXXXXXXXX",
        required=True,
        validate=validate.Regexp(r"\Aapp[A-Za-z0-9]{8,20}\Z", error="A base id begins with app."),
    )
    table = Words(
        Text("Table id", "Identifiant de la table"),
        help=Text("In the same address, from tbl to the slash.", "Dans la même adresse, de tbl à la barre."),
        placeholder="tblXXXXXXXXXXXXXX",
        required=True,
        validate=validate.Regexp(r"\Atbl[A-Za-z0-9]{8,20}\Z", error="A table id begins with tbl."),
    )


class Airtable(Crm):
    """Ten rows a call; Airtable itself finds each row by its e-mail, or adds it."""

    slug = "airtable"
    name = "Airtable"
    homepage = "https://airtable.com"
    Settings = AirtableSettings
    auth = Bearer("access_token")
    fields = fields_for(KEYS, required={"Email"})
    created = fields
    default_mapping = mapping_for(KEYS)
    batch = Batch(max_records=10)
    limits = Limits(per_second=4, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{API}/meta/bases/{quote(settings['base'])}/tables")
        tables = dig(reply.json(), "tables[]") or []
        table: Any = next((each for each in tables if dig(each, "id") == settings["table"]), None)
        return listed_fields(
            dig(table, "fields[]"),
            "name",
            "name",
            "type",
            types=TYPES,
            options="options.choices[].name",
            wanted=lambda row: row.get("type") not in READ_ONLY,
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        definition = {"name": title(field.key), **CREATED_AS.get(field.type, {"type": "multilineText"})}
        path = f"{quote(settings['base'])}/tables/{quote(settings['table'])}/fields"
        yield Call.post(f"{API}/meta/bases/{path}", json=definition)

    def deliver(self, records: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """One upsert for all. ``typecast``: Airtable reads texts as the column's own type, and adds new choices."""
        outcomes: dict[str, Outcome] = {}
        people = people_of(records, self.name, "Email", outcomes)
        if not people:
            return outcomes
        rows = [{"fields": {_column(key): flat(value) for key, value in person.values.items()}} for person in people]
        body = {"performUpsert": {"fieldsToMergeOn": ["Email"]}, "typecast": True, "records": rows}
        reply = yield Call.patch(f"{API}/{quote(settings['base'])}/{quote(settings['table'])}", json=body)
        written = len(dig(reply.json(), "records[].id") or [])
        missing = Outcome.refused(f"Airtable answered without an error, but wrote {written} of {len(rows)} rows.")
        outcome = Outcome.delivered() if written == len(rows) else missing
        for person in people:
            outcomes |= person.outcomes(outcome)
        return outcomes

    def judge(self, reply: Reply) -> Outcome | None:
        """Airtable's ``error.type``, and the wait that a 429 asks for without saying so."""
        if reply.ok or reply.status >= 500:
            return None
        error = dig(reply.json(), "error")
        words = text(error) or f"{text(dig(error, 'type')) or ''}: {text(dig(error, 'message')) or ''}"
        if reply.status == 429 and "BILLING_LIMIT" in words.upper():
            raise refusal(self.name, "slower", words, after=6 * 3600.0)
        if reply.status == 429 and "retry-after" not in reply.headers:
            raise refusal(self.name, "slower", words, after=30.0)
        if match := NAMED.search(words):
            column = match[1] or match[2]
            raise BadMapping(column, f"Airtable refused the column {column}.", status=reply.status, detail=words)
        if reply.status in (404, 422):
            raise Refused("Airtable refused the rows.", status=reply.status, detail=words)
        return None


def _column(key: str) -> str:
    return title(key) if key in HUB_KEYS else key

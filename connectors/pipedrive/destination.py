"""Pipedrive: persons, found by e-mail.

Sources: Pipedrive's API v2 as its own client is generated from (github.com/pipedrive/client-nodejs: persons, person
fields), pipedrive.readme.io/docs: pipedrive-api-v2-migration-guide, core-api-concepts-custom-fields (40-character keys),
core-api-concepts-rate-limiting.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal
from typing import Any

from hub.contract import (
    ApiKeyHeader,
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
    refusal,
    title,
)
from hub.toolkit.email_tools import require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://api.pipedrive.com/api/v2"
KEYS = {"email": "email", "name": "full_name", "phone": "phone", **HUB_KEYS}
FIXED = frozenset({"email", "name", "phone"})
TYPES = {"double": "number", "monetary": "money", "date": "datetime", "set": "list", "phone": "phone"}
CREATED_AS = {"number": "double", "integer": "double", "datetime": "date"}  # else a line of text
LONG = ("hub_summary", "hub_products")


class PipedriveSettings(SettingsSchema):
    """One company's token."""

    api_token = Secret(
        Text("API token", "Jeton d'API"),
        help=Text("Pipedrive: your picture, Personal preferences, API.", "Pipedrive : votre photo, Préférences, API."),
        required=True,
    )


class Pipedrive(Crm):
    """Looks the person up by e-mail, then updates or creates it."""

    slug = "pipedrive"
    name = "Pipedrive"
    homepage = "https://www.pipedrive.com"
    Settings = PipedriveSettings
    auth = ApiKeyHeader("x-api-token", "api_token")
    fields = fields_for(KEYS, required={"email"})
    default_mapping = mapping_for(KEYS)
    limits = Limits(per_second=5, concurrency=1)  # 20 in two seconds on the smallest plan, searches count double

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{API}/personFields?limit=500", cache_seconds=cache_seconds)
        told = dig(reply.json(), "data[]")
        if told is None and cache_seconds:
            return expected()
        return listed_fields(
            told,
            "field_code",
            "field_name",
            "field_type",
            types=TYPES,
            options="options[]",
            option=("id", "label"),
            wanted=lambda row: row.get("is_custom_field"),
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = "text" if field.key in LONG else CREATED_AS.get(field.type, "varchar")
        yield Call.post(f"{API}/personFields", json={"field_name": title(field.key), "field_type": kind})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """A known person gets the custom fields only: the name and numbers stay as your salespeople keep them."""
        email = require_email(record, self.name)
        listed = yield from self.list_fields(settings, LISTED_FOR)
        found, left_out = by_account_key(record.values, listed, FIXED)
        custom = {"custom_fields": {key: _typed(field, value) for key, (field, value) in found.items()}}
        person = {"name": text(record.values.get("name")) or email, "emails": [{"value": email, "primary": True}]}
        if phone := text(record.values.get("phone")):
            person["phones"] = [{"value": phone, "primary": True}]
        params = {"term": email, "fields": "email", "exact_match": "true", "limit": "50"}
        reply = yield from find_or_create(
            Call.get(f"{API}/persons/search", params=params),
            lambda reply: _same(reply, email),
            lambda known: Call.patch(f"{API}/persons/{known}", json=custom),
            Call.post(f"{API}/persons", json=person | custom),
        )
        if not text(dig(reply.json(), "data.id")):
            return Outcome.refused("Pipedrive answered without an error, but names no person that it wrote.")
        return Outcome.delivered(left_out)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 429 tells the wait in a header of its own; a 403 may be the plan's limit; a 200 may say ``success: false``."""
        body = reply.json()
        words = text(dig(body, "error")) or text(dig(body, "message")) or ""
        code = text(dig(body, "code")) or ""
        if reply.status == 429 and "retry-after" not in reply.headers:
            wait = reply.headers.get("x-ratelimit-reset", "")
            raise refusal(self.name, "slower", words, after=float(wait) if wait.isdecimal() else None)
        capped = reply.status == 403 and "feature_capping" in f"{code} {words}"
        if capped or reply.status in (402, 404) or (reply.ok and dig(body, "success") is False):
            raise Refused("Pipedrive refused.", status=reply.status, detail=f"{code} {words}".strip())
        return None


def _same(reply: Reply, email: str) -> str | None:
    for item in dig(reply.json(), "data.items[].item") or []:
        if email in (str(address).strip().lower() for address in dig(item, "emails[]") or []):
            return text(dig(item, "id"))
    return None


def _typed(field: Field, value: Any) -> Any:
    """Numbers as numbers, money with its currency as the mapping made it, dates as days."""
    if field.type == "datetime":
        return str(value)[:10]
    if field.type == "number":
        return float(value) if isinstance(value, Decimal) else value
    return value if isinstance(value, list | dict) and field.type in ("list", "money") else flat(value)

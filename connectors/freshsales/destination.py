"""Freshsales: contacts, upserted by e-mail.

Sources: developers.freshworks.com/crm/api (authentication, contacts/upsert, settings/contacts/fields, error codes).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from marshmallow import validate

from hub.contract import (
    ApiKeyHeader,
    Call,
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
from hub.toolkit.crm import HUB_KEYS, LISTED_FOR, Crm, Listed, by_account_key, expected, flat, listed_fields, said
from hub.toolkit.email_tools import filled, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "mobile_number": "phone",
    "city": "city",
    "state": "region",
    "zipcode": "postal_code",
    "country": "country",
    **HUB_KEYS,
}
CONTACT = [key for key in KEYS if key not in HUB_KEYS and key != "email"]
FIXED = frozenset({*CONTACT, "email"})
TYPES = {
    "number": "number",
    "decimal": "number",
    "checkbox": "boolean",
    "date": "datetime",
    "datetime": "datetime",
    "multi_select_dropdown": "list",
}


class FreshsalesSettings(SettingsSchema):
    """One account."""

    domain = Words(
        Text("Your address", "Votre adresse"),
        help=Text("Where you use Freshsales.", "Là où vous utilisez Freshsales."),
        placeholder="acme.myfreshworks.com",
        required=True,
        validate=validate.Regexp(r"\A[A-Za-z0-9.-]+\.[A-Za-z]{2,}\Z", error="Write it like acme.myfreshworks.com."),
    )
    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text("Your picture, Settings, API settings.", "Votre photo, Paramètres, Paramètres de l'API."),
        required=True,
    )


class Freshsales(Crm):
    """Freshsales itself finds or creates the contact."""

    slug = "freshsales"
    name = "Freshsales"
    status = Status.BETA
    homepage = "https://www.freshworks.com/crm/sales/"
    Settings = FreshsalesSettings
    auth = ApiKeyHeader("Authorization", "api_key", prefix="Token token=")
    fields = fields_for(KEYS, required={"email"})
    default_mapping = mapping_for(KEYS)
    limits = Limits(per_second=2, concurrency=1)  # 1,000 calls an hour on the smallest plan, bursts allowed

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{_base(settings)}/settings/contacts/fields", cache_seconds=cache_seconds)
        told = dig(reply.json(), "fields[]")
        if told is None and cache_seconds:
            return expected(lambda key: f"cf_{key}")
        return listed_fields(
            told,
            "name",
            "label",
            "type",
            types=TYPES,
            options="choices[]",
            option=("id", "value"),
            wanted=lambda row: row.get("name") not in ("emails", "email"),
        )

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """A known contact keeps its last name; for a new one that has none, Freshsales gets a stand-in."""
        email = require_email(record, self.name)
        listed = yield from self.list_fields(settings, LISTED_FOR)
        found, left_out = by_account_key(record.values, listed, FIXED)
        contact = filled(record.values, CONTACT)
        contact |= {key: flat(value) for key, (_, value) in found.items() if not key.startswith("cf_")}
        custom = {key: flat(value) for key, (_, value) in found.items() if key.startswith("cf_")}
        contact |= {"custom_field": custom} if custom else {}
        body = {"unique_identifier": {"emails": email}, "contact": contact}
        try:
            reply = yield Call.post(f"{_base(settings)}/contacts/upsert", json=body)
        except Refused as error:
            if error.status not in (400, 422) or contact.get("last_name"):
                raise
            stand_in = text(contact.get("first_name")) or email.partition("@")[0]
            named = body | {"contact": contact | {"last_name": stand_in}}
            reply = yield Call.post(f"{_base(settings)}/contacts/upsert", json=named)
        if not text(dig(reply.json(), "contact.id")):
            return Outcome.refused("Freshsales answered without an error, but names no contact that it wrote.")
        return Outcome.delivered(left_out)

    def judge(self, reply: Reply) -> Outcome | None:
        """Freshsales lists what is wrong as sentences."""
        if reply.status in (400, 404, 422):
            words = said(reply, "errors.message", "message")
            raise Refused("Freshsales refused the contact.", status=reply.status, detail=words)
        return None


def _base(settings: Mapping[str, Any]) -> str:
    return f"https://{settings['domain']}/crm/sales/api"

"""Close: one lead with one contact for each person, the hub's fields on the lead.

Sources, under developer.close.com: resources/leads, resources/contacts, resources/advanced-filtering (data/search),
resources/custom-fields (lead custom fields), topics/rate-limits (a 429 says how long to wait).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from hub.contract import (
    Basic,
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
    title,
)
from hub.toolkit.email_tools import filled, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://api.close.com/api/v1"
ADDRESS = {"city": "city", "state": "region", "zipcode": "postal_code", "country": "country"}
KEYS = {"email": "email", "name": "full_name", "phone": "phone", **ADDRESS, **HUB_KEYS}
FIXED = frozenset(KEYS) - frozenset(HUB_KEYS)
TYPES = {"number": "number", "date": "datetime", "datetime": "datetime"}
CREATED_AS = {"number": "number", "integer": "number", "datetime": "datetime"}  # else a line of text
LONG = ("hub_summary", "hub_products")


class CloseSettings(SettingsSchema):
    """One organization's key."""

    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text("Close: Settings, Developer, API keys.", "Close : Settings, Developer, API keys."),
        placeholder="api_…",
        required=True,
    )


class Close(Crm):
    """Looks the contact up by e-mail, then updates its lead, or creates both."""

    slug = "close"
    name = "Close"
    status = Status.BETA
    homepage = "https://close.com"
    Settings = CloseSettings
    auth = Basic(setting="", user_setting="api_key")
    fields = fields_for(KEYS, required={"email"})
    default_mapping = mapping_for(KEYS)
    limits = Limits(per_second=10, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{API}/custom_field/lead/?_limit=200", cache_seconds=cache_seconds)
        told = dig(reply.json(), "data[]")
        if told is None and cache_seconds:
            return expected(lambda key: f"custom.{key}")
        return listed_fields(told, "id", "name", "type", types=TYPES, prefix="custom.", options="choices[]")

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = "textarea" if field.key in LONG else CREATED_AS.get(field.type, "text")
        yield Call.post(f"{API}/custom_field/lead/", json={"name": title(field.key), "type": kind})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """What a salesperson keeps (names, numbers, addresses) is written to new leads only."""
        email = require_email(record, self.name)
        listed = yield from self.list_fields(settings, LISTED_FOR)
        found, left_out = by_account_key(record.values, listed, FIXED)
        custom = {key: flat(value) for key, (_, value) in found.items()}
        reply = yield from find_or_create(
            _search(email),
            lambda reply: _lead_of(reply, email),
            lambda lead: Call.put(f"{API}/lead/{lead}/", json=custom),
            Call.post(f"{API}/lead/", json=_new_lead(record.values, email) | custom),
        )
        if not text(dig(reply.json(), "id")):
            return Outcome.refused("Close answered without an error, but names no lead that it wrote.")
        return Outcome.delivered(left_out)

    def judge(self, reply: Reply) -> Outcome | None:
        """Close lists what is wrong by field. A 402 is an account that has not paid."""
        body = reply.json() if reply.status in (400, 402, 409) else None
        if reply.status in (402, 409):
            raise Refused("Close refused.", status=reply.status, detail=text(dig(body, "error")) or "")
        errors = dig(body, "field-errors")
        if isinstance(errors, dict) and errors:
            said = "; ".join(f"{field}: {words}" for field, words in errors.items())
            raise Refused("Close refused the values.", status=reply.status, detail=said[:500])
        return None


def _search(email: str) -> Call:
    """Contacts one of whose addresses is ``email``; the search itself compares words."""
    address = {
        "type": "field_condition",
        "field": {"type": "regular_field", "object_type": "contact_email", "field_name": "email"},
        "condition": {"type": "text", "mode": "phrase", "value": email},
    }
    related = {"this_object_type": "contact", "related_object_type": "contact_email", "related_query": address}
    queries = [{"type": "object_type", "object_type": "contact"}, {"type": "has_related", **related}]
    fields = {"contact": ["id", "lead_id", "emails"]}
    body = {"query": {"type": "and", "queries": queries}, "_fields": fields, "_limit": 20}
    return Call.post(f"{API}/data/search/", json=body)


def _lead_of(reply: Reply, email: str) -> str | None:
    for contact in dig(reply.json(), "data[]") or []:
        if email in (str(address).lower() for address in dig(contact, "emails[].email") or []):
            return text(dig(contact, "lead_id"))
    return None


def _new_lead(values: Mapping[str, Any], email: str) -> dict[str, Any]:
    name = text(values.get("name")) or email
    contact: dict[str, Any] = {"name": name, "emails": [{"email": email, "type": "office"}]}
    if values.get("phone"):
        contact["phones"] = [{"phone": text(values["phone"]), "type": "mobile"}]
    lead = {"name": name, "contacts": [contact]}
    address = filled(values, ADDRESS)
    return lead | {"addresses": [address]} if address else lead

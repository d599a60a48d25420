"""Odoo 19 and later: contacts (``res.partner``) through the external JSON-2 API.

Sources: odoo.com/documentation/19.0/developer/reference/external_api.html (path, headers, named arguments, errors), and
…/reference/backend/orm.html (search_read, create, write, fields_get).
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
    Reply,
    Secret,
    SettingsSchema,
    Status,
    Text,
    Url,
    Words,
)
from hub.toolkit.crm import HUB_KEYS, Crm, Listed, find_or_create, flat, listed_field, title
from hub.toolkit.email_tools import filled, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = {"email": "email", "name": "full_name", "phone": "phone", "city": "city", "zip": "postal_code", **HUB_KEYS}
TYPES = {
    "integer": "integer",
    "float": "number",
    "monetary": "money",
    "boolean": "boolean",
    "date": "datetime",
    "datetime": "datetime",
}
WRITABLE = {*TYPES, "char", "text", "selection"}  # others point to records of their own
CREATED_AS = {"number": "float", "integer": "integer", "datetime": "datetime"}  # else text
UNKNOWN = re.compile(r"Invalid field '?\"?(\w+)")
AT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


class OdooSettings(SettingsSchema):
    """One database."""

    url = Url(
        Text("Address", "Adresse"),
        help=Text("Where you use Odoo.", "Là où vous utilisez Odoo."),
        placeholder="https://acme.odoo.com",
        required=True,
    )
    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text(
            "Odoo: your name, My Preferences, Security, Add API key.",
            "Odoo : votre nom, Mes préférences, Sécurité, Ajouter une clé API.",
        ),
        required=True,
    )
    database = Words(
        Text("Database", "Base de données"),
        help=Text("Only for a server that holds several.", "Seulement pour un serveur qui en a plusieurs."),
        load_default="",
    )


class Odoo(Crm):
    """Looks the partner up by e-mail, then writes or creates it."""

    slug = "odoo"
    name = "Odoo"
    status = Status.BETA
    homepage = "https://www.odoo.com"
    Settings = OdooSettings
    auth = Bearer("api_key")
    fields = fields_for(KEYS, required={"email"})
    default_mapping = mapping_for(KEYS)
    limits = Limits(per_second=5, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        attributes = ["string", "type", "readonly", "selection"]
        reply = yield _ask(settings, "res.partner/fields_get", attributes=attributes)
        found = reply.json()
        return {
            key: listed_field(
                key,
                dig(each, "string"),
                str(dig(each, "type")),
                types=TYPES,
                options=[(dig(option, "[0]"), dig(option, "[1]")) for option in dig(each, "selection[]") or []],
            )
            for key, each in (found.items() if isinstance(found, dict) else ())
            if dig(each, "type") in WRITABLE and not dig(each, "readonly")
        }

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        reply = yield _ask(settings, "ir.model/search", domain=[["model", "=", "res.partner"]])
        definition = {
            "model_id": dig(reply.json(), "[0]"),
            "name": f"x_{field.key}",
            "field_description": title(field.key),
            "ttype": CREATED_AS.get(field.type, "text"),
            "state": "manual",
        }
        yield _ask(settings, "ir.model.fields/create", vals_list=[definition])

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """``=ilike`` finds an address in any case; its wildcards in the address are escaped, and the find is checked."""
        email = require_email(record, self.name)
        vals = {_technical(key): _written(value) for key, value in filled(record.values, record.values).items()}
        pattern = re.sub(r"([\\%_])", r"\\\1", email)
        yield from find_or_create(
            _ask(
                settings,
                "res.partner/search_read",
                domain=[["email", "=ilike", pattern]],
                fields=["email"],
                order="id",
                limit=10,
            ),
            lambda reply: _same(reply, email),
            lambda known: _ask(settings, "res.partner/write", ids=[int(known)], vals=_changed(vals)),
            _ask(settings, "res.partner/create", vals_list=[{"name": email} | vals | {"email": email}]),
        )
        return Outcome.delivered()

    def judge(self, reply: Reply) -> Outcome | None:
        """Odoo names the field that it does not have, under whatever status its error becomes."""
        words = text(dig(reply.json(), "message")) if reply.status >= 400 else None
        if match := UNKNOWN.search(words or ""):
            message = f"Odoo has no field {match[1]} on its contacts. Press Prepare."
            raise BadMapping(match[1], message, status=reply.status, detail=words or "")
        return None


def _ask(settings: Mapping[str, Any], method: str, **arguments: Any) -> Call:
    headers = {"X-Odoo-Database": settings["database"]} if settings["database"] else {}
    return Call.post(f"{settings['url'].rstrip('/')}/json/2/{method}", json=arguments, headers=headers)


def _same(reply: Reply, email: str) -> str | None:
    rows = dig(reply.json(), "[]") or []
    found = next((row for row in rows if str(dig(row, "email")).strip().lower() == email), None)
    return text(dig(found, "id"))


def _changed(vals: Mapping[str, Any]) -> dict[str, Any]:
    """Of someone known: the name stays as people keep it, a first name alone would shorten it."""
    return {key: value for key, value in vals.items() if key not in ("email", "name")}


def _technical(key: str) -> str:
    return f"x_{key}" if key in HUB_KEYS else key


def _written(value: Any) -> Any:
    """Odoo's times are UTC without saying so: ``2026-11-20 18:42:07``."""
    if isinstance(value, str) and (match := AT.fullmatch(value)):
        return f"{match[1]} {match[2]}"
    return flat(value)

"""HubSpot's properties: the ones everyone has, the hub's own, and what an account lists.

Source: developers.hubspot.com/docs/api-reference/2026-03/crm/properties (types, fieldType, hasUniqueValue).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Field, Text
from hub.toolkit.crm import HUB_KEYS
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for

GROUP = "conversion_hub"
DEAL = "deal."
"""Begins the key of every deal property, so that one mapping fills both objects."""


KEYS: Mapping[str, str] = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "city": "city",
    "state": "region",
    "zip": "postal_code",
    "country": "country",
    **{key: fact for key, fact in HUB_KEYS.items() if fact != "order_status"},  # a deal's stage says it
}
CONTACT_PROPERTIES = tuple(field for field in fields_for(KEYS) if field.key in HUB_KEYS)
DEAL_PROPERTIES = (Field("hub_order_id", Text("Order id", "Numéro de commande")),)
FIELDS = (
    *fields_for(KEYS, required={"email"}),
    Field("deal.hub_order_id", Text("Deal: order id", "Transaction : numéro de commande"), group="Deal"),
    Field("deal.dealname", Text("Deal: name", "Transaction : nom"), group="Deal"),
    Field("deal.amount", Text("Deal: amount", "Transaction : montant"), "money", group="Deal"),
    Field("deal.dealstage", Text("Deal: stage", "Transaction : phase"), group="Deal"),
    Field("deal.pipeline", Text("Deal: pipeline", "Transaction : pipeline"), group="Deal"),
    Field("deal.closedate", Text("Deal: close date", "Transaction : date de fermeture"), "datetime", group="Deal"),
)
_FIELD_TYPES: dict[str, Any] = {"number": "number", "date": "datetime", "datetime": "datetime", "bool": "boolean"}
_TYPES = {"number": ("number", "number"), "integer": ("number", "number"), "datetime": ("datetime", "date")}


def definition(field: Field, *, unique: bool = False) -> dict[str, Any]:
    """What HubSpot's create call takes for one of the hub's own properties."""
    kind, form = _TYPES.get(field.type, ("string", "text"))
    made = {"name": field.key, "label": field.label.en, "type": kind, "fieldType": form, "groupName": GROUP}
    return made | {"hasUniqueValue": True} if unique else made


def discovered(listing: Any, prefix: str) -> list[Field]:
    """The writable properties of a ``GET /crm/properties`` answer, as fields whose keys begin with ``prefix``."""
    found = []
    for prop in dig(listing, "results[]") or []:
        if prop.get("hidden") or prop.get("calculated") or dig(prop, "modificationMetadata.readOnlyValue"):
            continue
        label = prop.get("label") or prop["name"]
        found.append(
            Field(
                prefix + prop["name"],
                Text(label, label),
                "list" if prop.get("fieldType") == "checkbox" else _FIELD_TYPES.get(prop.get("type"), "text"),
                required=prefix + prop["name"] == "email",
                help=Text(note, note) if (note := text(prop.get("description"))) else None,
                group=prop.get("groupName", ""),
                options=tuple((option["value"], option.get("label", "")) for option in prop.get("options") or []),
            )
        )
    return found


def written(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """The properties of one object as HubSpot takes them: all text, lists joined with ";", no empty values.

    ``prefix`` "" picks the contact's, ``DEAL`` the deal's. An empty text would clear what HubSpot has, so it stays out.
    """
    chosen = {
        key.removeprefix(prefix): value for key, value in values.items() if key.startswith(DEAL) == (prefix == DEAL)
    }
    return {key: worded for key, value in chosen.items() if (worded := _worded(value))}


def _worded(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return ";".join(_worded(part) for part in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)

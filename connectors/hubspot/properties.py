"""HubSpot's properties: the ones everyone has, the hub's own, and what an account lists.

Source: developers.hubspot.com/docs/api-reference/2026-03/crm/properties (types, fieldType, hasUniqueValue).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from hub.contract import Field, Text
from hub.contract.paths import dig, text

GROUP = "conversion_hub"
DEAL = "deal."
"""Begins the key of every deal property, so that one mapping fills both objects."""


class Property(NamedTuple):
    """A property of the hub's own, created by ``prepare``."""

    name: str
    label: Text
    type: str = "string"  # string, number, datetime
    unique: bool = False

    def definition(self) -> dict[str, Any]:
        """What HubSpot's create call takes."""
        kinds = {"string": "text", "number": "number", "datetime": "date"}
        definition = {
            "name": self.name,
            "label": self.label.en,
            "type": self.type,
            "fieldType": kinds[self.type],
            "groupName": GROUP,
        }
        return definition | {"hasUniqueValue": True} if self.unique else definition


CONTACT_PROPERTIES = (
    Property("hub_summary", Text("Purchase summary", "Résumé des achats")),
    Property("hub_lifetime_value", Text("Lifetime value", "Valeur vie client"), "number"),
    Property("hub_orders", Text("Number of orders", "Nombre de commandes"), "number"),
    Property("hub_first_purchase_at", Text("First purchase", "Premier achat"), "datetime"),
    Property("hub_last_purchase_at", Text("Last purchase", "Dernier achat"), "datetime"),
    Property("hub_stage", Text("Last stage", "Dernière étape")),
    Property("hub_stage_at", Text("Last stage reached at", "Dernière étape atteinte le"), "datetime"),
    Property("hub_order_id", Text("Last order: id", "Dernière commande : numéro")),
    Property("hub_order_amount", Text("Last order: amount", "Dernière commande : montant"), "number"),
    Property("hub_order_currency", Text("Last order: currency", "Dernière commande : devise")),
    Property("hub_products", Text("Last products", "Derniers produits")),
    Property("hub_offer", Text("Last offer", "Dernière offre")),
    Property("hub_campaigns", Text("Campaigns", "Campagnes")),
    Property("hub_lead_reason", Text("Lead: reason", "Lead : raison")),
)
DEAL_PROPERTIES = (Property("hub_order_id", Text("Order id", "Numéro de commande"), unique=True),)

_FIELD_TYPES: dict[str, Any] = {"number": "number", "date": "datetime", "datetime": "datetime", "bool": "boolean"}


def _own(properties: tuple[Property, ...], prefix: str) -> tuple[Field, ...]:
    return tuple(
        Field(prefix + prop.name, prop.label, _FIELD_TYPES.get(prop.type, "text"), group="Conversion Hub")
        for prop in properties
    )


FIELDS = (
    Field("email", Text("Email", "E-mail"), "email", required=True),
    Field("firstname", Text("First name", "Prénom")),
    Field("lastname", Text("Last name", "Nom")),
    Field("phone", Text("Phone", "Téléphone"), "phone"),
    Field("city", Text("City", "Ville")),
    Field("state", Text("State or region", "Région")),
    Field("zip", Text("Postal code", "Code postal")),
    Field("country", Text("Country", "Pays")),
    *_own(CONTACT_PROPERTIES, ""),
    *_own(DEAL_PROPERTIES, DEAL),
    Field("deal.dealname", Text("Deal: name", "Transaction : nom"), group="Deal"),
    Field("deal.amount", Text("Deal: amount", "Transaction : montant"), "money", group="Deal"),
    Field("deal.dealstage", Text("Deal: stage", "Transaction : phase"), group="Deal"),
    Field("deal.pipeline", Text("Deal: pipeline", "Transaction : pipeline"), group="Deal"),
    Field("deal.closedate", Text("Deal: close date", "Transaction : date de fermeture"), "datetime", group="Deal"),
)


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

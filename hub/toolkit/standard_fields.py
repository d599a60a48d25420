"""Facts that most destinations take, each with its label and the mapping rule that finds it.

A destination declares one table, its own key → the fact's name here, and gets its fields and default mapping from it::

    KEYS = {"email": "email", "FIRSTNAME": "first_name", "hub_summary": "summary"}
    fields = fields_for(KEYS, required={"email"})
    default_mapping = mapping_for(KEYS)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from hub.contract.connector import Field
from hub.contract.vocabulary import Text
from hub.toolkit.cleaning import CLICK_IDS


class Fact(NamedTuple):
    """One fact: what it is called, what type it has, where it is found."""

    label: Text
    type: Any
    rule: Mapping[str, Any]
    group: str


_IS_EVENT = {"path": "kind", "op": "not_equals", "value": "contact"}  # a change of someone's details is no stage
# What is left of a paid order; of one that was not paid, what was at stake.
_ORDER_AMOUNT = {
    "if": {"path": "order.status", "op": "in", "value": ["paid", "refunded", "disputed"]},
    "then": {"from": "order.net"},
    "else": {"if": {"path": "order_id", "op": "present"}, "then": {"from": "value"}},
    "as": "number",
}


def _found(path: str, label: Text, group: str, type: str = "text", coerce: str = "") -> Fact:
    return Fact(label, type, {"from": path} | ({"as": coerce} if coerce else {}), group)


PERSON: Mapping[str, Fact] = {
    "email": _found("contact.email", Text("E-mail", "E-mail"), "person", "email"),
    "phone": _found("contact.phone", Text("Phone", "Téléphone"), "person", "phone"),
    "first_name": _found("contact.first_name", Text("First name", "Prénom"), "person"),
    "last_name": _found("contact.last_name", Text("Last name", "Nom"), "person"),
    "full_name": Fact(
        Text("Full name", "Nom complet"),
        "text",
        {"text": "{{ contact.first_name }} {{ contact.last_name }}", "do": ["trim"]},
        "person",
    ),
    "city": _found("contact.city", Text("City", "Ville"), "person"),
    "region": _found("contact.region", Text("State or region", "État ou région"), "person"),
    "postal_code": _found("contact.postal_code", Text("Postal code", "Code postal"), "person"),
    "country": _found("contact.country", Text("Country", "Pays"), "person"),
    "external_id": _found(
        "contact.external_id", Text("Your id of the person", "Votre identifiant de la personne"), "person"
    ),
    "consent_email": _found("consent.email", Text("Agreed to e-mail", "A accepté les e-mails"), "person", "boolean"),
    "consent_ads": _found("consent.ads", Text("Agreed to ads", "A accepté la publicité"), "person", "boolean"),
}
"""Who it is."""

PROFILE: Mapping[str, Fact] = {
    "summary": _found("customer.summary", Text("Purchase summary", "Résumé des achats"), "profile"),
    "lifetime_value": _found(
        "customer.lifetime_value", Text("Lifetime value", "Valeur vie client"), "profile", "number", "number"
    ),
    "orders": _found(
        "customer.orders", Text("Number of orders", "Nombre de commandes"), "profile", "integer", "integer"
    ),
    "first_purchase_at": _found(
        "customer.first_purchase_at", Text("First purchase", "Premier achat"), "profile", "datetime", "datetime"
    ),
    "last_purchase_at": _found(
        "customer.last_purchase_at", Text("Last purchase", "Dernier achat"), "profile", "datetime", "datetime"
    ),
    "stage": Fact(
        Text("Last stage", "Dernière étape"),
        "text",
        {"if": _IS_EVENT, "then": {"first": [{"from": "stage"}, {"from": "kind"}]}},
        "profile",
    ),
    "stage_at": Fact(
        Text("Last stage reached at", "Dernière étape atteinte le"),
        "datetime",
        {"if": _IS_EVENT, "then": {"from": "occurred_at"}, "as": "datetime"},
        "profile",
    ),
    "order_id": _found("order_id", Text("Last order: id", "Dernière commande : numéro"), "profile"),
    "order_amount": Fact(Text("Last order: amount", "Dernière commande : montant"), "number", _ORDER_AMOUNT, "profile"),
    "order_currency": Fact(
        Text("Last order: currency", "Dernière commande : devise"),
        "text",
        {"first": [{"from": "order.currency"}, {"from": "currency"}]},
        "profile",
    ),
    "order_status": _found("order.status", Text("Last order: status", "Dernière commande : état"), "profile"),
    "products": _found("items[].name", Text("Last products", "Derniers produits"), "profile", coerce="text"),
    "offer": _found("offer", Text("Last offer", "Dernière offre"), "profile"),
    "campaigns": _found("campaign_names", Text("Campaigns", "Campagnes"), "profile", coerce="text"),
    "lead_reason": _found("reason", Text("Lead: reason", "Lead : raison"), "profile"),
}
"""What a CRM keeps of a customer: the summary, and each purchase fact in a field of its own."""

SALE: Mapping[str, Fact] = {
    "value": _found("value", Text("Amount", "Montant"), "sale", "money"),
    "currency": _found("currency", Text("Currency", "Devise"), "sale"),
    "sale_order_id": _found("order_id", Text("Order id", "Numéro de commande"), "sale"),
    "subscription_id": _found("subscription_id", Text("Subscription id", "Identifiant d'abonnement"), "sale"),
    "coupon": _found("coupon", Text("Coupon", "Code promo"), "sale"),
    "items": _found("items", Text("Order lines", "Lignes de commande"), "sale", "list"),
    "content_name": Fact(
        Text("Name of the offer", "Nom de l'offre"),
        "text",
        {"first": [{"from": "items[0].name"}, {"from": "offer"}]},
        "sale",
    ),
}
"""What was sold, for platforms that take events."""

VISIT: Mapping[str, Fact] = {
    "ip": _found("context.ip", Text("Visitor's IP address", "Adresse IP du visiteur"), "visit"),
    "user_agent": _found("context.user_agent", Text("Visitor's browser", "Navigateur du visiteur"), "visit"),
    "page_url": _found("context.page_url", Text("Page", "Page"), "visit"),
    "referrer": _found("context.referrer", Text("Referrer", "Page précédente"), "visit"),
    "cookie": _found("context.cookie", Text("Our visitor cookie", "Notre cookie visiteur"), "visit"),
    **{
        name: _found(f"context.click_ids.{name}", Text(f"Click id ({name})", f"Identifiant de clic ({name})"), "visit")
        for name in CLICK_IDS
    },
    **{
        f"utm_{name}": _found(f"context.utm.{name}", Text(f"utm_{name}", f"utm_{name}"), "visit")
        for name in ("source", "medium", "campaign", "term", "content")
    },
}
"""Where it happened, with the click ids of the ad platforms."""

FACTS: Mapping[str, Fact] = {**PERSON, **PROFILE, **SALE, **VISIT}


def fields_for(keys: Mapping[str, str], required: Collection[str] = ()) -> tuple[Field, ...]:
    """The fields of a destination that calls its fields ``keys``: its own key → the fact's name. ``required``: its keys."""
    return tuple(
        Field(key, FACTS[name].label, FACTS[name].type, required=key in required, group=FACTS[name].group)
        for key, name in keys.items()
    )


def mapping_for(keys: Mapping[str, str]) -> dict[str, Any]:
    """The default mapping of the same table."""
    return {key: dict(FACTS[name].rule) for key, name in keys.items()}

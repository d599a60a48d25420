"""The fields a person can pick, and the same fields in one flat object for receivers such as Zapier.

One table says both: each entry knows its key, how it reads, and a sample. Keys are promises to people's Zaps: never
rename one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import COERCIONS, number_of, plain_number
from hub.mapping.facts import customer_summary, facts
from hub.mapping.problems import CannotMake
from hub.mapping.reader import Maker, reach
from hub.mapping.transforms import compile_chain
from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES

__all__ = ["FIELDS", "CatalogField", "customer_summary", "facts", "flat"]


@dataclass(frozen=True)
class CatalogField:
    """One field: its flat ``key``, what people read, its type, a made-up sample, and the ``path`` a rule reads it by.

    ``do`` are the transforms between the two. ``path`` is "" where the field is put together from several.
    """

    key: str
    label: Text
    type: str
    sample: Any
    path: str
    do: tuple[Any, ...] = ()

    @property
    def rule(self) -> Json:
        """The rule that makes this field, as the picker stores it."""
        if not self.path:
            return {"text": "{{ contact.first_name }} {{ contact.last_name }}"}
        rule: Json = {"from": self.path}
        if self.do:
            rule["do"] = list(self.do)
        return rule | ({"as": _COERCED[self.type]} if self.type in _COERCED else {})


_COERCED = {"money": "number", "number": "number", "integer": "integer"}


def _direct(rows: str, prefix: str = "", path: str = "") -> list[CatalogField]:
    """One field a line, read from ``path`` and the key without ``prefix``: key | English | French | type | sample."""
    fields = []
    for row in rows.strip().splitlines():
        key, english, french, kind, sample = (part.strip() for part in row.split("|"))
        value: Any = {"true": True, "false": False}.get(sample, sample)
        if kind in _COERCED:
            value = plain_number(number_of(sample))
        fields.append(CatalogField(key, Text(english, french), kind, value, path + key.removeprefix(prefix)))
    return fields


_EVENT = _direct("""
    event_id | Event id | Identifiant de l'événement | text | 01JDB7Z8Q4X2V6M9K3T5R7N1PW
    kind | Kind | Nature | text | conversion
    stage | Stage | Étape | text | purchase
    occurred_at | Time | Date et heure | datetime | 2026-11-20T18:42:07Z
    order_id | Order id | Numéro de commande | text | 1001
    value | Amount | Montant | money | 49.99
    currency | Currency | Devise | text | EUR
    test | Test | Test | boolean | false
    recurring | Part of a subscription | Lié à un abonnement | boolean | false
    subscription_id | Subscription id | Identifiant d'abonnement | text | sub_4821
    coupon | Coupon | Code promo | text | WELCOME10
    offer | Offer | Offre | text | spring-launch
    reason | Reason (lead) | Raison (lead) | text | refused: card declined
    trust | Trust | Confiance | text | proven
""")
_CONTACT = _direct(
    """
    email | E-mail | E-mail | email | anna.martin@example.com
    phone | Phone | Téléphone | phone | +33612345678
    first_name | First name | Prénom | text | Anna
    last_name | Last name | Nom | text | Martin
    external_id | Customer id at the sender | Identifiant client chez l'expéditeur | text | cus_2203
    city | City | Ville | text | Lyon
    region | Region | Région | text | Auvergne-Rhône-Alpes
    postal_code | Postal code | Code postal | text | 69002
    country | Country | Pays | text | FR
""",
    path="contact.",
)
_ORDER = _direct(
    """
    order_gross | Order: gross | Commande : brut | money | 49.99
    order_refunded | Order: refunded | Commande : remboursé | money | 0
    order_net | Order: net | Commande : net | money | 49.99
    order_currency | Order: currency | Commande : devise | text | EUR
    order_status | Order: status | Commande : état | text | paid
""",
    "order_",
    "order.",
)
_CUSTOMER = _direct(
    """
    customer_summary | Customer: summary | Client : résumé | text | 3 orders, 149.97 EUR, last 2026-11-20: Watercolour
    customer_lifetime_value | Customer: lifetime value | Client : valeur totale | money | 149.97
    customer_currency | Customer: currency | Client : devise | text | EUR
    customer_orders | Customer: orders | Client : nombre de commandes | integer | 3
    customer_first_purchase_at | Customer: first purchase | Client : premier achat | datetime | 2026-03-02T09:15:00Z
    customer_last_purchase_at | Customer: last purchase | Client : dernier achat | datetime | 2026-11-20T18:42:07Z
""",
    "customer_",
    "customer.",
)
_VISIT = _direct(
    """
    page_url | Page | Page | text | https://example.com/thanks
    referrer | Referring page | Page précédente | text | https://www.facebook.com/
    ip | IP address of the visitor | Adresse IP du visiteur | text | 203.0.113.7
    user_agent | Browser of the visitor | Navigateur du visiteur | text | Mozilla/5.0
""",
    path="context.",
)
_CONSENT = _direct(
    """
    consent_ads | Consent: ads | Consentement : publicité | boolean | true
    consent_email | Consent: e-mail | Consentement : e-mail | boolean | true
    consent_analytics | Consent: analytics | Consentement : mesure | boolean | true
""",
    "consent_",
    "consent.",
)
_UTM_SAMPLES = dict(
    zip(UTM_NAMES, ("facebook", "paid_social", "spring-launch", "painting", "video-1", "2385"), strict=True)
)
_ITEM = {
    "product_id": "p-17",
    "sku": "WB-01",
    "name": "Watercolour Basics",
    "quantity": 1,
    "price": 49.99,
    "category": "course",
}

FIELDS: tuple[CatalogField, ...] = (
    CatalogField("id", Text("Id", "Identifiant"), "text", "01JDB7Z8Q4X2V6M9K3T5R7N1PW", "event_id"),
    *_EVENT,
    CatalogField(
        "value_formatted",
        Text("Amount with currency", "Montant avec devise"),
        "text",
        "49.99 EUR",
        "value",
        ("format_money",),
    ),
    *_CONTACT,
    CatalogField("full_name", Text("Full name", "Nom complet"), "text", "Anna Martin", ""),
    CatalogField(
        "product_id", Text("First product: id", "Premier produit : identifiant"), "text", "p-17", "items[0].product_id"
    ),
    CatalogField(
        "product_name",
        Text("First product: name", "Premier produit : nom"),
        "text",
        "Watercolour Basics",
        "items[0].name",
    ),
    CatalogField(
        "product_names",
        Text("All products", "Tous les produits"),
        "text",
        "Watercolour Basics",
        "items[].name",
        ("join",),
    ),
    CatalogField("items", Text("Order lines", "Lignes de commande"), "list", [_ITEM], "items"),
    CatalogField(
        "campaign_ids", Text("Campaign ids", "Identifiants de campagne"), "text", "3", "campaigns.ids", ("join",)
    ),
    CatalogField(
        "campaign_names",
        Text("Campaign names", "Noms des campagnes"),
        "text",
        "Spring webinar",
        "campaign_names",
        ("join",),
    ),
    CatalogField("tags", Text("Tags", "Tags"), "text", "spring", "campaigns.tags", ("join",)),
    *_ORDER,
    *_CUSTOMER,
    CatalogField(
        "customer_lifetime_value_formatted",
        Text("Customer: lifetime value with currency", "Client : valeur totale avec devise"),
        "text",
        "149.97 EUR",
        "customer.lifetime_value",
        ("format_money",),
    ),
    *(
        CatalogField(f"utm_{name}", Text(f"utm_{name}", f"utm_{name}"), "text", sample, f"context.utm.{name}")
        for name, sample in _UTM_SAMPLES.items()
    ),
    *(
        CatalogField(name, Text(name, name), "text", f"{name}-sample", f"context.click_ids.{name}")
        for name in CLICK_IDS
    ),
    *_VISIT,
    *_CONSENT,
)
"""In the order the picker shows them."""


def flat(data: Json) -> Json:
    """Every field of FIELDS that has a value, in one object of snake_case keys. Never raises.

    Money is a JSON number, with a text beside it where people read it; lists of texts are joined with ", ";
    ``items`` is a list of flat objects. What is missing is left out.
    """
    values: Json = {}
    for key, make in _MAKERS:
        try:
            value = make(data)
        except Exception:  # noqa: BLE001, S112 - total: one odd value must not cost the other fields
            continue
        if value is not None:
            values[key] = value
    return values


def _full_name(data: Json) -> str | None:
    return " ".join(str(part) for read in _NAMES if (part := read(data))) or None


def _flat_items(data: Json) -> list[Json] | None:
    return [_flat_item(item) for item in data.get("items") or () if isinstance(item, dict)] or None


def _flat_item(item: Json) -> Json:
    return {name: _flat_value(name, value) for name, value in item.items() if value not in (None, "")}


def _flat_value(name: str, value: Any) -> Any:
    try:
        return plain_number(number_of(value)) if name in ("quantity", "price") else value
    except CannotMake:
        return value


def _customer_money(data: Json) -> Any:
    return _FORMAT(_LIFETIME_VALUE(data), {"currency": _LIFETIME_CURRENCY(data)})


_NAMES = (reach("contact.first_name"), reach("contact.last_name"))
_LIFETIME_VALUE, _LIFETIME_CURRENCY = reach("customer.lifetime_value"), reach("customer.currency")
_FORMAT = compile_chain(["format_money"])
_SPECIAL: dict[str, Maker] = {
    "full_name": _full_name,
    "items": _flat_items,
    "customer_lifetime_value_formatted": _customer_money,
}


def _maker(field: CatalogField) -> Maker:
    if field.key in _SPECIAL:
        return _SPECIAL[field.key]
    read = reach(field.path)
    change: Callable[[Any, Json], Any] | None = None
    if field.do:
        change = compile_chain(list(field.do))
    elif field.type in _COERCED:
        change = COERCIONS[_COERCED[field.type]]
    if change is None:
        return read
    return lambda data: None if (value := read(data)) is None else change(value, data)


_MAKERS = tuple((field.key, _maker(field)) for field in FIELDS)

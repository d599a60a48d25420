"""Reads one flat record, as a flow, a form or the REST API sends it, as a conversion.

The keys are those of the catalog's flat form. ``stage`` must be there: a stage, or ``renewal``, ``refund``, ``dispute``,
``cancellation``, ``pending``, ``contact``. Texts may hold several values separated by commas (``tags``, ``campaign_ids``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract.conversion import Contact, Conversion, Item
from hub.contract.errors import NotUnderstood
from hub.contract.money import decimal
from hub.contract.vocabulary import Kind, Stage, stage_named
from hub.toolkit.amounts import read_money
from hub.toolkit.cleaning import clean_email, clean_order_id, read_consent, read_flag, split_name
from hub.toolkit.dates import first_time
from hub.toolkit.paths import required_text, text
from hub.toolkit.tracking import read_tracking

KEYS = frozenset(
    {
        "stage",
        "event_id",
        "occurred_at",
        "order_id",
        "value",
        "currency",
        "email",
        "phone",
        "full_name",
        "first_name",
        "last_name",
        "external_id",
        "city",
        "region",
        "postal_code",
        "country",
        "product_id",
        "product_name",
        "quantity",
        "price",
        "coupon",
        "offer",
        "campaign_ids",
        "tags",
        "subscription_id",
        "recurring",
        "money_id",
        "test",
        "reason",
        "consent_ads",
        "consent_email",
        "consent_analytics",
        "page_url",
        "referrer",
        "ip",
        "user_agent",
    }
)
"""What is read. UTM values and click ids are read under their usual names; anything else is kept as ``extra``."""


def read_record(
    record: Mapping[str, Any], received_at: datetime, currency: str = "", event_id: str = ""
) -> Conversion | None:
    """The conversion in ``record``; None when its ``stage`` is a word the hub does not know.

    ``currency`` fills in where the record names none, ``event_id`` where it has none. Raises NotUnderstood, for people.
    """
    meaning = _meaning(required_text(record, "stage"))
    if meaning is None:
        return None
    conversion = Conversion(text(record.get("event_id")) or event_id, *meaning)
    conversion.occurred_at, conversion.flags = first_time(record.get("occurred_at"), fallback=received_at)
    conversion.order_id = clean_order_id(text(record.get("order_id")) or "")
    for name in ("coupon", "offer", "subscription_id", "money_id", "reason"):
        setattr(conversion, name, text(record.get(name)))
    conversion.test, conversion.recurring = read_flag(record.get("test")), read_flag(record.get("recurring"))
    conversion.contact = _person(record, conversion)
    conversion.value, conversion.currency = _money(record, currency, conversion.kind)
    conversion.items = _items(record)
    conversion.consent = read_consent({name: record.get(f"consent_{name}") for name in ("ads", "email", "analytics")})
    for name in ("page_url", "referrer", "ip", "user_agent"):
        setattr(conversion.context, name, text(record.get(name)))
    conversion.extra = read_tracking(conversion, _rest(record))
    return conversion


def _meaning(word: str) -> tuple[Kind, Stage | None] | None:
    stage = stage_named(word)
    if stage is not None:
        return Kind.CONVERSION, stage
    kind = next((kind for kind in Kind if kind == word.strip().lower() and kind is not Kind.CONVERSION), None)
    return None if kind is None else (kind, Stage.PURCHASE if kind is Kind.RENEWAL else None)


def _person(record: Mapping[str, Any], conversion: Conversion) -> Contact:
    email, problem = clean_email(text(record.get("email")) or "")
    contact = Contact(email, **{name: text(record.get(name)) for name in Contact.__slots__[1:]})
    if not contact.first_name and not contact.last_name:
        contact.first_name, contact.last_name = split_name(text(record.get("full_name")))
    if problem:
        conversion.flags.append("email_not_readable")
    if not (contact.email or contact.external_id or conversion.order_id):
        why = f"The e-mail cannot be used: {problem}." if problem else "The record names nobody."
        raise NotUnderstood(
            f"{why} Map the e-mail, the order id or the customer id in your flow.", reason="no_usable_identity"
        )
    return contact


def _money(record: Mapping[str, Any], currency: str, kind: Kind) -> tuple[Decimal | None, str | None]:
    amount = record.get("value")
    if isinstance(amount, str) and kind in (
        Kind.REFUND,
        Kind.DISPUTE,
    ):  # tools disagree on the sign of money going back
        amount = amount.strip().lstrip("-−")
    elif isinstance(amount, int | Decimal) and not isinstance(amount, bool) and kind in (Kind.REFUND, Kind.DISPUTE):
        amount = abs(amount)
    return read_money(amount, text(record.get("currency")), currency)


def _items(record: Mapping[str, Any]) -> list[Item]:
    """``items``, a list of objects; else the one product that ``product_id`` and ``product_name`` tell."""
    given = record.get("items")
    lines = given if isinstance(given, list) else [{**record, "name": record.get("product_name")}]
    items = [
        Item(
            product_id=text(line.get("product_id")),
            sku=text(line.get("sku")),
            name=text(line.get("name")),
            quantity=decimal(line.get("quantity")) or Decimal(1),
            price=decimal(line.get("price")),
            category=text(line.get("category")),
        )
        for line in lines
        if isinstance(line, dict)
    ]
    return [item for item in items if item.product_id or item.sku or item.name]


def _rest(record: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`read_tracking` sorts: campaigns and touches; what it leaves is ``extra``."""
    rest = {name: value for name, value in record.items() if name not in KEYS and name != "items"}
    return rest | {"tags": _joined(record.get("tags")), "campaign_id": _joined(record.get("campaign_ids"))}


def _joined(value: Any) -> str | None:
    parts = value if isinstance(value, list) else [value]
    return ",".join(filter(None, map(text, parts))) or None

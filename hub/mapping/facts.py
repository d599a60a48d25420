"""The mapping's input: one conversion, with what the hub knows beside it (order, customer, campaigns).

Delivery gives what the books say. ``hub preview`` and samples have the conversion alone: then as much is derived from
it as can be said honestly, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hub.contract.conversion import Json, iso, money_text, parse_iso
from hub.contract.money import exponent
from hub.contract.vocabulary import Kind, Stage

_SALES = frozenset({Kind.CONVERSION.value, Kind.RENEWAL.value})
_STATUS = {
    Kind.REFUND.value: "refunded",
    Kind.DISPUTE.value: "disputed",
    Kind.CANCELLATION.value: "cancelled",
    Kind.PENDING.value: "pending",
}


NOWHERE = "https://hub.example.com/u/preview"
"""The unsubscribe address where there is nobody to unsubscribe: in previews and samples."""


def facts(
    conversion: Json,
    event_id: str,
    order: Mapping[str, Any] | None = None,
    customer: Mapping[str, Any] | None = None,
    campaign_names: Iterable[str] = (),
    *,
    trust: str | None = None,
    language: str = "en",
    time_zone: str = "UTC",
    unsubscribe_url: str | None = None,
) -> Json:
    """What rules read: ``conversion`` (``Conversion.to_dict()``) under the hub's stable ``event_id``.

    ``order``: id, gross, refunded, net, currency, status. ``customer``: lifetime_value, currency, orders,
    first_purchase_at, last_purchase_at, last_product, and optionally a ready summary. Money may be Decimal, times may
    be datetime; both are stored as text here. Not given: derived from the conversion. ``language`` and ``time_zone``
    are the workspace's, for the customer's summary. ``unsubscribe_url``: where this person stops e-mails.
    """
    known_order = _order(conversion) if order is None else {name: _stored(value) for name, value in order.items()}
    person = _customer(conversion) if customer is None else {name: _stored(value) for name, value in customer.items()}
    person.setdefault("currency", conversion.get("currency"))
    product = person.pop("last_product", None)
    if not person.get("summary"):
        person["summary"] = _summary_of(person, product, language, time_zone)
    return {
        **conversion,
        "event_id": event_id,
        "order": known_order,
        "customer": person,
        "campaign_names": list(campaign_names) or list((conversion.get("campaigns") or {}).get("ids") or ()),
        "trust": trust or conversion.get("trust"),
        "unsubscribe_url": unsubscribe_url or (NOWHERE if (conversion.get("contact") or {}).get("email") else None),
    }


def customer_summary(
    orders: int,
    lifetime_value: Decimal | None = None,
    currency: str | None = None,
    last_purchase_at: datetime | None = None,
    last_product: str | None = None,
    *,
    language: str = "en",
    time_zone: str = "UTC",
) -> str:
    """One line about a customer for a CRM's field: ``3 orders, 149.97 EUR, last 2026-11-20: Watercolour Basics``.

    ``lifetime_value`` is net, in major units of ``currency``; the day is the workspace's. French for "fr".
    """
    french = language == "fr"
    if orders <= 0:
        return "Aucune commande" if french else "No orders yet"
    word = ("commande" if french else "order") + ("s" if orders > 1 else "")
    parts = [f"{orders} {word}"]
    if lifetime_value is not None:
        amount = format(round(lifetime_value, exponent(currency)), "f")
        amount = amount.replace(".", ",") if french else amount
        parts.append(f"{amount} {currency}" if currency else amount)
    if last_purchase_at is not None:
        day = last_purchase_at.astimezone(ZoneInfo(time_zone)).date().isoformat()
        parts.append(f"dernière le {day}" if french else f"last {day}")
    line = ", ".join(parts)
    return f"{line}{' : ' if french else ': '}{last_product}" if last_product else line


def _stored(value: Any) -> Any:
    if isinstance(value, Decimal):
        return money_text(value)
    return iso(value) if isinstance(value, datetime) else value


def _is_sale(conversion: Json) -> bool:
    kind = conversion.get("kind") or Kind.CONVERSION.value
    stage = conversion.get("stage")
    return kind in _SALES and (stage == Stage.PURCHASE.value or kind == Kind.RENEWAL.value)


def _order(conversion: Json) -> Json:
    """The order as this one conversion tells it. What a refund leaves over cannot be known from the refund alone."""
    if not conversion.get("order_id"):
        return {}
    value, sale = conversion.get("value"), _is_sale(conversion)
    kind, stage = conversion.get("kind"), conversion.get("stage")
    status = "paid" if sale else _STATUS.get(str(kind)) or ("lead" if stage == Stage.LEAD.value else "open")
    return {
        "id": conversion["order_id"],
        "gross": value if sale else None,
        "refunded": "0" if sale else value if kind == Kind.REFUND.value else None,
        "net": value if sale else None,
        "currency": conversion.get("currency"),
        "status": status,
    }


def _customer(conversion: Json) -> Json:
    if not _is_sale(conversion):
        return {}
    items = conversion.get("items") or [{}]
    return {
        "lifetime_value": conversion.get("value"),
        "orders": 1,
        "first_purchase_at": conversion.get("occurred_at"),
        "last_purchase_at": conversion.get("occurred_at"),
        "last_product": items[0].get("name"),
    }


def _summary_of(customer: Json, product: str | None, language: str, time_zone: str) -> str | None:
    if customer.get("orders") is None:
        return None
    value, last = customer.get("lifetime_value"), customer.get("last_purchase_at")
    return customer_summary(
        int(customer["orders"]),
        None if value is None else Decimal(str(value)),
        customer.get("currency"),
        parse_iso(last) if last else None,
        product,
        language=language,
        time_zone=time_zone,
    )

"""What PayPal's resources have in common, versions 1 and 2 side by side: money, ids, persons, lines.

Source: developer.paypal.com/docs/api (orders v2, payments v1 and v2, subscriptions v1, invoicing v1 and v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Contact, Item
from hub.contract.money import currency_code, decimal
from hub.contract.paths import dig, text

Json = Mapping[str, Any]
SANDBOX = "api.sandbox.paypal.com"


def money(amount: Json) -> tuple[Decimal, str]:
    """(value, currency), signed as sent. KeyError or ValueError when either is missing or unreadable."""
    value = decimal(amount["value"] if "value" in amount else amount["total"])
    currency = currency_code(amount["currency_code"] if "currency_code" in amount else amount["currency"])
    if value is None or currency is None:
        raise ValueError("money without a number or a known currency")
    return value, currency


def total(amounts: Iterable[Json]) -> tuple[Decimal, str]:
    """The sum of several amounts in one currency; ValueError when there is none, or when currencies differ."""
    parts = [money(amount) for amount in amounts]
    currencies = {currency for _, currency in parts}
    if len(currencies) != 1:
        raise ValueError("amounts in no currency, or in several")
    return sum((value for value, _ in parts), Decimal(0)), currencies.pop()


def linked(resource: Json, relation: str, within: str = "") -> str | None:
    """The last path part of the link with this ``rel`` whose address holds ``within``."""
    for link in resource.get("links") or []:
        address = text(link.get("href"))
        if link.get("rel") == relation and address and within in address:
            return address.split("?")[0].rstrip("/").rpartition("/")[2] or None
    return None


def agreement_of(resource: Json) -> str | None:
    """The subscription that a sale was charged for."""
    related = dig(resource, "supplementary_data.related_ids.billing_agreement_id")
    return text(resource.get("billing_agreement_id")) or text(related)


def order_to_read(resource: Json) -> str | None:
    """The v2 order behind a capture."""
    named = text(dig(resource, "supplementary_data.related_ids.order_id"))
    return named or linked(resource, "up", "/checkout/orders/")


def payment_to_read(resource: Json) -> str | None:
    """The v1 payment behind a sale, capture or refund."""
    return text(resource.get("parent_payment")) or linked(resource, "parent_payment")


def references_of(resource: Json) -> list[str]:
    """The merchant's invoice ids: PayPal takes each once only, so they name the sale. Custom ids may repeat."""
    parts = [resource, *(resource.get("purchase_units") or []), *(resource.get("transactions") or [])]
    found = (
        text(part.get("invoice_id")) or text(part.get("invoice_number")) for part in parts if isinstance(part, dict)
    )
    return [name for name in found if name]


def custom_of(*resources: Json) -> str | None:
    """The merchant's free text."""
    paths = ("custom_id", "custom", "purchase_units[0].custom_id", "transactions[0].custom")
    return next((said for one in resources for path in paths if (said := text(dig(one, path)))), None)


def has_email(resource: Json) -> bool:
    return contact_of(resource).email is not None


def contact_of(*resources: Json) -> Contact:
    """The buyer, from the first resource that names one; the payee and the merchant are never taken."""
    for resource in resources:
        contact = _payer(resource)
        if contact.email or contact.external_id:
            return contact
    return Contact()


def _payer(resource: Json) -> Contact:
    payer = resource.get("payer") or resource.get("subscriber") or {}
    info = payer.get("payer_info") or {}
    billed = _first_dict(dig(resource, "billing_info[0]"), dig(resource, "primary_recipients[0].billing_info"))
    name = _first_dict(payer.get("name"), billed.get("name"))
    contact = Contact(
        email=_said((payer, "email_address"), (info, "email"), (billed, "email"), (billed, "email_address")),
        phone=_said((payer, "phone.phone_number.national_number"), (info, "phone")),
        first_name=_said((name, "given_name"), (info, "first_name"), (billed, "first_name")),
        last_name=_said((name, "surname"), (info, "last_name"), (billed, "last_name")),
        external_id=_said((payer, "payer_id"), (info, "payer_id")),
    )
    shipped = _first_dict(dig(resource, "purchase_units[0].shipping.address"), dig(payer, "shipping_address.address"))
    address = shipped or _first_dict(info.get("shipping_address"), payer.get("address"), billed.get("address"))
    contact.city = _said((address, "admin_area_2"), (address, "city"))
    contact.region = _said((address, "admin_area_1"), (address, "state"))
    contact.postal_code = _said((address, "postal_code"))
    contact.country = _said((address, "country_code"), (info, "country_code"))
    return contact


def items_of(resource: Json) -> list[Item]:
    """The lines of an order, payment or invoice; mostly left out by the shop."""
    lines: list[Json] = [*(resource.get("items") or [])]
    for unit in resource.get("purchase_units") or []:
        lines += unit.get("items") or []
    for transaction in resource.get("transactions") or []:
        lines += dig(transaction, "item_list.items") or []
    return [_item(line) for line in lines]


def is_sandbox(*resources: Json) -> bool:
    links = (link for one in resources for link in one.get("links") or [])
    return any(SANDBOX in str(link.get("href")) for link in links)


def _item(line: Json) -> Item:
    unit = line.get("unit_amount") or line.get("unit_price") or {"value": line.get("price")}
    return Item(
        sku=text(line.get("sku")),
        name=text(line.get("name")),
        quantity=decimal(line.get("quantity")) or Decimal(1),
        price=decimal(unit.get("value")),
        category=text(line.get("category")),
    )


def _said(*places: tuple[Json, str]) -> str | None:
    return next((said for holder, path in places if (said := text(dig(holder, path)))), None)


def _first_dict(*found: Any) -> Json:
    return next((one for one in found if isinstance(one, dict) and one), {})

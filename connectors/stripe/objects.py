"""What Stripe's objects have in common: ids, persons, lines. Several API versions' layouts are read side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Contact, Item
from hub.contract.intake import split_name
from hub.contract.money import from_minor
from hub.contract.paths import dig, required_text, text

Json = Mapping[str, Any]
# In Stripe's own order of precedence for one sale: what a later refund, dispute or rebill can be found by.
_SALE_IDS = (
    "invoice", "payment_intent", "charge", "latest_charge", "payments.data[].payment.payment_intent",
    "payments.data[].payment.charge", "charges.data[].id", "recovered_from",
)  # fmt: skip
_PERSON_HOLDERS = (
    "customer_details", "billing_details", "charges.data[0].billing_details",
    "last_payment_error.payment_method.billing_details", "evidence",
)  # fmt: skip
_OWN_ID_RANK = {"invoice": 0, "payment_intent": 1, "charge": 2}  # before the ids from this place on
_NO_SALE = ("refund", "dispute", "subscription")  # objects whose own id names no sale


def reference(value: Any) -> str | None:
    """An id, also out of an expanded object."""
    return text(value.get("id")) if isinstance(value, dict) else text(value)


def alias_ids(thing: Json, fetched: Json) -> list[str]:
    """Every id of the sale, the canonical one first: invoice, else intent, else charge, else the object's own."""
    ids: list[str | None] = []
    for path in _SALE_IDS:
        found = dig(thing, path)
        ids += [reference(one) for one in found] if isinstance(found, list) else [reference(found)]
    for payment in fetched.get("payments") or []:
        ids += [reference(dig(payment, "payment.payment_intent")), reference(dig(payment, "payment.charge"))]
    kind = str(thing["object"])
    if kind not in _NO_SALE:
        rank = _OWN_ID_RANK.get(kind, len(ids))
        ids.insert(rank, required_text(thing, "id"))
    return list(dict.fromkeys(one for one in ids if one))


def subscription_of(thing: Json) -> str | None:
    """The subscription that the object is, or belongs to."""
    if thing["object"] == "subscription":
        return required_text(thing, "id")
    return reference(thing.get("subscription") or dig(thing, "parent.subscription_details.subscription"))


def person_of(thing: Json) -> Contact:
    """Who paid, as far as the object says; never the merchant."""
    holders = [found for path in _PERSON_HOLDERS if isinstance(found := dig(thing, path), dict)]
    email = _first(holders, "email", "customer_email_address") or text(thing.get("customer_email"))
    first, last = split_name(_first(holders, "name", "customer_name") or text(thing.get("customer_name")))
    return Contact(
        email=email or text(thing.get("receipt_email")),
        phone=_first(holders, "phone") or text(thing.get("customer_phone")),
        first_name=first,
        last_name=last,
        external_id=reference(thing.get("customer")),
    )


def address_of(thing: Json, contact: Contact) -> Contact:
    """``contact`` with the first postal address the object has."""
    paths = [*(f"{path}.address" for path in _PERSON_HOLDERS), "customer_address", "shipping.address"]
    address = next((found for path in paths if isinstance(found := dig(thing, path), dict) and any(found.values())), {})
    contact.city, contact.region = text(address.get("city")), text(address.get("state"))
    contact.postal_code, contact.country = text(address.get("postal_code")), text(address.get("country"))
    return contact


def priced_lines(thing: Json, fetched: Json, currency: str | None, exponents: dict[str, int]) -> list[Item]:
    """The lines of an invoice or subscription, or those read back for a Checkout session."""
    lines = fetched.get("line_items") or dig(thing, "lines.data") or dig(thing, "items.data") or []
    return [_item(line, currency, exponents) for line in lines]


def _item(line: Json, currency: str | None, exponents: dict[str, int]) -> Item:
    quantity = line.get("quantity") or 1
    total = line.get("amount_total", line.get("amount"))
    unit = dig(line, "price.unit_amount")
    if total is not None and total % quantity == 0:
        unit = total // quantity  # what was paid for it, discounts taken off
    price = from_minor(unit, currency, exponents)
    return Item(
        product_id=reference(dig(line, "price.product")) or text(dig(line, "pricing.price_details.product")),
        sku=reference(line.get("price")) or text(dig(line, "pricing.price_details.price")),
        name=text(line.get("description")),
        quantity=Decimal(quantity),
        price=price if price is None or price >= 0 else None,
    )


def _first(holders: list[Any], *names: str) -> str | None:
    return next((said for holder in holders for name in names if (said := text(holder.get(name)))), None)

"""What Stripe's objects have in common: ids, persons, lines. Several API versions' layouts are read side by side."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Contact, Item
from hub.contract.money import from_minor
from hub.toolkit.conversion_facts import first_object, first_text, read_person
from hub.toolkit.paths import all_at, dig, required_text, text

Json = Mapping[str, Any]
# In Stripe's own order of precedence for one sale: what a later refund, dispute or rebill can be found by.
_SALE_IDS = (
    "invoice",
    "payment_intent",
    "charge",
    "latest_charge",
    "payments.data[].payment.payment_intent",
    "payments.data[].payment.charge",
    "charges.data[].id",
    "recovered_from",
)
_NO_SALE = ("refund", "dispute", "subscription")  # objects whose own id names no sale
_HOLDERS = (
    "customer_details",
    "billing_details",
    "charges.data[0].billing_details",
    "last_payment_error.payment_method.billing_details",
    "evidence",
)
_ADDRESSES = (*(f"{holder}.address" for holder in _HOLDERS), "customer_address", "shipping.address")
_BUYER = {
    "email": [
        *(f"{each}.{name}" for each in _HOLDERS for name in ("email", "customer_email_address")),
        "customer_email",
        "receipt_email",
    ],
    "phone": [*(f"{each}.phone" for each in _HOLDERS), "customer_phone"],
    "name": [*(f"{each}.{name}" for each in _HOLDERS for name in ("name", "customer_name")), "customer_name"],
    "external_id": ("customer", "customer.id"),
    "city": "address.city",
    "region": "address.state",
    "postal_code": "address.postal_code",
    "country": "address.country",
}


def reference(value: Any) -> str | None:
    """An id, also out of an expanded object."""
    return text(value.get("id")) if isinstance(value, dict) else text(value)


def alias_ids(thing: Json, fetched: Json) -> list[str]:
    """Every id of the sale, the canonical one first: invoice, else intent, else charge, else the object's own."""
    kind = str(thing["object"])
    own = {} if kind in _NO_SALE else {kind: required_text(thing, "id")}
    ids = all_at({**thing, **own}, *_SALE_IDS)  # an invoice, intent or charge stands in its own place
    paid = fetched.get("payments") or []
    ids += [dig(one, f"payment.{name}") for one in paid for name in ("payment_intent", "charge")]
    return list(dict.fromkeys(filter(None, map(reference, [*ids, *own.values()]))))


def subscription_of(thing: Json) -> str | None:
    """The subscription that the object is, or belongs to."""
    if thing["object"] == "subscription":
        return required_text(thing, "id")
    return reference(thing.get("subscription") or dig(thing, "parent.subscription_details.subscription"))


def buyer_of(thing: Json) -> Contact:
    """Who paid, as far as the object says, with the first postal address it has; never the merchant."""
    return read_person({**thing, "address": first_object(thing, *_ADDRESSES)}, _BUYER)


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
        product_id=first_text(line, "price.product", "price.product.id", "pricing.price_details.product"),
        sku=first_text(line, "price", "price.id", "pricing.price_details.price"),
        name=text(line.get("description")),
        quantity=Decimal(quantity),
        price=price if price is None or price >= 0 else None,
    )

"""What was read back from BigCommerce, as conversions (bigcommerce/docs: orders v2, order refunds v3, carts v3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.contract import Kind, NotUnderstood, Stage
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import Facts, first_text, major_money, read_items, read_person, refused, sale_names
from hub.toolkit.paths import dig, required_text, text

Json = Mapping[str, Any]
_PERSON = {
    "email": "billing_address.email",
    "phone": "billing_address.phone",
    "first_name": "billing_address.first_name",
    "last_name": "billing_address.last_name",
    "city": "billing_address.city",
    "region": "billing_address.state",
    "postal_code": "billing_address.zip",
    "country": ("billing_address.country_iso2", "billing_address.country"),
}
_PRODUCT = {"product_id": "product_id", "sku": "sku", "name": "name", "quantity": "quantity"}
_PURCHASE: Facts = {"stage": Stage.PURCHASE}
_PENDING: Facts = {"kind": Kind.PENDING}
# status_id: bigcommerce/docs, "Order status values". A refunded order was paid; its refunds are events of their own.
_STATES: dict[str, Facts] = {
    "0": {"stage": Stage.INITIATE_CHECKOUT},
    **dict.fromkeys(("1", "7", "12"), _PENDING),
    **dict.fromkeys(("2", "3", "4", "8", "9", "10", "11", "14"), _PURCHASE),
    "5": {"stage": Stage.LEAD, "reason": "abandoned"},
    "6": refused(),
    "13": {"kind": Kind.DISPUTE},
}


def read_order(order: Json, products: Any) -> Facts | None:
    """The order in its present state; None for a state that is new to us, or an order that is gone."""
    meaning = _STATES.get(text(order.get("status_id")) or "")
    if meaning is None:
        return None
    facts = {**_sale(order), **meaning}
    if facts.get("kind") is Kind.DISPUTE:
        facts["money_id"] = f"{facts['order_id']}:dispute"
    return facts | {
        "items": read_items(products, _PRODUCT, lambda line: decimal(line.get("price_inc_tax"))),
        "when": order.get("date_modified") if "kind" in meaning else order.get("date_created"),
    }


def read_refund(event: Json, order: Json, refunds: Any) -> Facts:
    """The refund that the event names, of all the order has."""
    number = required_text(event, "data.refund.refund_id")
    rows = refunds if isinstance(refunds, list) else []
    refund = next((row for row in rows if text(dig(row, "id")) == number), None)
    if refund is None or not order:
        raise NotUnderstood("BigCommerce does not know the refund that this message names.")
    sale = _sale(order)
    money = major_money(refund["total_amount"], sale["currency"])
    facts = {
        "kind": Kind.REFUND,
        "money_id": number,
        "reason": text(refund.get("reason")),
        "when": refund.get("created"),
    }
    return {**sale, **facts, **money}


def read_cart(event: Json, cart: Json, *, is_abandoned: bool) -> Facts | None:
    """A cart that is gone by now still tells that it was abandoned, not what was in it."""
    lines = [line for some in (cart.get("line_items") or {}).values() for line in some]
    if not lines and not is_abandoned:
        return None
    meaning: Facts = {"stage": Stage.LEAD, "reason": "abandoned"} if is_abandoned else {"stage": Stage.ADD_TO_CART}
    currency = dig(cart, "currency.code")
    contact = read_person(cart, {"email": "email"})
    contact.external_id = _person_number(cart)
    return {
        **sale_names(required_text(event, "data.id")),
        **meaning,
        **(major_money(cart["cart_amount"], currency) if currency else {}),
        "items": read_items(lines, _PRODUCT, lambda line: decimal(line.get("sale_price"))),
        "contact": contact,
    }


def _sale(order: Json) -> Facts:
    """``default_currency_code`` is what the buyer pays in, ``currency_code`` what the storefront showed."""
    buyer = read_person(order, _PERSON)
    buyer.external_id = _person_number(order)
    return {
        **sale_names(required_text(order, "id"), order.get("cart_id")),
        **major_money(order["total_inc_tax"], first_text(order, "default_currency_code", "currency_code")),
        "contact": buyer,
    }


def _person_number(thing: Json) -> str | None:
    number = text(thing.get("customer_id"))
    return number if number != "0" else None  # 0 is every guest

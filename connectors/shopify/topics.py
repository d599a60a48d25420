"""Shopify's topics as conversions (shopify.dev/docs/api/webhooks, /docs/api/admin-rest: order, checkout, refund)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from hub.contract import Consent, Context, Conversion, Kind, NotUnderstood, Stage
from hub.contract.money import currency_code, decimal
from hub.toolkit.conversion_facts import Facts, first_text, major_money, read_items, read_person, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.tracking import read_tracking

Json = Mapping[str, Any]

_ADDRESSES = ("billing_address", "shipping_address", "customer.default_address")
_PERSON = {
    "email": ("email", "contact_email", "customer.email"),
    "phone": ("phone", "customer.phone", "billing_address.phone", "shipping_address.phone"),
    "first_name": ("customer.first_name", "billing_address.first_name", "shipping_address.first_name"),
    "last_name": ("customer.last_name", "billing_address.last_name", "shipping_address.last_name"),
    "external_id": "customer.id",
    "city": tuple(f"{each}.city" for each in _ADDRESSES),
    "region": tuple(f"{each}.{name}" for each in _ADDRESSES for name in ("province_code", "province")),
    "postal_code": tuple(f"{each}.zip" for each in _ADDRESSES),
    "country": tuple(f"{each}.{name}" for each in _ADDRESSES for name in ("country_code", "country")),
}
_CUSTOMER = {
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "external_id": "id",
    "city": "default_address.city",
    "region": "default_address.province_code",
    "postal_code": "default_address.zip",
    "country": "default_address.country_code",
}
_ITEM = {"product_id": "product_id", "sku": "sku", "name": ("title", "name"), "quantity": "quantity"}
_AWAITED = ("pending", "authorized", "partially_paid")  # what financial_status says while money is still to come


def read_topic(topic: str, thing: Json, received_at: datetime) -> Conversion | None:
    """The conversion in ``thing``; None when the topic, or its state, is not for us."""
    if not isinstance(thing, dict):
        raise NotUnderstood("This is not an object of Shopify.")
    reader, times = READERS.get(topic, (None, ()))
    facts = reader(thing) if reader else None
    if facts is None:
        return None
    occurred_at, flags = first_time(*(thing.get(name) for name in times), fallback=received_at)
    facts.setdefault("flags", []).extend(flags)
    if "event_id" not in facts:
        facts["event_id"] = f"{topic}:{required_text(thing, 'id')}"
    return Conversion(occurred_at=occurred_at, **facts)


def _cart(cart: Json) -> Facts | None:
    lines = cart["line_items"]
    if not lines:
        return None
    currency = first_text(cart, "line_items[0].line_price_set.shop_money.currency_code")
    total = sum((decimal(line["line_price"]) or Decimal(0) for line in lines), Decimal(0))
    money = major_money(total, currency) if currency else {}  # older API versions name no currency
    return {
        "event_id": _changing("carts", cart),
        "stage": Stage.ADD_TO_CART,
        "items": _items(cart),
        **money,
        **sale_names(_token(cart["token"])),
    }


def _checkout(checkout: Json) -> Facts:
    is_paying = checkout.get("gateway") or checkout.get("completed_at")
    conversion = _of_visitor(checkout)
    url = text(checkout.get("abandoned_checkout_url"))
    return {
        **conversion,
        "event_id": _changing("checkouts", checkout),
        "stage": Stage.ADD_PAYMENT_INFO if is_paying else Stage.INITIATE_CHECKOUT,
        **sale_names(checkout["token"], checkout.get("id"), _token(checkout.get("cart_token"))),
        **major_money(checkout["total_price"], checkout["currency"]),
        "extra": conversion["extra"] | ({"recovery_url": url} if url else {}),
    }


def _order_created(order: Json) -> Facts | None:
    """Only while its money is still to come: ``orders/paid`` tells the sale."""
    return {**_order(order), "kind": Kind.PENDING} if order.get("financial_status") in _AWAITED else None


def _order_paid(order: Json) -> Facts:
    return {**_order(order), "stage": Stage.PURCHASE}


def _order_cancelled(order: Json) -> Facts:
    return {**_named(order), "kind": Kind.CANCELLATION, "reason": text(order.get("cancel_reason"))}


def _order(order: Json) -> Facts:
    """``total_price`` is as bought, in the shop's currency; ``current_total_price`` shrinks with refunds."""
    return {**_named(order), **major_money(order["total_price"], order["currency"])}


def _named(order: Json) -> Facts:
    tokens = [_token(order.get(name)) for name in ("checkout_token", "cart_token")]
    return {
        **_of_visitor(order),
        **sale_names(required_text(order, "id"), order.get("name"), order.get("order_number"), *tokens),
        "test": order.get("test") is True,
    }


def _refund(refund: Json) -> Facts:
    """What was paid back; where no payment is told (tests, restocking), the lines' worth, and a flag says so."""
    flags = []
    payments = [each for each in refund.get("transactions") or [] if each["kind"] == "refund"]
    currency = first_text(
        refund,
        "refund_line_items[0].subtotal_set.shop_money.currency_code",
        "total_duties_set.shop_money.currency_code",
        "transactions[0].currency",
    )
    if payments and all(currency_code(each["currency"]) == currency_code(currency) for each in payments):
        amounts = [each["amount"] for each in payments if each["status"] == "success"]
    else:
        flags = ["refund_amount_from_lines"]
        lines = refund.get("refund_line_items") or []
        amounts = [dig(line, "subtotal_set.shop_money.amount") or line["subtotal"] for line in lines]
    total = sum((decimal(amount) or Decimal(0) for amount in amounts), Decimal(0))
    return {
        "kind": Kind.REFUND,
        "money_id": required_text(refund, "id"),
        "flags": flags,
        "reason": text(refund.get("note")),
        **sale_names(required_text(refund, "order_id")),
        **(major_money(total, currency) if currency or total else {}),
    }


def _customer(customer: Json) -> Facts:
    return {
        "stage": Stage.COMPLETE_REGISTRATION,
        "contact": read_person(customer, _CUSTOMER),
        "consent": _consent(customer, None),
    }


def _data_request(request: Json) -> Facts:
    person = read_person(request["customer"], _CUSTOMER)
    number = required_text(request, "data_request.id")
    extra = {"privacy_request": "access", "orders": [text(each) for each in request.get("orders_requested") or []]}
    return {"event_id": f"customers/data_request:{number}", "kind": Kind.CONTACT, "contact": person, "extra": extra}


def _redact(request: Json) -> Facts:
    """The person's data must go: every consent is withdrawn, so that nothing more is sent."""
    person = read_person(request["customer"], _CUSTOMER)
    extra = {"privacy_request": "erase", "orders": [text(each) for each in request.get("orders_to_redact") or []]}
    return {
        "event_id": f"customers/redact:{required_text(request, 'customer.id')}",
        "kind": Kind.CONTACT,
        "contact": person,
        "consent": Consent(ads=False, email=False, analytics=False),
        "extra": extra,
    }


Reader = Callable[[Json], Facts | None]
READERS: dict[
    str, tuple[Reader, tuple[str, ...]]
] = {  # topic: its reader, and the keys of when it happened, best first
    "carts/create": (_cart, ("updated_at", "created_at")),
    "carts/update": (_cart, ("updated_at", "created_at")),
    "checkouts/create": (_checkout, ("updated_at", "created_at")),
    "checkouts/update": (_checkout, ("updated_at", "created_at")),
    "orders/create": (_order_created, ("processed_at", "created_at")),
    "orders/paid": (_order_paid, ("processed_at", "created_at")),
    "orders/cancelled": (_order_cancelled, ("cancelled_at", "updated_at")),
    "refunds/create": (_refund, ("processed_at", "created_at")),
    "customers/create": (_customer, ("created_at",)),
    "customers/data_request": (_data_request, ()),
    "customers/redact": (_redact, ()),
}
COMPLIANCE = ("customers/data_request", "customers/redact")  # of an app: they cannot be made in the admin


def _changing(topic: str, thing: Json) -> str:
    """An event id for what is told again at every change: a later telling may know the e-mail."""
    return ":".join([topic, required_text(thing, "token"), text(thing.get("updated_at")) or ""])


def _token(token: Any) -> str | None:
    """A cart's token; newer ones carry a key in the cart and none in the order."""
    return (text(token) or "").partition("?")[0] or None


def _of_visitor(thing: Json) -> Facts:
    """Who bought what, and where they came from: the landing page's address has the UTM values and click ids."""
    client = thing.get("client_details") or {}
    conversion = Conversion(
        "",
        context=Context(
            ip=first_text(thing, "browser_ip", "client_details.browser_ip"),
            user_agent=text(client.get("user_agent")),
            page_url=_landing_page(thing),
            referrer=text(thing.get("referring_site")),
        ),
    )
    read_tracking(conversion, dict(parse_qsl(urlsplit(conversion.context.page_url or "").query, max_num_fields=100)))
    notes = {note["name"]: note.get("value") for note in thing.get("note_attributes") or []}
    left = read_tracking(conversion, notes)
    found = {name: text(thing.get(name)) for name in ("name", "source_name", "tags")}
    extra = {name: value for name, value in found.items() if value} | ({"note_attributes": left} if left else {})
    return {
        "contact": read_person(thing, _PERSON),
        "context": conversion.context,
        "campaigns": conversion.campaigns,
        "items": _items(thing),
        "coupon": first_text(thing, "discount_codes[0].code"),
        "extra": extra,
        "consent": _consent(thing.get("customer") or {}, thing.get("buyer_accepts_marketing")),
    }


def _landing_page(thing: Json) -> str | None:
    """In full where another address of the order names the shop's host: Shopify tells only path and query."""
    path = text(thing.get("landing_site"))
    return urljoin(first_text(thing, "order_status_url", "abandoned_checkout_url") or "", path) if path else None


def _items(thing: Json) -> list[Any]:
    return read_items(thing.get("line_items"), _ITEM, lambda line: decimal(line.get("price")))


def _consent(customer: Json, accepts: Any) -> Consent:
    state = text(dig(customer, "email_marketing_consent.state"))
    return Consent(
        email=True if accepts is True or state == "subscribed" else False if state == "unsubscribed" else None
    )

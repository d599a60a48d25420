"""ActiveCampaign's e-commerce data: a shop (connection), its customers, their orders and abandoned carts.

Sources, under developers.activecampaign.com/reference: connections, create-customer, create-order, update-order, and
the guide on abandoned carts (``externalcheckoutid`` with ``abandonedDate``). Amounts are in cents.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode

from hub.contract import Call, Field, Kind, Record, Reply, Stage, Text
from hub.contract.money import decimal
from hub.toolkit.crm import is_sale
from hub.toolkit.email_tools import agreed, filled
from hub.toolkit.paths import dig, text

SERVICE = "conversion-hub"
ORDER_FIELDS = (
    Field("order.id", Text("Order: id", "Commande : numéro"), group="order"),
    Field("order.total", Text("Order: amount", "Commande : montant"), "money", group="order"),
    Field("order.currency", Text("Order: currency", "Commande : devise"), group="order"),
    Field("order.items", Text("Order: lines", "Commande : lignes"), "list", group="order"),
)


def connection(base: str) -> Generator[Call, Reply, str | None]:
    """The id of the hub's shop, which is made when it is missing."""
    known = yield from _find(base, "connections", {"service": SERVICE})
    if known is None:
        page = base.removesuffix("/api/3")
        shop = {"service": SERVICE, "externalid": SERVICE, "name": "Conversion Hub", "logoUrl": page, "linkUrl": page}
        reply = yield Call.post(f"{base}/connections", json={"connection": shop})
        known = text(dig(reply.json(), "connection.id"))
    return known


def send_order(base: str, record: Record, email: str) -> Generator[Call, Reply, str]:
    """Create or update the order of ``record``, if it has one. Returns a warning, or ""."""
    name = text(record.values.get("order.id"))
    if name is None or not is_sale(record):
        return ""
    shop = yield from connection(base)
    customer = yield from _customer(base, shop, record, email)
    placed = yield from _find(base, "ecomOrders", {"connectionid": shop, "externalid": name})
    cart = (
        None if placed else (yield from _find(base, "ecomOrders", {"connectionid": shop, "externalcheckoutid": name}))
    )
    if placed and record.stage is Stage.LEAD:
        return ""  # it was paid after all, and the news of its being given up came late
    order = _order(record, name, email, shop) | {"customerid": customer}
    if known := placed or cart:
        yield Call.put(f"{base}/ecomOrders/{known}", json={"ecomOrder": order})
        return ""
    if record.kind in (Kind.REFUND, Kind.DISPUTE):
        return f"The order {name} is not in ActiveCampaign, so its amount was not changed."
    yield Call.post(f"{base}/ecomOrders", json={"ecomOrder": order})
    return ""


def _customer(base: str, shop: str | None, record: Record, email: str) -> Generator[Call, Reply, str | None]:
    known = yield from _find(base, "ecomCustomers", {"connectionid": shop, "email": email})
    if known is None:
        customer = {"connectionid": shop, "externalid": email, "email": email, "acceptsMarketing": int(agreed(record))}
        reply = yield Call.post(f"{base}/ecomCustomers", json={"ecomCustomer": customer})
        known = text(dig(reply.json(), "ecomCustomer.id"))
    return known


def _find(base: str, what: str, filters: Mapping[str, str | None]) -> Generator[Call, Reply, str | None]:
    query = urlencode({f"filters[{name}]": value for name, value in filters.items()})
    reply = yield Call.get(f"{base}/{what}?{query}")
    return text(dig(reply.json(), f"{what}[0].id"))


def _order(record: Record, name: str, email: str, shop: str | None) -> dict[str, Any]:
    at, total = record.occurred_at.isoformat(timespec="seconds"), _cents(record.values.get("order.total"))
    order: dict[str, Any] = {
        "source": "1",
        "email": email,
        "orderNumber": name,
        "totalPrice": total,
        "currency": text(record.values.get("order.currency")),
        "connectionid": shop,
    }
    given_up = record.stage is Stage.LEAD
    order |= {"externalcheckoutid": name, "abandonedDate": at} if given_up else {"externalid": name}
    if record.kind in (Kind.REFUND, Kind.DISPUTE):  # they tell neither the lines nor the time of their order
        return order
    lines = record.values.get("order.items")
    products = [_product(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    whole = {"externalid": name, "name": f"Order {name}", "price": total, "quantity": 1}
    return order | {"externalCreatedDate": at, "orderProducts": products or [whole]}


def _product(line: Mapping[str, Any]) -> dict[str, Any]:
    name = text(line.get("name")) or text(line.get("product_id")) or "?"
    external = text(line.get("product_id")) or text(line.get("sku")) or name
    quantity = max(1, int(decimal(line.get("quantity")) or 1))
    product = {"externalid": external, "name": name, "price": _cents(line.get("price")), "quantity": quantity}
    return product | filled(line, ("sku", "category"))


def _cents(amount: Any) -> int:
    """49.99 → 4999, whatever the currency. ActiveCampaign documents no exception."""
    return int(((decimal(amount) or Decimal(0)) * 100).to_integral_value(ROUND_HALF_UP))

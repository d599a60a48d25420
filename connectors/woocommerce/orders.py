"""WooCommerce's orders and customers as conversions (woocommerce.github.io/woocommerce-rest-api-docs, orders)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.contract import Context, Conversion, Kind, NotUnderstood, Stage
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import Facts, major_money, read_items, read_person, refused, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.tracking import read_tracking

Json = Mapping[str, Any]

_PERSON = {
    "email": ("billing.email", "email"),
    "phone": "billing.phone",
    "first_name": ("billing.first_name", "first_name"),
    "last_name": ("billing.last_name", "last_name"),
    "city": "billing.city",
    "region": "billing.state",
    "postal_code": "billing.postcode",
    "country": "billing.country",
}
_ITEM = {"product_id": "product_id", "sku": "sku", "name": "name", "quantity": "quantity"}
# What the shop's own attribution writes beside an order (WooCommerce 8.5, class OrderAttribution).
_ATTRIBUTION = "_wc_order_attribution_"
_RENEWAL_OF = "_subscription_renewal"  # the Subscriptions plugin, on each later charge's order
PAID = ("processing", "completed", "refunded")
_STATES: dict[str, Facts] = {
    "checkout-draft": {"stage": Stage.INITIATE_CHECKOUT},
    "pending": {"stage": Stage.ADD_PAYMENT_INFO},  # placed with a way to pay, and not paid yet
    "on-hold": {"kind": Kind.PENDING},
    "failed": refused(),
    "cancelled": {"stage": Stage.LEAD, "reason": "abandoned"},
    **{status: {"stage": Stage.PURCHASE} for status in PAID},
}


def read_order(order: Json, received_at: datetime) -> list[Conversion]:
    """What the order's state means, and its refunds. A shop tells an order again at each change."""
    refunds = _refunds(order, received_at)
    state = _STATES.get(order["status"])
    was_paid = order["status"] != "refunded" or order.get("date_paid_gmt")
    if state is None or not was_paid:
        return refunds
    return [_sale(order, state, received_at), *refunds]


def read_customer(customer: Json, received_at: datetime) -> Conversion:
    """A new account."""
    conversion = Conversion(f"customer:{required_text(customer, 'id')}", stage=Stage.COMPLETE_REGISTRATION)
    conversion.contact = read_person(customer, {**_PERSON, "external_id": "id"})
    return _dated(conversion, received_at, customer.get("date_created_gmt"), customer.get("date_created"))


def read_deleted(order: Json, received_at: datetime) -> Conversion:
    """Of a deleted order only the id is told."""
    number = required_text(order, "id")
    facts = {**sale_names(number), "reason": "deleted"}
    return Conversion(f"{number}:deleted", Kind.CANCELLATION, occurred_at=received_at, **facts)


def _sale(order: Json, state: Facts, received_at: datetime) -> Conversion:
    meta = {row["key"]: row.get("value") for row in order.get("meta_data") or []}
    conversion = Conversion(
        event_id=_told(order, state.get("stage") or Kind.PENDING),
        contact=_buyer(order),
        items=read_items(order.get("line_items"), _ITEM, lambda line: decimal(line.get("price"))),
        coupon=text(dig(order, "coupon_lines[0].code")),
        context=Context(
            ip=text(order.get("customer_ip_address")),
            user_agent=text(order.get("customer_user_agent")),
            page_url=text(meta.get(f"{_ATTRIBUTION}session_entry")),
        ),
        **_names(order),
        **major_money(order["total"], order["currency"]),
        **state,
    )
    read_tracking(conversion, {name.removeprefix(_ATTRIBUTION): value for name, value in meta.items()})
    conversion.subscription_id = text(meta.get(_RENEWAL_OF))
    if conversion.subscription_id:
        conversion.recurring = True
        conversion.kind = Kind.RENEWAL if conversion.stage is Stage.PURCHASE else conversion.kind
    found = {name: text(order.get(name)) for name in ("number", "payment_method", "transaction_id")}
    conversion.extra = {name: value for name, value in found.items() if value}
    paid_at = order.get("date_paid_gmt") if order["status"] in PAID else None
    return _dated(conversion, received_at, paid_at, order.get("date_modified_gmt"), order.get("date_created_gmt"))


def _refunds(order: Json, received_at: datetime) -> list[Conversion]:
    """Every refund so far, each as the positive amount of its own; a refund's own time is not told."""
    found = [(required_text(row, "id"), row["total"], row.get("reason")) for row in order.get("refunds") or []]
    if order["status"] == "refunded" and not found:
        found = [("whole", order["total"], None)]  # marked as refunded by hand, or told before its refund was made
    conversions = []
    for number, total, reason in found:
        amount = decimal(total)
        if amount is None:
            raise NotUnderstood("A refund of this order has no amount.")
        refund = Conversion(
            f"{required_text(order, 'id')}:refund:{number}",
            Kind.REFUND,
            contact=_buyer(order),
            reason=text(reason),
            money_id=number,
            flags=["refund_id_unknown"] if number == "whole" else [],
            **_names(order),
            **major_money(abs(amount), order["currency"]),
        )
        conversions.append(_dated(refund, received_at, order.get("date_modified_gmt")))
    return conversions


def _told(order: Json, what: str) -> str:
    """The same for a message sent twice, later in the alphabet for a later change: the latest amount counts."""
    parts = [required_text(order, "id"), str(what), text(order.get("date_modified_gmt"))]
    return ":".join(part for part in parts if part)


def _names(order: Json) -> Facts:
    """The number of a numbering plugin is left out while it is all digits: it may be the id of another order."""
    number = text(order.get("number")) or ""
    return sale_names(required_text(order, "id"), order.get("order_key"), None if number.isdigit() else number)


def _buyer(order: Json) -> Any:
    buyer = read_person(order, _PERSON)
    number = text(order.get("customer_id"))
    buyer.external_id = number if number != "0" else None  # 0 is every guest
    return buyer


def _dated(conversion: Conversion, received_at: datetime, *times: Any) -> Conversion:
    conversion.occurred_at, flags = first_time(*times, fallback=received_at)
    conversion.flags += flags
    return conversion

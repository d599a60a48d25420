"""SamCart's webhooks, formerly Notify URL (help.samcart.com, article 60000506436).

The vendor describes the rules, not the message. Everything about its layout is therefore a default that a person can
change after a look at a real message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Category, Conversion, Inbound, Kind, Snippet, Stage, Status, Text
from hub.toolkit.field_picker import records
from hub.toolkit.field_values import PickedSettings, read_picked
from hub.toolkit.unsigned_source import UnsignedSender

PATHS = {
    "stage": "type",
    "kind": "type",
    "email": "customer.email",
    "first_name": "customer.first_name",
    "last_name": "customer.last_name",
    "phone": "customer.phone_number",
    "external_id": "customer.id",
    "order_id": "order.id",
    "amount": "order.total",
    "currency": "order.currency",
    "coupon": "order.coupon",
    "product_id": "products[].id",
    "product_name": "products[].name",
    "subscription_id": "subscription.id",
    "refund_id": "refund.id",
}
STAGES = {"Order": "purchase", "order_completed": "purchase", "Prospect": "lead", "subscription_created": "purchase"}
KINDS = {
    "Refund": "refund",
    "order_refunded": "refund",
    "RecurringPaymentSucceeded": "renewal",
    "subscription_charged": "renewal",
    "SubscriptionCanceled": "cancellation",
    "subscription_cancelled": "cancellation",
}


class SamCart(UnsignedSender):
    """Orders, refunds, charges and cancellations, as far as your own messages tell them."""

    slug = "samcart"
    name = "SamCart"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://www.samcart.com"
    Settings = PickedSettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.CANCELLATION})
    own_order_numbers = True  # not told by the vendor, so it is taken with care
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "SamCart › Apps › Webhooks › Install (Notify URL), then + Add New Rule for each trigger",
            "SamCart › Apps › Webhooks › Install (Notify URL), puis + Add New Rule par déclencheur",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        mine = {"paths": PATHS, "stage_values": STAGES, "kind_values": KINDS}
        return read_picked(
            records(inbound), inbound, {**settings, **{name: {**mine[name], **settings[name]} for name in mine}}
        )

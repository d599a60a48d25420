"""The mapping's input, of a conversion as it is stored with its order and customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.mapping.facts import facts
from hub.store import orders
from hub.store.accounts import WorkspaceRow
from hub.store.base import EPOCH, Values
from hub.store.conversions import ConversionRow, SentConversion
from hub.store.orders import Lifetime, OrderRow


def known_facts(
    conversion: ConversionRow | SentConversion,
    workspace: WorkspaceRow,
    order: OrderRow | None,
    lifetime: Sequence[Lifetime] | None,
    campaign_names: Sequence[str],
    unsubscribe_url: str | None = None,
) -> dict[str, Any]:
    """What a mapping reads of a stored conversion. One function for delivery and for trying a mapping out.

    ``lifetime``: the contact's rows of :func:`hub.store.orders.lifetime`; None: nobody will ask for the customer.
    """
    data = facts(
        conversion.data,
        conversion.event_id,
        _order_facts(order),
        _customer_facts(conversion, lifetime),
        campaign_names,
        trust=conversion.trust,
        language=workspace.language,
        time_zone=workspace.time_zone,
        unsubscribe_url=unsubscribe_url,
    )
    data["kind"] = conversion.kind  # the books know whether a charge was a renewal, its message may not
    return data


def filter_facts(row: Values) -> dict[str, Any]:
    """What a route's filter reads of a conversion, as it is stored or about to be."""
    data = facts(row["data"], row["event_id"], trust=row["trust"])
    return data | {"kind": row["kind"]}  # as in known_facts


def _order_facts(row: OrderRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = ("gross", "refunded", "currency", "status")
    return {"id": row.display_id or None, "net": orders.net(row), **{name: getattr(row, name) for name in names}}


def _customer_facts(
    conversion: ConversionRow | SentConversion, lifetime: Sequence[Lifetime] | None
) -> dict[str, Any] | None:
    if not lifetime:
        return {} if lifetime is None else None
    # Unlike currencies are never added up: the one of this conversion is shown, else the one with the latest purchase.
    mine = [row for row in lifetime if row.currency == conversion.currency]
    row = mine[0] if mine else max(lifetime, key=lambda one: one.last_at or EPOCH)
    items = conversion.data["items"]
    return {
        "lifetime_value": row.net,
        "currency": row.currency,
        "orders": row.orders,
        "first_purchase_at": row.first_at,
        "last_purchase_at": row.last_at,
        "last_product": items[0].get("name") if items else None,
    }

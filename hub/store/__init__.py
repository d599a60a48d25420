"""Tables and queries, one file a noun. A noun's functions take the transaction first and never commit."""

from hub.store import (
    accounts,
    attempts,
    campaigns,
    connections,
    contacts,
    conversions,
    deliveries,
    grants,
    inbound,
    leases,
    orders,
    routes,
)
from hub.store.base import Store, metadata, new_id, now

__all__ = [
    "Store",
    "accounts",
    "attempts",
    "campaigns",
    "connections",
    "contacts",
    "conversions",
    "deliveries",
    "grants",
    "inbound",
    "leases",
    "metadata",
    "new_id",
    "now",
    "orders",
    "routes",
]

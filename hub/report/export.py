"""Everything of one noun as CSV, row by row, so that a million rows take no more memory than one page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO

from sqlalchemy import Connection

from hub.contract.conversion import iso, money_text
from hub.store import contacts, conversions, orders
from hub.store.contacts import ContactRow
from hub.store.conversions import ConversionRow
from hub.store.orders import OrderRow

PAGE = 500

Line = dict[str, Any]


def write(tx: Connection, workspace_id: str, noun: str, file: TextIO) -> int:
    """Write ``noun`` ("conversions", "orders" or "contacts") as CSV, newest first; returns the number of rows.

    Cells that a spreadsheet would run as a formula are given a leading apostrophe.
    """
    columns, page, line = NOUNS[noun]
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    number = 0
    for row in _pages(tx, workspace_id, page):
        writer.writerow({name: safe_cell(value) for name, value in line(row).items()})
        number += 1
    return number


def safe_cell(value: Any) -> Any:
    """``value`` as it may stand in a cell (OWASP, CSV injection)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        return "'" + value
    return value


def _pages(tx: Connection, workspace_id: str, page: Callable[..., Sequence[Any]]) -> Iterator[Any]:
    before: str | None = None
    while True:
        rows = page(tx, workspace_id, limit=PAGE, before=before)
        yield from rows
        if len(rows) < PAGE:
            return
        before = rows[-1].id


def _conversion(row: ConversionRow) -> Line:
    data = row.data
    own = {
        "id": row.id,
        "occurred_at": iso(row.occurred_at),
        "kind": row.kind,
        "stage": row.stage,
        "order_id": data.get("order_id"),
        "value": money_text(row.value),
        "currency": row.currency,
        "test": row.test,
        "trust": row.trust,
        "identified_by": row.identified_by,
        "state": row.state,
        "reason": row.reason,
        "campaigns": " ".join(data["campaigns"]["ids"]),
        "tags": " ".join(data["campaigns"]["tags"]),
    }
    person = {name: data["contact"].get(name) for name in ("email", "first_name", "last_name")}
    items = data.get("items") or [{}]
    return own | person | {"product_id": items[0].get("product_id"), "product_name": items[0].get("name")}


def _order(row: OrderRow) -> Line:
    return {
        "id": row.id,
        "order_id": row.display_id,
        "status": row.status,
        "currency": row.currency,
        "gross": money_text(row.gross),
        "refunded": money_text(row.refunded),
        "disputed": money_text(row.disputed),
        "net": money_text(orders.net(row)),
        "test": row.test,
        "paid_at": iso(row.paid_at) if row.paid_at else None,
        "subscription_id": row.subscription_id,
        "contact_id": row.contact_id,
    }


def _contact(row: ContactRow) -> Line:
    names = ("first_name", "last_name", "phone", "external_id", "city", "region", "postal_code", "country")
    own = {"id": row.id, "email": row.email, "created_at": iso(row.created_at)}
    return own | {name: row.data.get(name) for name in names}


NOUNS: dict[str, tuple[list[str], Callable[..., Sequence[Any]], Callable[[Any], Line]]] = {
    "conversions": (
        [
            "id",
            "occurred_at",
            "kind",
            "stage",
            "order_id",
            "value",
            "currency",
            "test",
            "trust",
            "identified_by",
            "state",
            "reason",
            "campaigns",
            "tags",
            "email",
            "first_name",
            "last_name",
            "product_id",
            "product_name",
        ],
        conversions.latest,
        _conversion,
    ),
    "orders": (
        [
            "id",
            "order_id",
            "status",
            "currency",
            "gross",
            "refunded",
            "disputed",
            "net",
            "test",
            "paid_at",
            "subscription_id",
            "contact_id",
        ],
        orders.latest,
        _order,
    ),
    "contacts": (
        [
            "id",
            "email",
            "created_at",
            "first_name",
            "last_name",
            "phone",
            "external_id",
            "city",
            "region",
            "postal_code",
            "country",
        ],
        contacts.latest,
        _contact,
    ),
}

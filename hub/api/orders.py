"""Orders and their ledgers."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import Amount, At, PageQuery, page, page_of
from hub.contract.vocabulary import Text
from hub.steer.errors import NotFound
from hub.store import orders
from hub.store.base import columns_of
from hub.store.orders import OrderRow

calls = Calls("orders", "Sales, each with its ledger")


class OrderShape(Schema):
    id = fields.String()
    display_id = fields.String(metadata={"description": "The order id as its sender writes it"})
    status = fields.String(metadata={"description": "open, pending, lead, paid, refunded, disputed or cancelled"})
    currency = fields.String(allow_none=True)
    gross = Amount()
    refunded = Amount()
    disputed = Amount()
    net = Amount()
    test = fields.Boolean()
    contact_id = fields.String(allow_none=True)
    subscription_id = fields.String(allow_none=True)
    paid_at = At(allow_none=True)
    created_at = At()
    updated_at = At()


class LedgerLine(Schema):
    id = fields.String()
    kind = fields.String()
    amount = Amount(metadata={"description": "Signed: what it adds to net revenue"})
    currency = fields.String()
    conversion_id = fields.String()
    occurred_at = At()
    booked_at = At()
    note = fields.String()


class OrderWithLedger(OrderShape):
    names = fields.List(fields.String(), metadata={"description": "Every name it goes by"})
    ledger = fields.List(fields.Nested(LedgerLine))


@calls("GET", "/orders", query=PageQuery, answer=page_of(OrderShape))
def list_orders(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        rows = orders.latest(tx, workspace_id(), **query)
    return page(rows, query["limit"]) | {"items": [_with_net(row) for row in rows]}


@calls("GET", "/orders/<order_id>", answer=OrderWithLedger)
def show_order(order_id: str) -> dict[str, Any]:
    """One order with its names and its ledger."""
    with store().read() as tx:
        row = orders.get(tx, order_id, workspace_id())
        if row is None:
            raise NotFound(Text("There is no such order.", "Cette commande n'existe pas."))
        return _with_net(row) | {"names": orders.aliases_of(tx, order_id), "ledger": orders.lines(tx, order_id)}


def _with_net(row: OrderRow) -> dict[str, Any]:
    return {**columns_of(row), "net": orders.net(row)}

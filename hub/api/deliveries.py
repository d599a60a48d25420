"""Deliveries: one conversion on one route, and every try."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import At, PageQuery, page, page_of
from hub.contract.vocabulary import Text
from hub.steer.errors import NotFound
from hub.store import attempts, deliveries
from hub.store.base import columns_of

calls = Calls("deliveries", "Each conversion on each route, and every try")

STATES = (deliveries.WAITING, deliveries.DELIVERED, deliveries.NOT_SENT, deliveries.FAILED)


class DeliveriesQuery(PageQuery):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    connection_id = fields.String(load_default=None, validate=validate.Length(max=36))
    conversion_id = fields.String(load_default=None, validate=validate.Length(max=36))


class DeliveryShape(Schema):
    id = fields.String()
    conversion_id = fields.String()
    route_id = fields.String()
    connection_id = fields.String()
    mapping_id = fields.String(allow_none=True)
    state = fields.String()
    reason = fields.String()
    detail = fields.String()
    tries = fields.Integer()
    due_at = At()
    created_at = At()
    done_at = At(allow_none=True)


class Attempt(Schema):
    number = fields.Integer()
    at = At()
    result = fields.String()
    reason = fields.String()
    detail = fields.String()
    milliseconds = fields.Integer(allow_none=True)
    calls = fields.List(fields.Dict(), allow_none=True, metadata={"description": "What was said; secrets are ***"})


class DeliveryWithAttempts(DeliveryShape):
    attempts = fields.List(fields.Nested(Attempt))


@calls("GET", "/deliveries", query=DeliveriesQuery, answer=page_of(DeliveryShape))
def list_deliveries(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        return page(deliveries.latest(tx, workspace_id(), **query), query["limit"])


@calls("GET", "/deliveries/<delivery_id>", answer=DeliveryWithAttempts)
def show_delivery(delivery_id: str) -> dict[str, Any]:
    """One delivery with every try."""
    with store().read() as tx:
        row = deliveries.get(tx, delivery_id, workspace_id())
        if row is None:
            raise NotFound(Text("There is no such delivery.", "Cet envoi n'existe pas."))
        return {**columns_of(row), "attempts": attempts.of_deliveries(tx, [delivery_id]).get(delivery_id, [])}

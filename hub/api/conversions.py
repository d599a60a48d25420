"""Conversions: what happened, as all messages together say."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import Amount, At, PageQuery, Since, page, page_of, plain
from hub.contract.vocabulary import Stage, Text
from hub.report.timeline import timeline_of_conversion
from hub.steer.errors import NotFound
from hub.store import conversions
from hub.store.base import Row

calls = Calls("conversions", "What happened, as all messages together say")


class ConversionsQuery(PageQuery):
    stage = fields.String(load_default=None, validate=validate.OneOf([str(stage) for stage in Stage]))
    contact_id = fields.String(load_default=None, validate=validate.Length(max=36))
    order_id = fields.String(load_default=None, validate=validate.Length(max=36))
    since = Since(load_default=None)


class ConversionShape(Schema):
    id = fields.String()
    event_id = fields.String(metadata={"description": "Stable; what destinations deduplicate on"})
    kind = fields.String()
    stage = fields.String(allow_none=True)
    occurred_at = At()
    value = Amount(allow_none=True)
    currency = fields.String(allow_none=True)
    test = fields.Boolean()
    trust = fields.String()
    identified_by = fields.String()
    state = fields.String()
    reason = fields.String()
    order_id = fields.String(allow_none=True)
    contact_id = fields.String(allow_none=True)
    data = fields.Dict(metadata={"description": "The whole conversion, in the shape of docs/connectors.md"})
    created_at = At()
    updated_at = At()


class ConversionTimeline(Schema):
    messages = fields.List(fields.Dict())
    readings = fields.List(fields.Dict())
    conversions = fields.List(fields.Dict())
    orders = fields.List(fields.Dict())
    contacts = fields.List(fields.Dict())


@calls("GET", "/conversions", query=ConversionsQuery, answer=page_of(ConversionShape))
def list_conversions(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        return page(conversions.latest(tx, workspace_id(), **query), query["limit"])


@calls("GET", "/conversions/<conversion_id>", answer=ConversionShape)
def show_conversion(conversion_id: str) -> Row:
    """One conversion."""
    with store().read() as tx:
        row = conversions.get(tx, conversion_id, workspace_id())
    if row is None:
        raise _missing()
    return row


@calls("GET", "/conversions/<conversion_id>/timeline", answer=ConversionTimeline)
def show_timeline(conversion_id: str) -> Any:
    """Every message that spoke of it, what was made of them, and every try of every delivery."""
    with store().read() as tx:
        found = timeline_of_conversion(tx, workspace_id(), conversion_id)
    if found is None:
        raise _missing()
    return plain(found)


def _missing() -> NotFound:
    return NotFound(Text("There is no such conversion.", "Cette conversion n'existe pas."))

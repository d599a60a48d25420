"""Inbound messages: what arrived, and what became of it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import At, PageQuery, page, page_of, plain
from hub.contract.vocabulary import Text
from hub.report.timeline import timeline
from hub.steer.errors import NotFound
from hub.store import inbound

calls = Calls("inbound", "Raw messages, and what became of them")

STATES = (inbound.RECEIVED, inbound.READING, inbound.DONE, inbound.IGNORED, inbound.PARKED, inbound.REFUSED)


class InboundQuery(PageQuery):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    connection_id = fields.String(load_default=None, validate=validate.Length(max=36))


class MessageShape(Schema):
    id = fields.String()
    connection_id = fields.String()
    received_at = At()
    method = fields.String()
    path = fields.String()
    trust = fields.String()
    state = fields.String()
    reason = fields.String()
    detail = fields.String()
    resends = fields.Integer()


class Timeline(Schema):
    message = fields.Dict()
    verdict = fields.Dict()
    readings = fields.List(fields.Dict())
    conversions = fields.List(fields.Dict())
    orders = fields.List(fields.Dict())
    contacts = fields.List(fields.Dict())


@calls("GET", "/inbound", query=InboundQuery, answer=page_of(MessageShape))
def list_inbound(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        return page(inbound.latest(tx, workspace_id(), **query), query["limit"])


@calls("GET", "/inbound/<inbound_id>", answer=Timeline)
def show_inbound(inbound_id: str) -> Any:
    """One message and all that followed from it, with secrets masked."""
    with store().read() as tx:
        found = timeline(tx, workspace_id(), inbound_id)
    if found is None:
        raise NotFound(Text("There is no such message.", "Ce message n'existe pas."))
    return plain(found)

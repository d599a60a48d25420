"""Conversions: what happened, as all messages together say."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from hub.api.frame import Calls, author, store, wake, workspace_id
from hub.api.shapes import Amount, At, PageQuery, Since, page, page_of, plain
from hub.contract.conversion import Conversion
from hub.contract.vocabulary import Stage, Text
from hub.report.timeline import timeline_of_conversion
from hub.run.queue import READING
from hub.steer import records
from hub.steer.errors import NotFound
from hub.store import conversions, now
from hub.store.base import Row
from hub.toolkit.flat_form import KEYS

calls = Calls("conversions", "What happened, as all messages together say")


class ConversionsQuery(PageQuery):
    stage = fields.String(load_default=None, validate=validate.OneOf([str(stage) for stage in Stage]))
    contact_id = fields.String(load_default=None, validate=validate.Length(max=36))
    order_id = fields.String(load_default=None, validate=validate.Length(max=36))
    order = fields.String(
        load_default=None,
        validate=validate.Length(max=255),
        metadata={"description": "The order id as its sender writes it"},
    )
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


class RecordQuery(Schema):
    connector = fields.String(load_default="", metadata={"description": "The tool that tells it"})


class NewRecord(Schema.from_dict({name: fields.Raw(allow_none=True) for name in sorted(KEYS)})):  # type: ignore[misc]  # a base class made at run time
    """One flat record. Only ``stage`` and somebody (e-mail, order id or external id) must be there."""

    class Meta:
        unknown = INCLUDE  # UTM values, click ids, items, and what is kept as extra data

    stage = fields.String(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "A stage, or renewal, refund, dispute, cancellation, pending, contact"},
    )


class Recorded(Schema):
    """What the hub understood; the books say it a moment later."""

    id = fields.String(metadata={"description": "Of the message that was kept"})
    event_id = fields.String()
    kind = fields.String()
    stage = fields.String(allow_none=True)
    order_id = fields.String(allow_none=True)
    value = Amount(allow_none=True)
    currency = fields.String(allow_none=True)
    email = fields.String(allow_none=True)
    occurred_at = At()


class ConversionTimeline(Schema):
    messages = fields.List(fields.Dict())
    readings = fields.List(fields.Dict())
    conversions = fields.List(fields.Dict())
    orders = fields.List(fields.Dict())
    contacts = fields.List(fields.Dict())


@calls("GET", "/conversions", query=ConversionsQuery, answer=page_of(ConversionShape))
def list_conversions(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    name = query.pop("order")
    with store().read() as tx:
        if name is not None:
            query["order_id"] = records.order_named(tx, workspace_id(), name)
            if query["order_id"] is None:
                return page([], query["limit"])
        return page(conversions.latest(tx, workspace_id(), **query), query["limit"])


@calls("POST", "/conversions", query=RecordQuery, body=NewRecord, answer=Recorded, status=202)
def record_conversion(query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Record one thing that happened. The same record again is kept once."""
    return keep_record(body, query["connector"])


def keep_record(fields: dict[str, Any], connector: str) -> dict[str, Any]:
    """Keep a flat record and wake its reader; what was understood of it, as :class:`Recorded` shows it."""
    with store().write() as tx:
        message_id, said = records.record(tx, now(), workspace_id(), fields, connector=connector, author=author())
    wake(READING, "read_messages", workspace_id())
    return _recorded(message_id, said)


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


def _recorded(message_id: str, said: Conversion) -> dict[str, Any]:
    names = ("event_id", "kind", "stage", "order_id", "value", "currency", "occurred_at")
    return {name: getattr(said, name) for name in names} | {"id": message_id, "email": said.contact.email}


def _missing() -> NotFound:
    return NotFound(Text("There is no such conversion.", "Cette conversion n'existe pas."))

"""Connections: sources and destinations as set up in this workspace."""

from __future__ import annotations

from typing import Any

from flask import current_app
from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, author, store, wake, workspace_id
from hub.api.shapes import At
from hub.contract.errors import HubError
from hub.contract.vocabulary import Text
from hub.demo import sample_sale
from hub.run.queue import LANES
from hub.steer import connections as steer
from hub.steer import grants
from hub.store import connections, now

calls = Calls("connections", "Sources and destinations, as set up")


class ConnectionsQuery(Schema):
    role = fields.String(load_default=None, validate=validate.OneOf(["source", "destination"]))


class NewConnection(Schema):
    connector = fields.String(required=True, validate=validate.Length(1, 64))
    role = fields.String(required=True, validate=validate.OneOf(["source", "destination"]))
    name = fields.String(load_default="")
    settings = fields.Dict(keys=fields.String(), load_default=dict)
    same_orders_as = fields.String(
        load_default="",
        metadata={
            "description": "Of a source: the id of another one that tells of the same orders, “common” (all that are "
            "not kept apart) or “own”. Left out: “own” for a second shop that counts its own orders, else “common”"
        },
    )
    add_route = fields.Boolean(load_default=True, metadata={"description": "Give a destination its first route"})


class ConnectionChange(Schema):
    name = fields.String()
    settings = fields.Dict(
        keys=fields.String(),
        metadata={"description": "What is left out stays; a secret that is empty or *** stays; null takes it away"},
    )
    order_scope = fields.String(metadata={"description": "Put before this source's order ids, to keep shops apart"})
    same_orders_as = fields.String(
        metadata={"description": "As when it is connected; counts for what arrives from now on"}
    )


class AccessShape(Schema):
    state = fields.String(metadata={"description": "granted, missing, broken or ended (over, and cannot be renewed)"})
    since = At()
    expires_at = At(metadata={"description": "The end of the present token"})
    renews = fields.Boolean(metadata={"description": "Whether the hub renews it by itself before"})
    connect_at = fields.String(metadata={"description": "The page on which a person grants it, or grants it again"})
    redirect_uri = fields.String(metadata={"description": "To be entered in the app at the platform"})


class ConnectionShape(Schema):
    id = fields.String()
    connector = fields.String()
    role = fields.String()
    name = fields.String()
    number = fields.Integer()
    state = fields.String(metadata={"description": "active, paused, needs_you or off"})
    state_reason = fields.String()
    state_detail = fields.String()
    order_scope = fields.String()
    settings = fields.Dict(metadata={"description": "Secrets are shown as ***"})
    access = fields.Nested(
        AccessShape, allow_none=True, metadata={"description": "Where a person has to grant it (OAuth); else null"}
    )
    url = fields.String(allow_none=True, metadata={"description": "Of a source: the address to give to the sender"})
    created_at = At()
    updated_at = At()


class Said(Schema):
    ok = fields.Boolean()
    message = fields.String()


class TestSaleShape(Said):
    inbound_id = fields.String(
        allow_none=True, metadata={"description": "The message it became: what came of it is told there"}
    )


class FieldShape(Schema):
    key = fields.String()
    label = fields.Function(lambda field: field.label.en)
    type = fields.String()
    required = fields.Boolean()
    group = fields.String()


@calls("GET", "/connections", query=ConnectionsQuery, answer=ConnectionShape(many=True))
def list_connections(query: dict[str, Any]) -> list[dict[str, Any]]:
    """All connections, oldest first."""
    with store().read() as tx:
        return [_shown(tx, row) for row in connections.connections_of(tx, workspace_id(), query["role"])]


@calls("POST", "/connections", body=NewConnection, answer=ConnectionShape, status=201)
def add_connection(body: dict[str, Any]) -> dict[str, Any]:
    """Set up a connector."""
    with store().write() as tx:
        connection_id = steer.connect(tx, now(), workspace_id(), author=author(), **body)
        return _shown(tx, steer.get(tx, connection_id))


@calls("GET", "/connections/<connection_id>", answer=ConnectionShape)
def show_connection(connection_id: str) -> dict[str, Any]:
    """One connection."""
    with store().read() as tx:
        return _shown(tx, steer.get(tx, connection_id, workspace_id()))


@calls("PATCH", "/connections/<connection_id>", body=ConnectionChange, answer=ConnectionShape)
def change_connection(body: dict[str, Any], connection_id: str) -> dict[str, Any]:
    """Change its name, settings or order scope."""
    with store().write() as tx:
        steer.change(tx, now(), connection_id, workspace_id=workspace_id(), author=author(), **body)
        return _shown(tx, steer.get(tx, connection_id))


@calls("DELETE", "/connections/<connection_id>")
def remove_connection(connection_id: str) -> None:
    """Take it away. What it brought or received stays; what waits for it is not sent."""
    with store().write() as tx:
        steer.remove(tx, now(), connection_id, workspace_id=workspace_id(), author=author())


@calls("POST", "/connections/<connection_id>/pause", answer=ConnectionShape)
def pause_connection(connection_id: str) -> dict[str, Any]:
    """Hold it; what comes in or waits is kept."""
    with store().write() as tx:
        steer.pause(tx, now(), connection_id, workspace_id=workspace_id(), author=author())
        return _shown(tx, steer.get(tx, connection_id))


@calls("POST", "/connections/<connection_id>/resume", answer=ConnectionShape)
def resume_connection(connection_id: str) -> dict[str, Any]:
    """Go on; what was held back is sent."""
    with store().write() as tx:
        steer.resume(tx, now(), connection_id, workspace_id=workspace_id(), author=author())
        shown = _shown(tx, steer.get(tx, connection_id))
    wake(LANES, "deliver", connection_id)
    return shown


@calls("POST", "/connections/<connection_id>/check", answer=Said)
def check_connection(connection_id: str) -> dict[str, Any]:
    """Ask the other side whether the credentials work."""
    with store().read() as tx:
        connected = steer.opened(tx, connection_id, workspace_id())
    try:
        return {"ok": True, "message": _english(steer.check(connected))}
    except HubError as error:
        return {"ok": False, "message": error.message}


@calls("POST", "/connections/<connection_id>/test-sale", answer=TestSaleShape)
def send_test_sale(connection_id: str) -> dict[str, Any]:
    """Bring a made-up sale to a source, signed as its sender would. It is read like any other, and counted nowhere."""
    with store().read() as tx:
        connected = steer.opened_source(tx, connection_id, workspace_id())
    try:
        kept = sample_sale.send(current_app.wsgi_app, store(), connected, now())
    except sample_sale.NoTestSale as error:
        return {"ok": False, "message": error.message.en, "inbound_id": None}
    return {"ok": True, "message": "A test sale was sent.", "inbound_id": kept}


@calls("POST", "/connections/<connection_id>/prepare", answer=Said)
def prepare_connection(connection_id: str) -> dict[str, Any]:
    """Create at the platform what deliveries need. Harmless when repeated."""
    connected = _destination(connection_id)
    try:
        return {"ok": True, "message": _english(steer.prepare(connected))}
    except HubError as error:
        return {"ok": False, "message": error.message}


@calls("GET", "/connections/<connection_id>/fields", answer=FieldShape(many=True))
def list_fields(connection_id: str) -> Any:
    """The fields that a destination takes, asked of the platform where it can be. Empty: any field is taken."""
    return steer.discover(_destination(connection_id))


def _english(said: Text | str) -> str:
    return said.en if isinstance(said, Text) else said


def _shown(tx: Any, row: Any) -> dict[str, Any]:
    return steer.shown(row) | {"access": grants.shown(tx, row)}


def _destination(connection_id: str) -> Any:
    with store().read() as tx:
        row = steer.get(tx, connection_id, workspace_id())
        if row.role != "destination":
            raise steer.not_a_destination()
        return steer.opened(tx, connection_id)

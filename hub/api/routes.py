"""Routes: which conversions go to which destination."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, author, store, workspace_id
from hub.api.shapes import At
from hub.steer import routes as steer
from hub.store import now, routes
from hub.store.routes import RouteRow

calls = Calls("routes", "Which conversions go to which destination")


class RoutesQuery(Schema):
    connection_id = fields.String(load_default=None, validate=validate.Length(max=36))


class RouteChange(Schema):
    name = fields.String()
    stages = fields.List(fields.String())
    kinds = fields.List(fields.String())
    filter = fields.Raw(metadata={"description": 'Such as {"all": [{"path": "value", "op": "greater", "value": 100}]}'})
    trust = fields.String(validate=validate.OneOf(steer.TRUSTS))
    wait_minutes = fields.Integer()
    enabled = fields.Boolean()


class NewRoute(RouteChange):
    connection_id = fields.String(required=True, validate=validate.Length(max=36))
    rules = fields.Dict(keys=fields.String(), metadata={"description": "Its mapping; left out: the connector's own"})


class RouteShape(RouteChange):
    id = fields.String()
    connection_id = fields.String()
    mapping_id = fields.String()
    created_at = At()
    updated_at = At()


@calls("GET", "/routes", query=RoutesQuery, answer=RouteShape(many=True))
def list_routes(query: dict[str, Any]) -> list[RouteRow]:
    """All routes, oldest first."""
    with store().read() as tx:
        return routes.routes_of(tx, workspace_id(), connection_id=query["connection_id"])


@calls("POST", "/routes", body=NewRoute, answer=RouteShape, status=201)
def add_route(body: dict[str, Any]) -> RouteRow:
    """A new way to a destination. What is left out is what the connector proposes."""
    with store().write() as tx:
        route_id = steer.add(tx, now(), workspace_id(), author=author(), **body)
        return steer.get(tx, route_id)


@calls("GET", "/routes/<route_id>", answer=RouteShape)
def show_route(route_id: str) -> RouteRow:
    """One route."""
    with store().read() as tx:
        return steer.get(tx, route_id, workspace_id())


@calls("PATCH", "/routes/<route_id>", body=RouteChange, answer=RouteShape)
def change_route(body: dict[str, Any], route_id: str) -> RouteRow:
    """Change what is given."""
    with store().write() as tx:
        steer.change(tx, now(), route_id, workspace_id=workspace_id(), author=author(), **body)
        return steer.get(tx, route_id)


@calls("DELETE", "/routes/<route_id>")
def remove_route(route_id: str) -> None:
    """Take it away; what waits on it is not sent."""
    with store().write() as tx:
        steer.remove(tx, now(), route_id, workspace_id=workspace_id(), author=author())

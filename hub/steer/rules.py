"""Which rule speaks against sending a delivery, as of now: asked again whenever a person wants to send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.connecting.connected import Connected
from hub.contract.errors import ConnectorBroken
from hub.contract.vocabulary import Trust
from hub.deliver import outbox
from hub.mapping.filters import condition_of
from hub.mapping.stored import filter_facts
from hub.route import OpenRoute
from hub.route import held_back as held_back_by_route
from hub.steer import connections
from hub.steer.errors import NotFound
from hub.store import conversions, routes
from hub.store.conversions import ConversionRow
from hub.store.deliveries import DeliveryRow
from hub.store.replays import as_due
from hub.store.routes import RouteRow


def held_back(tx: Connection, rows: Sequence[DeliveryRow], overridden: str | None, at: datetime) -> dict[str, str]:
    """By delivery, the reason why it must not be sent; those that may be sent are not in it.

    ``overridden`` is the rule (a key of :data:`hub.store.replays.RULES`) that does not count. What only awaits the
    verdict on what was sent is never held back.
    """
    known = conversions.by_ids(tx, {row.conversion_id for row in rows})
    found: dict[str, str] = {}
    by_connection: dict[str, list[DeliveryRow]] = {}
    for row in rows:
        conversion = known.get(row.conversion_id)
        if row.ticket:
            continue
        if conversion is None or conversion.state == "replaced":  # its sale goes on under another conversion
            found[row.id] = conversion.reason if conversion is not None else "route_removed"
            continue
        by_connection.setdefault(row.connection_id, []).append(row)
    for connection_id, some in by_connection.items():
        found |= _at_destination(tx, connection_id, some, known, overridden, at)
    return found


def _at_destination(
    tx: Connection,
    connection_id: str,
    rows: Sequence[DeliveryRow],
    known: Mapping[str, ConversionRow],
    overridden: str | None,
    at: datetime,
) -> dict[str, str]:
    try:
        connected = connections.opened(tx, connection_id)
    except (ConnectorBroken, NotFound):  # nobody can say what its rules are
        return {row.id: "connector_broken" for row in rows}
    found = outbox.held_back(tx, connected, [as_due(row, overridden) for row in rows], at)
    ways = {way.id: way for way in routes.routes_of(tx, connected.workspace_id, connection_id=connection_id)}
    by_route: dict[str, list[DeliveryRow]] = {}
    for row in rows:
        by_route.setdefault(row.route_id, []).append(row)
    for route_id, some in by_route.items():
        if route_id in ways:  # what a route says comes first: it is what its owner chose
            found |= _on_route(tx, connected, ways[route_id], some, known, overridden, at)
    return found


def _on_route(
    tx: Connection,
    connected: Connected,
    way: RouteRow,
    rows: Sequence[DeliveryRow],
    known: Mapping[str, ConversionRow],
    overridden: str | None,
    at: datetime,
) -> dict[str, str]:
    destination = connected.destination
    route = OpenRoute(
        way, condition_of(way.filter, way.id), destination.kinds, destination.stages, destination.sends_tests
    )
    asked = [known[row.conversion_id] for row in rows]
    told = held_back_by_route(tx, asked, route, filter_facts, overridden)
    found = {row.id: told[row.conversion_id] for row in rows if row.conversion_id in told}
    wait = timedelta(minutes=way.wait_minutes)
    for row in rows:
        proven = known[row.conversion_id].trust == Trust.PROVEN or overridden == "trust"
        if not proven and found.get(row.id, "trust_too_low") == "trust_too_low" and row.created_at + wait > at:
            found[row.id] = "waiting_for_proof"
    return found

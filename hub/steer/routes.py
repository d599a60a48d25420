"""Routes: which conversions go to a destination, and how they look there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from hub.connecting.connected import open_connection
from hub.connecting.registry import UnknownConnector, registry
from hub.contract.connector import Destination
from hub.contract.errors import ConnectorBroken
from hub.contract.vocabulary import Kind, Stage, Text
from hub.mapping.difference import Difference, difference
from hub.mapping.filters import compile_filter
from hub.mapping.preview import preview as dry_run
from hub.mapping.problems import MappingError
from hub.mapping.rules import compile_mapping
from hub.steer import examples
from hub.steer.errors import Invalid, NotFound, from_mapping, invalid
from hub.store import accounts, connections, deliveries
from hub.store import routes as store
from hub.store.connections import ConnectionRow
from hub.store.routes import MappingRow, RouteRow

TRUSTS = ("claimed", "proven")
LONGEST_WAIT = 7 * 24 * 60  # minutes
LONGEST_NAME = 200
MOST_EXAMPLES = 100


def add(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    *,
    connection_id: str,
    name: str = "",
    stages: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
    filter: Any = None,
    trust: str = "claimed",
    wait_minutes: int = 0,
    enabled: bool = True,
    rules: dict[str, Any] | None = None,
    author: str = "",
) -> str:
    """A new way to a destination; returns the route's id.

    Stages, kinds and rules that are left out are those the connector proposes. Raises Invalid and NotFound.
    """
    connection = connections.get_connection(tx, connection_id, workspace_id)
    if connection is None or connection.role != "destination":
        raise NotFound(Text("There is no such destination (any more).", "Cette destination n'existe pas ou plus."))
    destination = _destination(connection)
    proposed = destination.default_stages if destination.default_stages is not None else destination.stages
    columns = _checked(
        destination,
        {
            "name": name or connection.name,
            "stages": proposed if stages is None else stages,
            "kinds": destination.kinds if kinds is None else kinds,
            "filter": filter or {},
            "trust": trust,
            "wait_minutes": wait_minutes,
            "enabled": enabled,
        },
    )
    mapping = dict(destination.default_mapping) if rules is None else rules
    _compiled(mapping)
    own = {"workspace_id": workspace_id, "connection_id": connection_id}
    route_id = store.add_route(tx, at, columns | own, mapping, author)
    accounts.record_audit(tx, at, workspace_id, None, "route.added", route_id, by=author)
    return route_id


def change(
    tx: Connection, at: datetime, route_id: str, *, workspace_id: str | None = None, author: str = "", **columns: Any
) -> None:
    """Change any of name, stages, kinds, filter, trust, wait_minutes, enabled. Raises Invalid and NotFound."""
    row = get(tx, route_id, workspace_id)
    store.change_route(tx, route_id, at, **_checked(_destination_of(tx, row), columns))
    accounts.record_audit(tx, at, row.workspace_id, None, "route.changed", route_id, by=author)


def remove(tx: Connection, at: datetime, route_id: str, *, workspace_id: str | None = None, author: str = "") -> None:
    """Take the route away. What waits on it is not sent."""
    row = get(tx, route_id, workspace_id)
    deliveries.call_off(tx, at, route_id=route_id)
    store.remove_route(tx, route_id)
    accounts.record_audit(tx, at, row.workspace_id, None, "route.removed", route_id, by=author)


def save_mapping(
    tx: Connection,
    at: datetime,
    route_id: str,
    rules: dict[str, Any],
    author: str = "",
    *,
    workspace_id: str | None = None,
) -> int:
    """Use ``rules`` from now on; returns the new version. Raises Invalid, naming each malformed place, and NotFound."""
    row = get(tx, route_id, workspace_id)
    _compiled(rules)
    version = store.new_mapping(tx, at, route_id, rules, author)
    accounts.record_audit(tx, at, row.workspace_id, None, "mapping.saved", route_id, version=version, by=author)
    return version


def current_mapping(tx: Connection, route: RouteRow) -> MappingRow:
    """The version in use."""
    return store.mappings(tx, [route.mapping_id])[route.mapping_id]


def preview(
    tx: Connection,
    route_id: str,
    rules: dict[str, Any] | None = None,
    last: int = 5,
    *,
    language: str = "en",
    workspace_id: str | None = None,
) -> dict[str, Any]:
    """What the destination would be sent for the workspace's ``last`` conversions that this route takes.

    ``rules``: None for the mapping in use. Returns ``{"conversions": [facts], "calls": [...], "problems": [...],
    "made_up": bool}``; before the first real conversion a made-up one is shown. Calls and problems are those of
    :func:`hub.mapping.preview.preview`, secrets masked. Raises Invalid, NotFound, ConnectorBroken.
    """
    row = get(tx, route_id, workspace_id)
    connected = open_connection(_connection_of(tx, row))
    rules = current_mapping(tx, row).rules if rules is None else rules
    found = _examples(tx, row, last)
    used = found or [examples.made_up(connected.destination, language)]
    try:
        said = list(dry_run(connected.destination, connected.settings, rules, used, language=language))
    except MappingError as error:
        raise from_mapping(error) from None
    return {
        "conversions": used,
        "calls": [one for one in said if "method" in one],
        "problems": [one for one in said if "problem" in one],
        "made_up": not found,
    }


def try_change(
    tx: Connection, route_id: str, rules: dict[str, Any], last: int = 20, *, workspace_id: str | None = None
) -> Difference:
    """What ``rules`` would change on the last real conversions of this route. Raises Invalid, NotFound."""
    row = get(tx, route_id, workspace_id)
    required = {field.key for field in _destination_of(tx, row).fields if field.required}
    before = current_mapping(tx, row).rules
    try:
        return difference(before, rules, _examples(tx, row, last), required)
    except MappingError as error:
        raise from_mapping(error) from None


def get(tx: Connection, route_id: str, workspace_id: str | None = None) -> RouteRow:
    """The stored route. Raises NotFound."""
    row = store.get_route(tx, route_id, workspace_id)
    if row is None:
        raise NotFound(Text("There is no such route (any more).", "Cette route n'existe pas ou plus."))
    return row


def _examples(tx: Connection, row: RouteRow, last: int) -> list[dict[str, Any]]:
    wanted = min(max(last, 1), MOST_EXAMPLES)
    return examples.latest(tx, row.workspace_id, wanted, stages=row.stages, kinds=row.kinds)


def _connection_of(tx: Connection, row: RouteRow) -> ConnectionRow:
    found = connections.get_connection(tx, row.connection_id)
    if found is None:
        raise NotFound(Text("The destination of this route is gone.", "La destination de cette route n'existe plus."))
    return found


def _destination_of(tx: Connection, row: RouteRow) -> Destination:
    return _destination(_connection_of(tx, row))


def _destination(connection: ConnectionRow) -> Destination:
    try:
        return registry().destination(connection.connector)
    except UnknownConnector as error:
        raise ConnectorBroken(str(error)) from None


def _compiled(rules: Any) -> None:
    try:
        compile_mapping(rules)
    except MappingError as error:
        raise from_mapping(error) from None


def _checked(destination: Destination, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns in the form they are stored in; Invalid with every wrong one."""
    checked: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in columns.items():
        try:
            checked[name] = _CHECKS[name](destination, value)
        except Invalid as error:
            wrong |= error.messages
    if wrong:
        raise Invalid(wrong)
    return checked


def _check_name(_destination: Destination, value: Any) -> str:
    name = " ".join(str(value).split())
    if not name or len(name) > LONGEST_NAME:
        raise invalid("name", "Give it a short name.", "Donnez-lui un nom court.")
    return name


def _check_stages(destination: Destination, value: Any) -> list[str]:
    return _chosen("stages", Stage, destination.stages, value)


def _check_kinds(destination: Destination, value: Any) -> list[str]:
    kinds = _chosen("kinds", Kind, destination.kinds, value)
    if not kinds:
        raise invalid("kinds", "Choose at least one.", "Choisissez-en au moins un.")
    return kinds


def _chosen(field: str, words: type[StrEnum], accepted: Iterable[StrEnum], value: Any) -> list[str]:
    known = {str(word) for word in accepted}
    listed = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    asked = {str(word) for word in value} if listed else {"?"}
    if not asked <= known:
        names = ", ".join(word for word in words if word in known)
        raise invalid(field, f"This destination takes: {names}.", f"Cette destination prend : {names}.")
    return [str(word) for word in words if word in asked]


def _check_filter(_destination: Destination, value: Any) -> Any:
    try:
        compile_filter(value)
    except MappingError as error:
        raise from_mapping(error) from None
    return value or {}


def _check_trust(_destination: Destination, value: Any) -> str:
    if value not in TRUSTS:
        raise invalid("trust", "It is claimed (all) or proven.", "C'est claimed (tout) ou proven (prouvé).")
    return str(value)


def _check_wait(_destination: Destination, value: Any) -> int:
    try:
        minutes = int(value)
    except (TypeError, ValueError):
        minutes = -1
    if not 0 <= minutes <= LONGEST_WAIT:
        raise invalid(
            "wait_minutes", f"Enter minutes, 0 to {LONGEST_WAIT}.", f"Saisissez des minutes, de 0 à {LONGEST_WAIT}."
        )
    return minutes


def _check_enabled(_destination: Destination, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid("enabled", "Answer with yes or no.", "Répondez par oui ou non.")
    return value


_CHECKS = {
    "name": _check_name,
    "stages": _check_stages,
    "kinds": _check_kinds,
    "filter": _check_filter,
    "trust": _check_trust,
    "wait_minutes": _check_wait,
    "enabled": _check_enabled,
}

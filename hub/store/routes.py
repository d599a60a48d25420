"""Routes (which conversions go to which destination) and versioned mappings (how they look there)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
    update,
)

from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Row,
    Values,
    alone,
    fetch_all,
    fetch_first,
    id_column,
    insert,
    metadata,
    new_id,
)

route = Table(
    "route",
    metadata,
    id_column(),
    Column("workspace_id", Id, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("connection_id", Id, ForeignKey("connection.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("stages", JsonColumn, nullable=False),
    Column("kinds", JsonColumn, nullable=False),
    Column("filter", JsonColumn, nullable=False),
    Column("trust", String(10), nullable=False),  # claimed: all · proven: only what is proven
    Column("wait_minutes", Integer, nullable=False),  # how long a claimed conversion may wait for its proof
    Column("enabled", Boolean, nullable=False),
    Column("mapping_id", Id, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)


class RouteRow(Row, frozen=True):
    """A row of :data:`route`."""

    id: str
    workspace_id: str
    connection_id: str
    name: str
    stages: Any
    kinds: Any
    filter: Any
    trust: str
    wait_minutes: int
    enabled: bool
    mapping_id: str
    created_at: datetime
    updated_at: datetime


mapping = Table(
    "mapping",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("route_id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("rules", JsonColumn, nullable=False),
    Column("author", String(320), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("route_id", "version"),
)


class MappingRow(Row, frozen=True):
    """A row of :data:`mapping`."""

    id: str
    workspace_id: str
    route_id: str
    version: int
    rules: Any
    author: str
    created_at: datetime


def add_route(tx: Connection, at: datetime, columns: Values, rules: dict[str, Any], author: str = "") -> str:
    """Store a route with version 1 of its mapping; returns the route's id."""
    route_id, mapping_id = new_id(), new_id()
    defaults: Values = {"filter": {}, "trust": "claimed", "wait_minutes": 0, "enabled": True, "name": ""}
    own = {"id": route_id, "mapping_id": mapping_id, "created_at": at, "updated_at": at}
    insert(tx, route, [defaults | columns | own])
    row = {"id": mapping_id, "workspace_id": columns["workspace_id"], "route_id": route_id, "version": 1}
    insert(tx, mapping, [row | {"rules": rules, "author": author, "created_at": at}])
    return route_id


def new_mapping(tx: Connection, at: datetime, route_id: str, rules: dict[str, Any], author: str = "") -> int:
    """Save the next version of a route's mapping and use it from now on; returns the version."""
    alone(tx, f"mapping:{route_id}")
    version = (tx.scalar(select(func.max(mapping.c.version)).where(mapping.c.route_id == route_id)) or 0) + 1
    workspace_id = tx.scalar(select(route.c.workspace_id).where(route.c.id == route_id))
    mapping_id = new_id()
    row = {"id": mapping_id, "workspace_id": workspace_id, "route_id": route_id, "version": version}
    insert(tx, mapping, [row | {"rules": rules, "author": author, "created_at": at}])
    change_route(tx, route_id, at, mapping_id=mapping_id)
    return version


def routes_of(
    tx: Connection, workspace_id: str, *, enabled_only: bool = False, connection_id: str | None = None
) -> list[RouteRow]:
    statement = select(route).where(route.c.workspace_id == workspace_id).order_by(route.c.id)
    if enabled_only:
        statement = statement.where(route.c.enabled)
    if connection_id:
        statement = statement.where(route.c.connection_id == connection_id)
    return fetch_all(tx, RouteRow, statement)


def get_route(tx: Connection, route_id: str, workspace_id: str | None = None) -> RouteRow | None:
    statement = select(route).where(route.c.id == route_id)
    if workspace_id is not None:
        statement = statement.where(route.c.workspace_id == workspace_id)
    return fetch_first(tx, RouteRow, statement)


def change_route(tx: Connection, route_id: str, at: datetime, **columns: Any) -> None:
    tx.execute(update(route).where(route.c.id == route_id).values(updated_at=at, **columns))


def remove_route(tx: Connection, route_id: str) -> None:
    tx.execute(route.delete().where(route.c.id == route_id))


def mappings(tx: Connection, ids: Iterable[str]) -> dict[str, MappingRow]:
    return {row.id: row for row in fetch_all(tx, MappingRow, select(mapping).where(mapping.c.id.in_(list(ids))))}


def may_read(rules: Any, fact: str) -> bool:
    """Whether a mapping's rules (or a list of such) may read the fact of that name. What they do not name they cannot
    read, but for the whole conversion ("$") and the flat catalog ("*")."""
    said = json.dumps(rules)
    return '"$' in said or '"*"' in said or re.search(rf"\b{fact}\b", said) is not None


def mapping_versions(tx: Connection, route_id: str) -> list[MappingRow]:
    statement = select(mapping).where(mapping.c.route_id == route_id).order_by(mapping.c.version.desc())
    return fetch_all(tx, MappingRow, statement)

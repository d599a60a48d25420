"""Which sources speak of the same orders. Two that number their orders alike must not: one's sale would replace the other's.

A source's *order scope* is put before its order ids (docs/decisions/0003). Most sources share the common one, which is
empty: the pixel, the processor and the shop that it stands for tell of one order. A scope of its own begins with #,
which no order id does once it is normalized, so it never meets a name of the common one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.connecting.registry import registry
from hub.contract.errors import ConfigError, ConnectorBroken
from hub.steer.errors import invalid
from hub.store import connections as store
from hub.store.connections import ConnectionRow

COMMON, OWN = "common", "own"


@dataclass(frozen=True, slots=True)
class Orders:
    """One choice: ``value`` is COMMON, OWN, or a source's id; ``names`` are the other sources that share these orders."""

    value: str
    names: tuple[str, ...] = ()


def at_first(tx: Connection, row: ConnectionRow) -> str:
    """The scope of a source that was just connected: its own, where another one that numbers for itself has the common."""
    if not numbers_for_itself(row.connector):
        return ""
    taken = any(one.order_scope == "" and numbers_for_itself(one.connector) for one in _others(tx, row))
    return _own(row) if taken else ""


def chosen(tx: Connection, row: ConnectionRow, same_orders_as: str) -> str:
    """The scope that a person chose for a source: COMMON, OWN, or that of the source with this id. Raises Invalid."""
    if same_orders_as == COMMON:
        return ""
    others = _others(tx, row)
    if same_orders_as == OWN:
        alone = row.order_scope and all(one.order_scope != row.order_scope for one in others)
        return str(row.order_scope) if alone else _own(row)
    for one in others:
        if one.id == same_orders_as:
            return str(one.order_scope)
    raise invalid(
        "same_orders_as",
        "Choose another source of this workspace, “common” or “own”.",
        "Choisissez une autre source de cet espace, « common » ou « own ».",
    )


def choices(tx: Connection, workspace_id: str, row: ConnectionRow | None = None) -> list[Orders]:
    """What a source may be put together with. ``row`` is None for one that is not connected yet."""
    shared: dict[str, list[ConnectionRow]] = {"": []}
    for one in store.connections_of(tx, workspace_id, "source"):
        if row is None or one.id != row.id:
            shared.setdefault(one.order_scope, []).append(one)
    common = Orders(COMMON, tuple(one.name for one in shared.pop("")))
    beside = [Orders(some[0].id, tuple(one.name for one in some)) for some in shared.values()]
    return [common, Orders(OWN), *beside]


def choice(tx: Connection, row: ConnectionRow) -> str:
    """Which of :func:`choices` a source has now."""
    if row.order_scope == "":
        return COMMON
    return next((one.id for one in _others(tx, row) if one.order_scope == row.order_scope), OWN)


def proposed(tx: Connection, workspace_id: str, connector: str) -> str:
    """Which of :func:`choices` a source of this ``connector`` gets when nobody chooses."""
    rows = store.connections_of(tx, workspace_id, "source")
    taken = any(one.order_scope == "" and numbers_for_itself(one.connector) for one in rows)
    return OWN if taken and numbers_for_itself(connector) else COMMON


def numbers_for_itself(connector: str) -> bool:
    """Whether each account of the connector counts its own orders. One that cannot be asked may."""
    try:
        return registry().source(connector).own_order_numbers
    except (ConnectorBroken, ConfigError):
        return True


def _own(row: ConnectionRow) -> str:
    return f"#{row.number}/"


def _others(tx: Connection, row: ConnectionRow) -> list[ConnectionRow]:
    return [one for one in store.connections_of(tx, row.workspace_id, "source") if one.id != row.id]

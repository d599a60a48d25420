"""Doing it again: read messages anew, send deliveries anew. Nothing is counted or sent twice by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from hub.store import accounts, deliveries, inbound

MappingChoice = Literal["new", "old"]
"""Which mapping a delivery goes out with: the route's current one, or the version it was last tried with."""


def inbound_again(tx: Connection, at: datetime, workspace_id: str, ids: Iterable[str], *, author: str = "") -> int:
    """Read these messages again, the refused ones after verifying them anew. Returns how many there are."""
    number = inbound.read_again(tx, workspace_id, ids, at)
    accounts.record_audit(tx, at, workspace_id, None, "inbound.replayed", number=number, by=author)
    return number


def deliveries_again(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    ids: Iterable[str],
    mapping: MappingChoice = "new",
    *,
    author: str = "",
) -> int:
    """Send these again, now. Returns how many; those whose route was removed are left alone."""
    by_mapping: dict[str | None, list[str]] = {}
    for row in deliveries.repeatable(tx, workspace_id, ids):
        by_mapping.setdefault(row.mapping_id if mapping == "old" else None, []).append(row.id)
    number = sum(deliveries.replan(tx, some, at, mapping_id=version) for version, some in by_mapping.items())
    accounts.record_audit(tx, at, workspace_id, None, "deliveries.replayed", number=number, mapping=mapping, by=author)
    return number


def failed_again(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    connection_id: str | None = None,
    since: datetime | None = None,
    *,
    mapping: MappingChoice = "new",
    author: str = "",
) -> int:
    """Send again all that failed, of one destination or of all, since then or ever. Returns how many."""
    ids = deliveries.failed_ids(tx, workspace_id, connection_id=connection_id, since=since)
    return deliveries_again(tx, at, workspace_id, ids, mapping, author=author)

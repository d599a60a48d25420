"""What arrives, one line a message: the live list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from hub.store.base import chunks, fetch_all, in_any
from hub.store.conversions import ObservationRow, observation
from hub.store.inbound import HEAD, InboundHead, inbound

PAGE = 50
LOOKED_AT = 5_000  # messages gone through at most when a filter is on what was read out of them


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty: everything. ``person`` is a whole e-mail address."""

    connection_id: str = ""
    state: str = ""
    stage: str = ""
    person: str = ""


@dataclass(slots=True)
class Arrival:
    """One message: its row without body and headers, and what it told (observations, first first)."""

    row: InboundHead
    told: list[ObservationRow] = field(default_factory=list)

    @property
    def first(self) -> dict[str, Any]:
        """The first thing it told, as a conversion's JSON; empty when it told nothing."""
        return self.told[0].data if self.told else {}


def latest(
    tx: Connection, workspace_id: str, filters: Filters, *, before: str = "", limit: int = PAGE
) -> tuple[list[Arrival], str]:
    """The newest first, and what to pass as ``before`` for the next page (empty: this is the last)."""
    by_content = bool(filters.stage or filters.person)
    found: list[Arrival] = []
    looked_at = 0
    while len(found) <= limit and looked_at < LOOKED_AT:
        rows = _messages(tx, workspace_id, filters, before, 500 if by_content else limit + 1)
        looked_at += len(rows)
        told = _told(tx, [row.id for row in rows])
        page = [Arrival(row, told.get(row.id, [])) for row in rows]
        found += [each for each in page if not by_content or _fits(each, filters)]
        if len(rows) < (500 if by_content else limit + 1):
            return found[:limit], found[limit - 1].row.id if len(found) > limit else ""
        before = rows[-1].id
    return found[:limit], found[limit - 1].row.id if len(found) > limit else before


def count_since(tx: Connection, workspace_id: str, since: datetime) -> dict[str, int]:
    """Per state, how many messages came since then."""
    statement = (
        select(inbound.c.state, func.count())
        .where(inbound.c.workspace_id == workspace_id, inbound.c.id >= id_floor(since), inbound.c.received_at >= since)
        .group_by(inbound.c.state)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


def id_floor(at: datetime) -> str:
    """An id that no row made at ``at`` or later goes below. Ids begin with the time they were made at, in milliseconds.

    A minute is allowed for the clock of another machine, and for a message that waited for its commit.
    """
    milliseconds = int((at - timedelta(minutes=1)).timestamp() * 1000)
    text = f"{milliseconds:012x}"
    return f"{text[:8]}-{text[8:]}"


def _messages(tx: Connection, workspace_id: str, filters: Filters, before: str, limit: int) -> Sequence[InboundHead]:
    statement = select(*HEAD).where(inbound.c.workspace_id == workspace_id)
    if filters.connection_id:
        statement = statement.where(inbound.c.connection_id == filters.connection_id)
    if filters.state:
        statement = statement.where(inbound.c.state == filters.state)
    if before:
        statement = statement.where(inbound.c.id < before)
    return fetch_all(tx, InboundHead, statement.order_by(inbound.c.id.desc()).limit(limit))


def _told(tx: Connection, ids: Sequence[str]) -> dict[str, list[ObservationRow]]:
    found: dict[str, list[ObservationRow]] = {}
    for some in chunks(ids):
        statement = select(observation).where(in_any(observation.c.inbound_id, some)).order_by(observation.c.id)
        for row in fetch_all(tx, ObservationRow, statement):
            found.setdefault(row.inbound_id, []).append(row)
    return found


def _fits(arrival: Arrival, filters: Filters) -> bool:
    for row in arrival.told:
        data = row.data
        person = (data.get("contact") or {}).get("email") or ""
        if (not filters.stage or data.get("stage") == filters.stage) and (
            not filters.person or person.lower() == filters.person.strip().lower()
        ):
            return True
    return False

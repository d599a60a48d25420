"""Step 5: which destinations want this conversion? Every route that takes its stage gets a delivery, or the reason why not.

Consent and suppression are not asked here but when it is sent (hub/deliver/outbox.py): they may change in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.connected import Connected
from hub.contract.vocabulary import Kind, Stage, Trust
from hub.store import deliveries, new_id
from hub.store.base import Row, Values

Facts = Callable[[Values], dict[str, Any]]
Condition = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A route ready for use: its destination and its compiled filter."""

    row: Row
    connected: Connected
    passes: Condition


def plan(
    tx: Connection, changed: Sequence[Values], routes: Sequence[OpenRoute], facts: Facts, at: datetime
) -> set[str]:
    """Plan a delivery for each of the ``changed`` conversions (rows) on each route. Returns the destinations to wake.

    A conversion that is on a route already stays as it is there; only a proof that was awaited sets it free.
    """
    if not changed or not routes:
        return set()
    existing = deliveries.of_conversions(tx, [row["id"] for row in changed])
    planned: list[Values] = []
    proven: list[str] = []
    woken: set[str] = set()
    for conversion in changed:
        if conversion["state"] == "replaced":
            continue
        data: dict[str, Any] | None = None
        for route in routes:
            if not _takes(route, conversion):
                continue
            before = existing.get((conversion["id"], route.row["id"]))
            if before is not None:
                if before["reason"] in ("waiting_for_proof", "trust_too_low") and conversion["trust"] == Trust.PROVEN:
                    proven.append(before["id"])
                    woken.add(route.connected.id)
                continue
            data = data if data is not None else facts(conversion)
            row = _delivery(route, conversion, data, at)
            planned.append(row)
            if row["state"] == deliveries.WAITING and row["due_at"] <= at:
                woken.add(route.connected.id)
    deliveries.add(tx, planned)
    deliveries.replan(tx, proven, at)
    return woken


def _takes(route: OpenRoute, conversion: Values) -> bool:
    """Whether the route is for this stage and kind at all."""
    destination, kind, stage = route.connected.destination, conversion["kind"], conversion["stage"]
    if kind not in route.row["kinds"] or Kind(kind) not in destination.kinds:
        return False
    return stage is None or (stage in route.row["stages"] and Stage(stage) in destination.stages)


def _delivery(route: OpenRoute, conversion: Values, data: dict[str, Any], at: datetime) -> Values:
    row: Values = {
        "id": new_id(), "workspace_id": conversion["workspace_id"], "conversion_id": conversion["id"],
        "route_id": route.row["id"], "connection_id": route.connected.id, "mapping_id": None,
        "state": deliveries.WAITING, "reason": "waiting", "detail": "", "tries": 0, "due_at": at, "created_at": at,
        "done_at": None,
    }  # fmt: skip
    why_not = _why_not(route, conversion, data)
    wait = route.row["wait_minutes"] if conversion["trust"] != Trust.PROVEN else 0
    if why_not in ("", "trust_too_low") and wait:
        row |= {"reason": "waiting_for_proof", "due_at": at + timedelta(minutes=wait)}
    elif why_not:
        row |= {"state": deliveries.NOT_SENT, "reason": why_not, "done_at": at}
    return row


def _why_not(route: OpenRoute, conversion: Values, data: dict[str, Any]) -> str:
    if conversion["test"] and not route.connected.destination.sends_tests:
        return "test_not_sent"
    if not route.passes(data):
        return "filtered_by_rule"
    if route.row["trust"] == Trust.PROVEN and conversion["trust"] != Trust.PROVEN:
        return "trust_too_low"
    return ""

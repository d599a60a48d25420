"""Step 5: which destinations want this conversion? Every route that takes its stage gets a delivery, or the reason why not.

Consent and suppression are not asked here but when it is sent (hub/deliver/outbox.py): they may change in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.connecting.connected import UNUSABLE
from hub.contract.vocabulary import Trust
from hub.store import conversions, deliveries, new_id
from hub.store.base import Values
from hub.store.deliveries import DeliveryRow
from hub.store.routes import RouteRow

NEW_CONTACT = "new_contact"
"""Among the ``flags`` that a filter reads: this is the first conversion of its contact."""

Facts = Callable[[Values], dict[str, Any]]
Condition = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A route ready for use: what its destination takes, and its compiled filter.

    ``held`` is the reason why nothing can be sent to the destination now: its connector is gone. What the route wants is
    planned all the same, and waits.
    """

    row: RouteRow
    passes: Condition
    kinds: Collection[str]
    stages: Collection[str]
    sends_tests: bool = False
    held: str = ""


@dataclass(slots=True)
class Plan:
    """Deliveries that are new, those that stand otherwise than before, and the destinations that have something to send."""

    new: list[Values] = field(default_factory=list)
    changed: list[Values] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)

    def write(self, tx: Connection) -> None:
        deliveries.add(tx, self.new)
        deliveries.change_plan(tx, self.changed)


def plan(tx: Connection, changed: Sequence[Values], routes: Sequence[OpenRoute], facts: Facts, at: datetime) -> Plan:
    """Plan a delivery for each of the ``changed`` conversions (rows) on each route. Only reads.

    What was tried stays as it is. What was not, or was held back by a rule, is decided anew: a proof may have come, an
    amount that a filter asked for, or the word that the sale was no test.
    """
    if not changed or not routes:
        return Plan()
    existing = deliveries.of_conversions(tx, [row["id"] for row in changed])
    has_filter = any(route.row.filter for route in routes)  # the facts are for them alone, and cost much to make
    firsts = _firsts(tx, changed, routes)
    made = Plan()
    for conversion in changed:
        data: dict[str, Any] = {}
        for route in routes:
            before = existing.get((conversion["id"], route.row.id))
            overridden = before.overridden if before is not None else None
            takes = _takes(route, conversion, overridden)
            if not (takes if before is None else _is_open(before)):
                continue
            if has_filter and not data:
                data = _flagged(facts(conversion), conversion["id"] in firsts)
            row = (
                _delivery(route, conversion, data, at, overridden)
                if takes
                else {**_NOT_TAKEN, "due_at": at, "done_at": at}
            )
            if before is None:
                made.new.append(row)
            elif row["state"] != before.state or row["reason"] != before.reason:
                made.changed.append({**row, "id": before.id})
            else:
                continue
            if row["state"] == deliveries.WAITING and row["due_at"] <= at and not route.held:
                made.woken.add(route.row.connection_id)
    return made


def held_back(
    tx: Connection, asked: Sequence[Values], route: OpenRoute, facts: Facts, overridden: str | None
) -> dict[str, str]:
    """Ask the rules of a route again, as of now: by conversion, the reason of the first that speaks against sending it.

    ``overridden`` is the rule (a key of :data:`hub.store.replays.RULES`) that does not count.
    """
    firsts = _firsts(tx, asked, [route])
    found: dict[str, str] = {}
    for conversion in asked:
        if not _takes(route, conversion, overridden):
            found[conversion["id"]] = "stage_not_accepted"
            continue
        data = _flagged(facts(conversion), conversion["id"] in firsts) if route.row.filter else {}
        if why_not := _why_not(route, conversion, data, overridden):
            found[conversion["id"]] = why_not
    return found


def _flagged(data: dict[str, Any], is_first: bool) -> dict[str, Any]:
    return {**data, "flags": [*(data.get("flags") or ()), NEW_CONTACT]} if is_first else data


def _firsts(tx: Connection, changed: Sequence[Values], routes: Sequence[OpenRoute]) -> set[str]:
    """The conversions that are the first of their contact; asked for only where a filter wants to know."""
    if not any(NEW_CONTACT in str(route.row.filter) for route in routes):
        return set()
    return conversions.firsts_of_contacts(tx, {row["contact_id"] for row in changed} - {None})


def _is_open(delivery: DeliveryRow) -> bool:
    """Whether nothing was sent of it, and what holds it back may have changed."""
    return delivery.reason in _OPEN and (delivery.tries == 0 or delivery.state == deliveries.NOT_SENT)


_OPEN = (
    "waiting",
    "waiting_for_proof",
    "trust_too_low",
    "filtered_by_rule",
    "test_not_sent",
    "stage_not_accepted",
    UNUSABLE,
)
_NOT_TAKEN: Values = {"state": deliveries.NOT_SENT, "reason": "stage_not_accepted"}


def _takes(route: OpenRoute, conversion: Values, overridden: str | None) -> bool:
    """Whether the route is for this stage and kind at all; what its destination cannot take, nobody can override."""
    kind, stage = conversion["kind"], conversion["stage"]
    if kind not in route.kinds or (stage is not None and stage not in route.stages):
        return False
    wanted = kind in route.row.kinds and (stage is None or stage in route.row.stages)
    return wanted or overridden == "stage"


def _delivery(
    route: OpenRoute, conversion: Values, data: dict[str, Any], at: datetime, overridden: str | None
) -> Values:
    row: Values = {
        "id": new_id(),
        "workspace_id": conversion["workspace_id"],
        "conversion_id": conversion["id"],
        "route_id": route.row.id,
        "connection_id": route.row.connection_id,
        "mapping_id": None,
        "state": deliveries.WAITING,
        "reason": route.held or "waiting",
        "detail": "",
        "tries": 0,
        "due_at": at,
        "created_at": at,
        "done_at": None,
    }
    why_not = _why_not(route, conversion, data, overridden)
    wait = route.row.wait_minutes if conversion["trust"] != Trust.PROVEN and overridden != "trust" else 0
    if why_not in ("", "trust_too_low") and wait:
        row |= {"reason": "waiting_for_proof", "due_at": at + timedelta(minutes=wait)}
    elif why_not:
        row |= {"state": deliveries.NOT_SENT, "reason": why_not, "done_at": at}
    return row


def _why_not(route: OpenRoute, conversion: Values, data: dict[str, Any], overridden: str | None) -> str:
    if conversion["test"] and not route.sends_tests and overridden != "test":
        return "test_not_sent"
    if overridden != "filter" and not route.passes(data):
        return "filtered_by_rule"
    if route.row.trust == Trust.PROVEN and conversion["trust"] != Trust.PROVEN and overridden != "trust":
        return "trust_too_low"
    return ""

"""Doing it again: read messages anew, send deliveries anew. Nothing is counted or sent twice by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hub.steer import rules
from hub.steer.errors import invalid
from hub.store import accounts, inbound, replays
from hub.store.accounts import OVERRIDDEN
from hub.store.deliveries import DeliveryRow
from hub.store.replays import RULES, rule_of

MappingChoice = Literal["new", "old"]
"""Which mapping a delivery goes out with: the route's current one, or the version it was last tried with."""

LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word that one rule (a key of RULES) does not count for these deliveries, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A delivery that is not sent again. ``rule`` is what a person could override; empty: nothing that one could."""

    id: str
    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Again:
    """What came of the wish to send again: how many go out, and which do not."""

    number: int
    held_back: list[HeldBack]


def override(rule: str | None, why: str | None) -> Override | None:
    """The override that was asked for, if any. Raises Invalid for an unknown rule, or one without a why."""
    if not rule:
        return None
    if rule not in RULES:
        known = ", ".join(RULES)
        raise invalid("override", f"Override one of: {known}.", f"Passez outre l'une de ces règles : {known}.")
    reason = " ".join((why or "").split())
    if not reason or len(reason) > LONGEST_WHY:
        raise invalid(
            "why",
            f"Say why the rule does not count this time, in at most {LONGEST_WHY} characters: it is written down.",
            f"Dites pourquoi la règle ne compte pas cette fois, en {LONGEST_WHY} caractères au plus : c'est consigné.",
        )
    return Override(rule, reason)


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
    overriding: Override | None = None,
) -> Again:
    """Send these again, now, unless a rule speaks against it as of now; those whose route was removed are left alone.

    Every rule is asked again, but for the one that is overridden. What a rule holds back is not sent, with that reason.
    """
    rows = replays.repeatable(tx, workspace_id, ids)
    held = rules.held_back(tx, rows, overriding.rule if overriding else None, at)
    _hold_back(tx, rows, held, at)
    going = [row for row in rows if row.id not in held]
    # Only where the rule speaks against it is it overridden: elsewhere it goes on counting, should it come to that.
    against = rules.held_back(tx, going, None, at) if overriding else {}
    number = _replan(tx, at, [row for row in going if row.id not in against], mapping, None)
    number += _replan(tx, at, [row for row in going if row.id in against], mapping, overriding)
    if overriding:
        for one in against:
            said: dict[str, Any] = {"rule": overriding.rule, "why": overriding.why, "by": author}
            accounts.record_audit(tx, at, workspace_id, None, OVERRIDDEN, one, **said)
    counts: dict[str, Any] = {"number": number, "held_back": len(held)}
    accounts.record_audit(tx, at, workspace_id, None, "deliveries.replayed", **counts, mapping=mapping, by=author)
    return Again(number, [HeldBack(one, reason, rule_of(reason)) for one, reason in held.items()])


def failed_again(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    connection_id: str | None = None,
    since: datetime | None = None,
    *,
    mapping: MappingChoice = "new",
    author: str = "",
    overriding: Override | None = None,
) -> Again:
    """Send again all that failed, of one destination or of all, since then or ever: as :func:`deliveries_again`."""
    ids = replays.failed_ids(tx, workspace_id, connection_id=connection_id, since=since)
    return deliveries_again(tx, at, workspace_id, ids, mapping, author=author, overriding=overriding)


def _replan(
    tx: Connection, at: datetime, rows: Sequence[DeliveryRow], mapping: MappingChoice, overriding: Override | None
) -> int:
    by_mapping: dict[str | None, list[str]] = {}
    for row in rows:
        by_mapping.setdefault(row.mapping_id if mapping == "old" else None, []).append(row.id)
    overridden = overriding.rule if overriding else None
    return sum(
        replays.replan(tx, some, at, mapping_id=version, overridden=overridden) for version, some in by_mapping.items()
    )


def _hold_back(tx: Connection, rows: Sequence[DeliveryRow], held: dict[str, str], at: datetime) -> None:
    """Write down the present reason; what waits for its proof goes on waiting, and where nobody could be asked it stays."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        if row.id in held and held[row.id] not in ("waiting_for_proof", "connector_broken"):
            by_reason.setdefault(held[row.id], []).append(row.id)
    for reason, ids in by_reason.items():
        replays.hold_back(tx, ids, reason, at)

"""Deliveries that are sent again, or at last: which, by whose word, and the rules that may speak against it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select, update

from hub.store.base import Values, chunks, fetch_all, in_any
from hub.store.deliveries import DELIVERED, FAILED, NOT_SENT, WAITING, DeliveryRow, DueDelivery, delivery
from hub.store.routes import route


def replan(
    tx: Connection, ids: Iterable[str], at: datetime, *, mapping_id: str | None = None, overridden: str | None = None
) -> int:
    """Send again what is over, or now what waits; the schedule of tries starts anew. Returns how many.

    ``overridden`` is the one rule, a key of :data:`RULES`, that does not count for them from here on. What has a ticket
    still is not sent again: its verdict is asked for.
    """
    number = 0
    for some in chunks(ids):
        change = update(delivery).where(in_any(delivery.c.id, some))
        values: Values = {"state": WAITING, "reason": "waiting", "detail": "", "due_at": at, "done_at": None}
        values |= {"mapping_id": mapping_id, "overridden": overridden, "uncounted": delivery.c.tries}
        number += tx.execute(change.values(values)).rowcount
    return number


def hold_back(tx: Connection, ids: Iterable[str], reason: str, at: datetime) -> None:
    """A rule speaks against sending these, as of now. What arrived before stays delivered."""
    for some in chunks(ids):
        change = update(delivery).where(in_any(delivery.c.id, some), delivery.c.state != DELIVERED)
        values: Values = {"state": NOT_SENT, "reason": reason, "detail": "", "done_at": at, "overridden": None}
        tx.execute(change.values(values))


RULES: dict[str, tuple[str, ...]] = {
    "stage": ("stage_not_accepted",),
    "test": ("test_not_sent",),
    "filter": ("filtered_by_rule",),
    "trust": ("trust_too_low", "waiting_for_proof"),
    "consent": ("no_consent",),
    "suppression": ("person_suppressed", "unsubscribed"),
    "age": ("too_old",),
}
"""The rules that may hold a delivery back and that a person may override for it, each with its reasons."""


def rule_of(reason: str) -> str:
    """The rule that gave this reason; empty when it came of no rule, or of one that nobody can override."""
    return next((rule for rule, reasons in RULES.items() if reason in reasons), "")


def repeatable(tx: Connection, workspace_id: str, ids: Iterable[str]) -> list[DeliveryRow]:
    """Those of ``ids`` that are this workspace's and whose route still stands."""
    found: list[DeliveryRow] = []
    for some in chunks(ids):
        statement = (
            select(delivery)
            .join(route, route.c.id == delivery.c.route_id)
            .where(delivery.c.workspace_id == workspace_id, in_any(delivery.c.id, some))
        )
        found += fetch_all(tx, DeliveryRow, statement)
    return found


def as_due(row: DeliveryRow, overridden: str | None) -> DueDelivery:
    """What a lane would read of this delivery, were it due and this rule overridden."""
    known = {name: getattr(row, name) for name in DueDelivery.__struct_fields__}
    return DueDelivery(**{**known, "overridden": overridden})


def failed_ids(
    tx: Connection, workspace_id: str, *, connection_id: str | None = None, since: datetime | None = None
) -> list[str]:
    """Everything that failed, oldest first."""
    statement = select(delivery.c.id).where(delivery.c.workspace_id == workspace_id, delivery.c.state == FAILED)
    if connection_id:
        statement = statement.where(delivery.c.connection_id == connection_id)
    if since:
        statement = statement.where(delivery.c.done_at >= since)
    return list(tx.scalars(statement.order_by(delivery.c.id)))


def release(tx: Connection, connection_id: str, at: datetime) -> int:
    """Make due what waited only because the destination did not take anything. Returns how many."""
    held = (delivery.c.connection_id == connection_id) & (delivery.c.state == WAITING) & delivery.c.reason.in_(_HELD)
    return tx.execute(update(delivery).where(held).values(due_at=at, reason="waiting")).rowcount


_HELD = (
    "destination_paused",
    "destination_not_accepting",
    "destination_gone",
    "credentials_refused",
    "grant_missing",
    "grant_broken",
    "connector_unusable",
)

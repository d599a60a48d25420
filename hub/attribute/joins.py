"""What was kept as two turns out to be one: the stored rows of both come together, and nothing is sent twice for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, update

from hub.store import conversions as conversion_store
from hub.store import deliveries
from hub.store import orders as order_store
from hub.store.base import Values
from hub.store.conversions import ConversionRow

CALLED_OFF = "joined_known_sale"


def join_subjects(tx: Connection, workspace_id: str, old: str, new: str, at: datetime) -> None:
    """Move everything stored under the subject ``old`` to ``new``; slots that both have are folded together afterwards."""
    conversion, observation = conversion_store.conversion, conversion_store.observation
    stored = conversion_store.conversions_of(tx, workspace_id, [old, new])
    kept = {row.slot: row for row in stored if row.subject == new}
    for row in (row for row in stored if row.subject == old):
        twin = kept.get(row.slot)
        if twin is not None and not _is_further(tx, row, twin):
            retire(tx, row, twin, at)
            continue
        if twin is not None:
            retire(tx, twin, row, at)
        tx.execute(update(conversion).where(conversion.c.id == row.id).values(subject=new))
    moved = update(observation).where(observation.c.workspace_id == workspace_id, observation.c.subject == old)
    tx.execute(moved.values(subject=new))
    if old.startswith("o:"):
        _join_orders(tx, old[2:], new[2:])


def retire(tx: Connection, row: ConversionRow, kept: ConversionRow | None, at: datetime) -> None:
    """A stored conversion counts no more, because ``kept`` says the same (None: nothing says it any more).

    The row stays, so that what was sent of it can be seen. A route that only it is on follows to ``kept``.
    """
    conversion = conversion_store.conversion
    # The subject must be nobody else's, so that the slot is free.
    replaced: Values = {"subject": f"x:{row.id}", "state": "replaced", "reason": CALLED_OFF}
    tx.execute(update(conversion).where(conversion.c.id == row.id).values(**replaced))
    if kept is not None:
        lines = order_store.ledger
        own = (lines.c.order_id == row.order_id) & (lines.c.conversion_id == row.id)
        taken = {"conversion_id": kept.id, "contact_id": kept.contact_id, "occurred_at": kept.occurred_at}
        tx.execute(update(lines).where(own).values(**taken))
        deliveries.hand_over(tx, row.id, kept.id)
    deliveries.call_off_conversion(tx, row.id, CALLED_OFF, at)


def _is_further(tx: Connection, row: ConversionRow, twin: ConversionRow) -> bool:
    """Whether more of ``row`` than of its ``twin`` has been sent: then its event id is the one destinations know."""
    sent = _sent_of(tx, [row.id, twin.id])
    return sent.get(row.id, (0, 0)) > sent.get(twin.id, (0, 0))


def _sent_of(tx: Connection, conversion_ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Per conversion: how many of its deliveries arrived, and how often any was tried."""
    found: dict[str, tuple[int, int]] = {}
    for (conversion_id, _), row in deliveries.of_conversions(tx, conversion_ids).items():
        arrived, tries = found.get(conversion_id, (0, 0))
        found[conversion_id] = (arrived + (row.state == deliveries.DELIVERED), tries + row.tries)
    return found


def _join_orders(tx: Connection, loser: str, winner: str) -> None:
    for table in (order_store.ledger, order_store.order_alias, conversion_store.conversion):
        tx.execute(update(table).where(table.c.order_id == loser).values(order_id=winner))
    tx.execute(order_store.order.delete().where(order_store.order.c.id == loser))

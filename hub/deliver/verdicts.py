"""Platforms that judge later: they answer with a ticket, and are asked under it until the verdict is known.

What was given a ticket is with the platform already. Until its verdict it is never sent again, whatever happens in
between; only the ask is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.contract.calls import Outcome, Result
from hub.contract.errors import DeliveryError, TryLater
from hub.store import deliveries
from hub.store.base import Values
from hub.store.deliveries import DueDelivery

PATIENCE = timedelta(hours=48)
"""How long after a ticket was given its verdict is asked for."""

ASK_AGAIN = 60.0  # seconds until the next ask, where nobody says
LONGEST_PAUSE = 6 * 3600.0  # seconds; a longer wish is cut to this
LONGEST_TICKET = 1000  # characters

# Said by an ask that did not come as far as the verdict: the ticket stays open, a replay asks again.
_NO_VERDICT = frozenset({"credentials_refused", "destination_gone", "connector_broken"})


def by_ticket(rows: Iterable[DueDelivery]) -> dict[str, list[DueDelivery]]:
    """One group for each ask."""
    groups: dict[str, list[DueDelivery]] = {}
    for row in rows:
        if row.ticket is not None:
            groups.setdefault(row.ticket, []).append(row)
    return groups


def verdicts_of(told: Any, error: DeliveryError | None, rows: Iterable[DueDelivery]) -> dict[str, Outcome]:
    """What one ask says of each delivery of its ticket.

    An ask that failed for now says nothing: the verdict is awaited as before. Any other error, and any outcome, is the
    verdict; of a record that the answer leaves out it is that of a success.
    """
    if isinstance(error, TryLater):
        words = f"{error.message} {error.detail}".strip()
        told = Outcome(Result.PENDING, "verdict_awaited", words, after=error.after)
    each: Mapping[str, Outcome] = told if isinstance(told, dict) else {}
    rest = told if isinstance(told, Outcome) else Outcome(Result.DELIVERED)
    return {row.id: each.get(row.id, rest) for row in rows}


def ticket_columns(row: DueDelivery, outcome: Outcome) -> Values:
    """What a delivery remembers of its ticket after an attempt, whose outcome is not PENDING."""
    if outcome.reason in _NO_VERDICT:
        return {"ticket": row.ticket, "ticket_at": row.ticket_at}
    return {"ticket": None, "ticket_at": None}


def awaited(row: DueDelivery, outcome: Outcome, at: datetime) -> Values:
    """The columns of a delivery whose outcome is PENDING: it waits for the next ask, or is given up.

    A connector that names no ticket cannot be asked anything: all that is known is that the platform took the record.
    """
    ticket, since = outcome.ticket or row.ticket or "", row.ticket_at or at
    if not ticket or len(ticket) > LONGEST_TICKET:
        return {"state": deliveries.DELIVERED}
    if at - since >= PATIENCE:
        return {"state": deliveries.FAILED, "reason": "verdict_never_came"}
    pause = min(ASK_AGAIN if outcome.after is None else max(outcome.after, 1.0), LONGEST_PAUSE)
    due = min(at + timedelta(seconds=pause), since + PATIENCE)
    return {"state": deliveries.WAITING, "due_at": due, "done_at": None, "ticket": ticket, "ticket_at": since}

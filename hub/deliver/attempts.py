"""What is written of one delivery after an attempt: its state, and when it is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.contract.calls import Outcome, Result
from hub.deliver import verdicts
from hub.deliver.outbox import Lost, OutboxItem
from hub.deliver.retry import next_try
from hub.store import deliveries
from hub.store.base import Values

_GOOD = frozenset(
    {
        Result.DELIVERED,
        Result.DELIVERED_WITH_WARNING,
        Result.ACCEPTED_UNVERIFIED,
        Result.DUPLICATE,
    }
)


def row_after(
    item: OutboxItem | Lost, outcome: Outcome, exchange_id: str | None, max_age: int | None, at: datetime
) -> Values:
    """The row for :func:`hub.store.deliveries.record`. ``max_age``: seconds after which the destination refuses."""
    delivery = item.delivery
    row: Values = {
        "id": delivery.id,
        "number": delivery.tries + 1,
        "result": outcome.result.value,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "mapping_id": item.mapping.id if isinstance(item, OutboxItem) else delivery.mapping_id,
        "exchange_id": exchange_id,
        "due_at": at,
        "done_at": at,
        "uncounted": int(_is_no_try(item, outcome)),
        **verdicts.ticket_columns(delivery, outcome),
    }
    if outcome.result is Result.PENDING:
        return row | verdicts.awaited(delivery, outcome, at)
    if outcome.result in _GOOD:
        return row | {"state": deliveries.DELIVERED}
    if outcome.result is Result.SKIPPED:
        return row | {"state": deliveries.NOT_SENT}
    if outcome.result is Result.BAD_CREDENTIALS:
        # Waits, as it is, for its owner to repair the connection.
        return row | {"state": deliveries.WAITING, "done_at": None}
    if outcome.result is Result.TRY_LATER:
        return row | _later(
            row["number"] - delivery.uncounted - row["uncounted"], outcome, _deadline(item, max_age), at
        )
    return row | {"state": deliveries.FAILED}


def _is_no_try(item: OutboxItem | Lost, outcome: Outcome) -> bool:
    """Whether the schedule does not count it: it only asked for a verdict, or we were not let in at all."""
    return bool(item.delivery.ticket) or outcome.result is Result.BAD_CREDENTIALS


def _later(tries: int, outcome: Outcome, deadline: datetime | None, at: datetime) -> Values:
    due = next_try(tries, at, after=outcome.after, deadline=deadline)
    if due is not None:
        return {"state": deliveries.WAITING, "due_at": due, "done_at": None}
    late = next_try(tries, at, after=outcome.after) is not None
    return {"state": deliveries.FAILED, "reason": "too_old" if late else "given_up"}


def _deadline(item: OutboxItem | Lost, max_age: int | None) -> datetime | None:
    """When the destination would no longer take it."""
    if max_age is None or isinstance(item, Lost) or item.delivery.overridden == "age":
        return None
    return item.conversion.occurred_at + timedelta(seconds=max_age)

"""THE retry policy: one table, one function.

The schedule is the Standard Webhooks example (standard-webhooks/standard-webhooks, spec, section on retries): ten tries
over 75 hours and 35 minutes.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

SCHEDULE = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Seconds to wait before each try, the first included."""

LONGEST_WAIT = 24 * 3600
JITTER = 0.2


def next_try(
    tries: int, at: datetime, *, after: float | None = None, deadline: datetime | None = None
) -> datetime | None:
    """When to try again after ``tries`` tries (1 or more) have failed; None: give up.

    ``after`` is what the destination asked for (seconds, honored up to 24 h, never shortened by jitter); ``deadline`` is
    when the record becomes too old for it.
    """
    if tries >= len(SCHEDULE):
        return None
    wait = SCHEDULE[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    if after is not None:
        wait = max(wait, min(after, LONGEST_WAIT))
    moment = at + timedelta(seconds=wait)
    return None if deadline is not None and moment >= deadline else moment

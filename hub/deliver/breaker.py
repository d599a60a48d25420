"""The circuit breaker of one destination: when most sends fail, stop asking and only probe. Nothing is dropped.

State is a small JSON object kept with the connection: {"row": failures in a row, "tries": [[minute, good, bad], …],
"probes": how many probes failed, "until": ISO time of the next probe}. Pure: takes the time, returns the new state.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

IN_A_ROW = 10
SHARE, AT_LEAST, WINDOW_MINUTES = 0.7, 10, 5
FIRST_PROBE, LONGEST_PROBE = 30, 15 * 60  # seconds

State = dict[str, Any]


def is_open(state: State) -> bool:
    """Whether only probes may go out."""
    return bool(state.get("until"))


def probe_at(state: State) -> datetime | None:
    """When the next probe is due; None while the breaker is closed."""
    return datetime.fromisoformat(state["until"]) if state.get("until") else None


def after(state: State, at: datetime, good: int, bad: int) -> State:
    """The state after ``good`` answered and ``bad`` failed sends. A refusal of one record is an answer, not a failure."""
    if not good and not bad:
        return state
    if is_open(state):
        if good:
            return {}
        return _open(state.get("probes", 0) + 1, at)
    row = 0 if good else state.get("row", 0) + bad
    minute = int(at.timestamp() // 60)
    tries = [entry for entry in state.get("tries", []) if entry[0] > minute - WINDOW_MINUTES]
    if tries and tries[-1][0] == minute:
        tries[-1] = [minute, tries[-1][1] + good, tries[-1][2] + bad]
    else:
        tries.append([minute, good, bad])
    failed, total = sum(entry[2] for entry in tries), sum(entry[1] + entry[2] for entry in tries)
    if row >= IN_A_ROW or (total >= AT_LEAST and failed >= SHARE * total):
        return _open(0, at)
    return {"row": row, "tries": tries}


def _open(probes: int, at: datetime) -> State:
    wait = min(FIRST_PROBE * 2 ** min(probes, 10), LONGEST_PROBE)
    return {"probes": probes, "until": (at + timedelta(seconds=wait)).isoformat()}

"""What RQ calls: ids in, one leg of the journey. A job may run twice, and may vanish: the sweep finds what is due.

RQ's worker forks for each job, so each opens its own database; what is costly to import is imported before the fork.
"""

from __future__ import annotations

import gc
import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from hub.run.queue import ASKING, LANES, READING, SLOW, Turn, wake
from hub.settings import settings

READING_SECONDS, SENDING_SECONDS, ASKING_SECONDS = 10, 10, 40
"""How long one turn may last. One job asks all senders of a workspace, so a slow one keeps a single worker, but for long."""
SHORT_PASS = 0.15
"""Seconds. A pass over the lanes that took less is followed by a rest."""

# What a job needs is imported in it: the clock knows these functions by name only, and should stay small.
if TYPE_CHECKING:
    from hub.store import Store


def read_messages(workspace_id: str) -> None:
    """Steps 3 to 5 for what has arrived in a workspace, waking the lanes that have something to send after each batch."""
    from hub.run import reader

    turn = Turn("read_messages", READING_SECONDS)
    if turn.is_on(workspace_id):
        return

    def booked(lanes: set[str]) -> None:
        turn.on(workspace_id)
        for connection_id in lanes:
            wake(LANES, "deliver", connection_id)

    turn.on(workspace_id)
    try:
        reader.read_messages(_store(), workspace_id, turn.left, booked, turn.stay, lambda: _ask(workspace_id))
    finally:
        turn.off(workspace_id)
    if reader.may_be_read(_store(), workspace_id):
        wake(READING, "read_messages", workspace_id)


def _ask(workspace_id: str) -> None:
    wake(ASKING, "ask_senders", workspace_id)


def ask_senders(workspace_id: str) -> None:
    """Beside reading: ask the senders of a workspace what their messages leave out, then have those read."""
    from hub.run import asking

    turn = Turn("ask_senders", ASKING_SECONDS)
    if turn.is_on(workspace_id):
        return

    def answered() -> None:
        wake(READING, "read_messages", workspace_id)

    turn.on(workspace_id)
    try:
        asking.ask_senders(_store(), workspace_id, turn.left, answered, lambda: turn.on(workspace_id), turn.stay)
    finally:
        turn.off(workspace_id)
    if asking.may_be_asked(_store(), workspace_id):
        _ask(workspace_id)


def deliver(connection_id: str) -> None:
    """Steps 6 and 7 for one destination, then for whichever has something due that nobody is at, while the turn lasts."""
    from hub.run import lanes as sending

    turn = Turn("deliver", SENDING_SECONDS)
    if turn.is_on(connection_id):
        return
    lanes, served, slow = [connection_id], set[str](), set[str]()
    goes_on = True
    while lanes and goes_on:
        began = time.monotonic()
        for one in lanes:
            turn.on(one)
            try:
                more, is_slow = sending.deliver(_store(), one, max(turn.left, 0.1))
            finally:
                turn.off(one)
            if is_slow:
                slow.add(one)
            if more:
                wake(SLOW if is_slow else LANES, "deliver", one)
        served = (served | set(lanes)) - slow
        lanes = sending.lanes_due(_store(), without=slow)
        goes_on = turn.left > 0
        # What comes in meanwhile is sent together: a pass over the lanes costs as much as many deliveries.
        while goes_on and (not lanes or time.monotonic() - began < SHORT_PASS):
            with turn.minding(served):
                goes_on = turn.stay()
            lanes = sending.lanes_due(_store(), without=slow)
    for one in lanes:
        wake(LANES, "deliver", one)


def sweep() -> None:
    """Wake whoever has something to do. Run every few seconds by the clock, and by each worker as it starts."""
    from hub.run import reopening
    from hub.store import deliveries, inbound, now

    reopening.reopen(_store())
    with _store().read() as tx:
        workspaces = inbound.workspaces_waiting(tx, now())
        asking = inbound.workspaces_asking(tx, now())
        lanes = deliveries.connections_due(tx, now())
    for workspace_id in workspaces:
        wake(READING, "read_messages", workspace_id)
    for workspace_id in asking:
        _ask(workspace_id)
    for connection_id in lanes:
        wake(LANES, "deliver", connection_id)


def preload() -> None:
    """Import what jobs need, so that a worker's forks share it instead of each loading it again."""
    from hub.connecting.registry import registry
    from hub.run import asking, lanes, reader  # noqa: F401 - imported for what it imports

    for slug in registry().slugs():
        registry().entry(slug)
    gc.collect()
    gc.freeze()  # what is here stays: the forks' collectors need not go through it, and unshare its pages by that


def close() -> None:
    """Let go of the database, before this process forks."""
    _open_store(os.getpid()).close()
    _open_store.cache_clear()


def _store() -> Store:
    return _open_store(os.getpid())


@lru_cache(maxsize=1)
def _open_store(_pid: int) -> Store:
    from hub.store import Store

    return Store(settings().database_url, flush=False)  # what a job wrote is done again, if it is lost

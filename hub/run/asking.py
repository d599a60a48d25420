"""Beside reading: senders are asked for what their messages leave out, and whether they are genuine.

A message waits for it in the state READING and comes back to RECEIVED with the answer, or is due again later. So a sender
that answers slowly, or not at all, delays its own messages and nobody else's: each sender is asked from a thread of its
own, one message after the other. One asker at a time works in a workspace, held together by a lease. Whatever it had not
written down when it died is asked again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from hub.connecting.connected import UNUSABLE, Connected
from hub.contract.errors import HubError, TryLater
from hub.normalize import needs_fetch, read_back
from hub.outgoing.sender import run_recipe
from hub.run.messages import as_arrived, later, source_of, verdict_of
from hub.settings import settings
from hub.store import Store, connections, inbound, leases, now
from hub.store.inbound import InboundRow
from hub.verify import event_key, verify

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Senders asked at the same time."""
BATCH = 50
"""Messages of one sender looked up at a time."""
SLOW = 2.0
"""Seconds after which a sender counts as slow: when the turn is nearly over it is not asked anything new."""
LAST_ANSWERS = 25.0
"""Seconds after a turn's end in which answers are still awaited. Well before RQ would end the job."""


@dataclass(slots=True)
class Asked:
    """What came of asking for one message: the columns to write, and the key that makes a resend of it known."""

    row: InboundRow
    columns: dict[str, Any]
    event_key: str | None = None


def ask_senders(
    store: Store,
    workspace_id: str,
    seconds: float,
    answered: Callable[[], None] = lambda: None,
    at_it: Callable[[], None] = lambda: None,
    stay: Callable[[], bool] = lambda: False,
) -> None:
    """Ask for whatever is due in a workspace, for about ``seconds``; nothing while another worker does.

    ``answered`` is told each time that messages can be read, ``at_it`` is called every second. ``stay`` is asked when
    nothing is due any more: it rests for a moment and says whether to look again.
    """
    with leases.hold(store, f"ask:{workspace_id}", settings().lease_seconds) as lease:
        if lease is not None:
            _Turn(store, workspace_id, lease, time.monotonic() + seconds).run(answered, at_it, stay)


def may_be_asked(store: Store, workspace_id: str) -> bool:
    """Whether senders of a workspace are to be asked for something, and nobody does."""
    with store.read() as tx:
        taken = f"ask:{workspace_id}" in leases.taken(tx, "ask:")
        return not taken and bool(inbound.sources_asking(tx, workspace_id, now()))


class _Turn:
    """One turn of asking. The threads only ask; what they found out is written by the one that started them."""

    def __init__(self, store: Store, workspace_id: str, lease: leases.Held, until: float) -> None:
        self._store, self._workspace_id, self._lease = store, workspace_id, lease
        self._until, self._end = until, until + LAST_ANSWERS
        self._found: queue.SimpleQueue[Asked | str] = queue.SimpleQueue()  # a text: this sender's thread is over
        self._at_work: dict[str, tuple[InboundRow, float]] = {}  # by sender: what it is asked for, and since when
        self._busy: set[str] = set()
        self._slow: set[str] = set()

    def run(self, answered: Callable[[], None], at_it: Callable[[], None], stay: Callable[[], bool]) -> None:
        while time.monotonic() < self._end:
            self._start_threads()
            if not self._busy:
                if time.monotonic() < self._until and stay():
                    continue
                return
            if not self._write(self._next_found(), answered):
                log.warning("another asker took over workspace %s", self._workspace_id)
                return
            at_it()
        self._give_up()

    def _start_threads(self) -> None:
        with self._store.read() as tx:
            for sender in inbound.sources_asking(tx, self._workspace_id, now()):
                is_late = time.monotonic() > self._until and sender in self._slow
                if sender in self._busy or is_late or len(self._busy) >= AT_ONCE:
                    continue
                rows = inbound.asking(tx, self._workspace_id, sender, now(), BATCH)
                self._busy.add(sender)
                threading.Thread(target=self._ask_sender, args=(sender, rows), name="asking", daemon=True).start()

    def _ask_sender(self, sender: str, rows: list[InboundRow]) -> None:
        try:
            for row in rows:
                began = time.monotonic()
                self._at_work[sender] = (row, began)
                self._found.put(_ask(self._store, row))
                if time.monotonic() - began > SLOW:
                    self._slow.add(sender)
                if time.monotonic() > self._until:
                    return
        except Exception:  # our own database, most likely: nothing is known of these messages, they stay due
            log.exception("the sender of %s could not be asked", sender)
        finally:
            self._at_work.pop(sender, None)
            self._found.put(sender)

    def _next_found(self) -> list[Asked]:
        """What has been found out since, within a second. Who is through with its messages may be started again."""
        found = []
        try:
            one = self._found.get(timeout=1.0)
            while True:
                if isinstance(one, str):
                    self._busy.discard(one)
                else:
                    found.append(one)
                one = self._found.get_nowait()
        except queue.Empty:
            return found

    def _write(self, found: list[Asked], answered: Callable[[], None]) -> bool:
        """False: another asker has the lease by now, and nothing was written."""
        if not found:
            return True
        with self._store.write() as tx:
            if not self._lease.still(tx):
                return False
            for asked in found:
                _write_one(tx, asked)
        if any(asked.columns["state"] == inbound.RECEIVED for asked in found):
            answered()
        return True

    def _give_up(self) -> None:
        """The turn ends without these answers: their messages come after the others, each time later."""
        hanging = [row for row, began in self._at_work.values() if time.monotonic() - began >= LAST_ANSWERS]
        self._write(
            [Asked(row, later(row, now(), "Its sender did not answer in time.")) for row in hanging], lambda: None
        )


def _ask(store: Store, row: InboundRow) -> Asked:
    """Ask for one message. Whatever is wrong with it, its connector or its sender becomes its verdict."""
    try:
        connected = source_of(store, row.connection_id)
        if connected.row.state not in (connections.ACTIVE, connections.NEEDS_YOU):
            return Asked(row, {"state": inbound.PARKED, "reason": "source_paused"})
        return _answers(row, connected)
    except HubError as error:
        return Asked(row, verdict_of(error, row, now()))
    except SQLAlchemyError as error:  # a token is kept there, for instance
        late = TryLater("The hub's own database did not answer.", detail=type(error).__name__, reason="internal_error")
        return Asked(row, verdict_of(late, row, now()))
    except Exception as error:
        log.exception("nobody could be asked for message %s", row.id)
        detail = f"{type(error).__name__}: {error}"[:500]
        return Asked(row, {"state": inbound.PARKED, "reason": "internal_error", "detail": detail})


def _answers(row: InboundRow, connected: Connected) -> Asked:
    raw = as_arrived(row, connected)
    columns: dict[str, Any] = {"state": inbound.RECEIVED, "reason": inbound.READ_BACK, "detail": "", "due_at": now()}
    key = None
    if row.reason in inbound.TO_VERIFY:
        columns["trust"] = verify(raw, connected, run_recipe).value
        key = event_key(raw, connected) if row.event_key is None else None
    if not raw.fetched and needs_fetch(connected.source, raw, connected.settings):
        columns["fetched"] = run_recipe(connected, read_back(connected.source, raw, connected.settings))
    return Asked(row, columns, key)


def _write_one(tx: Connection, asked: Asked) -> None:
    columns = asked.columns
    if asked.event_key is not None and not inbound.take_key(tx, asked.row, asked.event_key):
        columns = {"state": inbound.DONE, "reason": "duplicate_event", "trust": columns["trust"]}
    if columns["reason"] == UNUSABLE:
        connections.stop(tx, asked.row.connection_id, now(), UNUSABLE, columns["detail"])
    inbound.answered(tx, asked.row.id, **columns)

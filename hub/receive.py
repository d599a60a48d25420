"""Step 1: keep the raw message, durably, once.

Concurrent requests of a process share a transaction: one thread writes, the others wait for the commit that holds their
row. One flush to disk then serves many hits (measured in benchmarks/intake.py).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.store import Store, inbound
from hub.store.base import insert_new
from hub.store.inbound import InboundRow

log = logging.getLogger(__name__)

MOST_IN_ONE_COMMIT = 128
PATIENCE = 15.0  # seconds that a sender waits for a commit


UNCONFIRMED = 600.0
"""Seconds in which a resend of what could not be confirmed is known as such."""


class NotKept(Exception):
    """The message could not be made durable: the sender must be told to try again (503)."""


class NotConfirmed(NotKept):
    """It is not known yet whether the message is durable: it may be in a moment. A resend of it is recognized."""


@dataclass(slots=True)
class Receipt:
    """``inbound_id`` is the stored message's id; ``resend`` says that it had been stored before."""

    inbound_id: str
    resend: bool = False


@dataclass(slots=True)
class _Waiting:
    row: InboundRow
    done: threading.Lock  # held until the row is written; a bare lock, since an Event costs as much as the rest
    receipt: Receipt | None = None

    def wait(self, patience: float) -> Receipt | None:
        """None: it was tried, and could not be written. Raises NotConfirmed when neither is known within ``patience``."""
        if not self.done.acquire(timeout=patience):
            raise NotConfirmed("The message is not confirmed yet to be stored. Send it again: it counts once.")
        self.done.release()  # a resend may wait for it as well
        return self.receipt


class Receiver:
    """The process's one writer of inbound messages. ``committed`` is called with the workspaces of each commit."""

    def __init__(self, store: Store, committed: Callable[[set[str]], None], *, most_waiting: int = 4096) -> None:
        self._store = store
        self._committed = committed
        self._most_waiting = most_waiting
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._unconfirmed: dict[str, tuple[float, _Waiting]] = {}  # by content: until when, and which
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._thread.start()

    def keep(
        self, row: InboundRow, content: Callable[[], str] = lambda: "", *, patience: float | None = None
    ) -> Receipt:
        """Return when ``row`` is on disk. Raises NotKept when it could not be written.

        Raises NotConfirmed when neither is known within ``patience`` seconds (None: :data:`PATIENCE`): it may still be
        written. Its resend, told by its ``content``, then waits for that same row. So it is known also where a sender's
        equal messages are news, which the database keeps apart.
        """
        patience = PATIENCE if patience is None else patience
        resend = self._wait_for_the_first(content, patience) if self._unconfirmed else None
        if resend is not None:
            return resend
        if self._queue.qsize() >= self._most_waiting:
            raise NotKept("Too many messages are waiting to be stored.")
        waiting = _Waiting(row, threading.Lock())
        waiting.done.acquire()
        self._queue.put(waiting)
        try:
            receipt = waiting.wait(patience)
        except NotConfirmed:
            self._remember(content(), waiting)
            raise
        if receipt is None:
            raise NotKept("The message could not be stored just now.")
        return receipt

    def _wait_for_the_first(self, content: Callable[[], str], patience: float) -> Receipt | None:
        """The receipt of the message that this one repeats; None when there is none, or it could not be written."""
        name = content()
        until, earlier = self._unconfirmed.get(name, (0.0, None))
        if earlier is None or until < time.monotonic():
            return None
        receipt = earlier.wait(patience)
        self._unconfirmed.pop(name, None)  # one was not confirmed, so one is its resend
        return None if receipt is None else Receipt(receipt.inbound_id, resend=True)

    def _remember(self, name: str, waiting: _Waiting) -> None:
        at = time.monotonic()
        for old in [old for old, (until, _) in list(self._unconfirmed.items()) if until < at]:
            self._unconfirmed.pop(old, None)
        if name and len(self._unconfirmed) < self._most_waiting:
            self._unconfirmed[name] = (at + UNCONFIRMED, waiting)

    def close(self) -> None:
        """Write what is waiting, then stop."""
        self._queue.put(None)
        self._thread.join(timeout=20)

    def _run(self) -> None:
        while True:
            batch, last = self._next_batch()
            if batch:
                self._write(batch)
            if last:
                return

    def _next_batch(self) -> tuple[list[_Waiting], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        batch = [first]
        while len(batch) < MOST_IN_ONE_COMMIT:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
        return batch, False

    def _write(self, batch: list[_Waiting]) -> None:
        try:
            with self._store.write() as tx:
                receipts = _keep_new(tx, [waiting.row for waiting in batch])
            for waiting, receipt in zip(batch, receipts, strict=True):
                waiting.receipt = receipt
        except Exception:  # whatever it was, this thread goes on: without it nothing is kept any more
            log.exception("%d messages could not be stored; their senders are told to try again", len(batch))
        finally:
            for waiting in batch:
                waiting.done.release()
        kept = {waiting.row.workspace_id for waiting in batch if waiting.receipt and not waiting.receipt.resend}
        if kept:
            self._committed(kept)


def _keep_new(tx: Connection, rows: list[InboundRow]) -> list[Receipt]:
    """Insert what is new; of equal messages (connection, event key) only the first ever is kept, the others counted."""
    if insert_new(tx, inbound.inbound, rows, "connection_id", "event_key") == len(rows):
        return [Receipt(row.id) for row in rows]
    kept = inbound.existing_keys(tx, [(row.connection_id, row.event_key) for row in rows if row.event_key])
    receipts = []
    for row in rows:
        first_id = kept.get((row.connection_id, row.event_key or "")) or row.id
        receipts.append(Receipt(first_id, resend=first_id != row.id))
    inbound.count_resends(tx, [receipt.inbound_id for receipt in receipts if receipt.resend])
    return receipts

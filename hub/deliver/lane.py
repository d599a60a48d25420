"""Step 7: one destination's lane. Sends what is due with a few connections at once, and writes down how each fared.

A lane has one worker at a time (a lease that its heartbeat keeps). It works in waves: load, map, send, record in one
transaction; a worker that dies loses at most its wave, which the next one sends again under the same ids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.connecting.batches import batches
from hub.connecting.connected import Connected
from hub.contract.calls import Outcome, Recipe, Record, Result
from hub.contract.connector import Batch
from hub.contract.errors import BadCredentials, DeliveryError, Gone, TryLater
from hub.deliver import breaker, verdicts
from hub.deliver.outbox import Parcel, load
from hub.deliver.retry import next_try
from hub.outgoing.answers import REASON_OF, outcome_of
from hub.outgoing.sender import Sender, Talk
from hub.store import Store, connections, deliveries, leases, new_id, now
from hub.store.base import Row, Values

log = logging.getLogger(__name__)

MakeRecord = Callable[[Parcel], Record | Outcome]
"""Step 6, handed in by the journey: the mapped record, or the outcome when it cannot be made."""

FIRST_WAVE, LARGEST_WAVE = 64, 512
MOST_IN_BATCHES = 5000  # records of one wave that travel in batches
QUICK, SLOW = 0.5, 2.0  # seconds a wave may take before the next is made larger, or smaller
SLOW_EACH = 0.02  # seconds a delivery may take before its lane counts as slow
MOST_THREADS = 32
THROTTLE = 30.0  # seconds to leave a destination alone when it does not say how long


@dataclass(slots=True)
class Wave:
    """What was found out in one wave."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    exchange_of: dict[str, str] = field(default_factory=dict)
    exchanges: list[Values] = field(default_factory=list)
    good: int = 0  # calls that were answered
    bad: int = 0  # calls that failed for everybody's records, not for this one's
    stop: DeliveryError | None = None  # why the rest must wait
    until: float = 0.0  # monotonic time after which nothing more is started

    @property
    def over(self) -> bool:
        """Whether the rest stays for later: told to stop, nobody answers, or the turn is up."""
        silent = self.bad >= breaker.IN_A_ROW and not self.good
        return self.stop is not None or silent or time.monotonic() > self.until


class Lane:
    """One turn of work for one destination."""

    def __init__(self, store: Store, connected: Connected, make_record: MakeRecord, *, lease_seconds: int) -> None:
        self._store = store
        self._connected = connected
        self._make_record = make_record
        self._lease_seconds = lease_seconds
        self._threads = connected.destination.limits.concurrency
        self._sender = Sender(connections=MOST_THREADS)
        self._pace = _Pace(connected.destination.limits.per_second)
        self.slow = False  # set by run(): its next turn belongs behind the quick lanes

    def run(self, seconds: float) -> bool:
        """Work for at most ``seconds``. False: not at all, another worker has the lane."""
        try:
            with leases.hold(self._store, f"lane:{self._connected.id}", self._lease_seconds) as lease:
                if lease is not None:
                    self._work(time.monotonic() + seconds)
                return lease is not None
        finally:
            self._sender.close()

    def _work(self, until: float) -> None:
        batch = self._connected.destination.batch
        size = FIRST_WAVE if batch is None else min(max(batch.max_records, LARGEST_WAVE * 2), MOST_IN_BATCHES)
        while time.monotonic() < until:
            probing = breaker.is_open(self._connected.row["breaker"])
            began = time.monotonic()
            with self._store.read() as tx:
                row = connections.get_connection(tx, self._connected.id)
                if row is None or row["state"] != connections.ACTIVE or (row["throttled_until"] or now()) > now():
                    return
                parcels = load(tx, self._connected, now(), 1 if probing else size)
            if not parcels:
                return
            wave = self._send(parcels, until)
            state = self._record(parcels, wave)
            if wave.stop is not None or breaker.is_open(state):
                return
            self._connected = Connected({**row, "breaker": state}, self._connected.connector, self._connected.settings)
            took = time.monotonic() - began
            self.slow = took / len(parcels) > SLOW_EACH
            if self._connected.destination.batch is None:
                size = min(size * 2, LARGEST_WAVE) if took < QUICK else max(size // 2, 8) if took > SLOW else size
                self._widen(took / len(parcels))

    def _widen(self, seconds_each: float) -> None:
        """Slow receivers need more connections at once, quick ones are limited by the processor anyway."""
        limits = self._connected.destination.limits
        if limits.per_second is None and seconds_each * self._threads > 0.05:
            self._threads = min(self._threads * 2, MOST_THREADS)

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, parcels: Sequence[Parcel], until: float) -> Wave:
        wave = Wave(until=until)
        records, judged_later = list[Record](), list[Row]()
        for parcel in parcels:
            if parcel.delivery["ticket"] and parcel.refusal is None:
                judged_later.append(parcel.delivery)
                continue
            made = parcel.refusal or self._make_record(parcel)
            if isinstance(made, Outcome):
                wave.outcomes[parcel.delivery["id"]] = made
            else:
                records.append(made)
        batch = self._connected.destination.batch
        if batch is None:
            self._send_singly(records, wave)
        else:
            self._send_batches(records, batch, wave)
        self._ask(judged_later, wave)
        return wave

    def _send_singly(self, records: Sequence[Record], wave: Wave) -> None:
        waiting = deque(records)
        lock = threading.Lock()

        def work() -> None:
            while not wave.over:
                try:
                    record = waiting.popleft()
                except IndexError:
                    return
                self._pace.wait()
                talk = Talk()
                outcome, error = self._try(self._connected.destination.deliver, record, talk)
                with lock:
                    self._note(wave, [record.id], outcome or talk.verdict or Outcome(Result.DELIVERED), error, talk)

        threads = min(self._threads, len(records))
        others = [threading.Thread(target=work, daemon=True) for _ in range(threads - 1)]
        for other in others:
            other.start()
        if records:
            work()
        for other in others:
            other.join()

    def _send_batches(self, records: Sequence[Record], batch: Batch, wave: Wave) -> None:
        for together in batches(self._connected.destination, records, self._connected.settings):
            self._send_batch(together, batch, wave)

    def _send_batch(self, records: list[Record], batch: Batch, wave: Wave) -> None:
        """Send; a batch refused as a whole is halved until the bad record stands alone."""
        if wave.over:
            return
        self._pace.wait()
        talk = Talk()
        told, error = self._try(self._connected.destination.deliver, records, talk)
        refused = error is not None and not isinstance(error, (TryLater, BadCredentials, Gone))
        if refused and len(records) > 1:
            wave.exchanges.append(self._exchange(talk, len(records)))
            middle = len(records) // 2
            self._send_batch(records[:middle], batch, wave)
            self._send_batch(records[middle:], batch, wave)
            return
        ids = [record.id for record in records]
        self._note(wave, ids, told or talk.verdict or Outcome(Result.DELIVERED), error, talk)

    def _ask(self, rows: Sequence[Row], wave: Wave) -> None:
        for ticket, group in verdicts.by_ticket(rows).items():
            if wave.over:
                return
            self._pace.wait()
            talk = Talk()
            told, error = self._try(self._connected.destination.poll, ticket, talk)
            said = verdicts.verdicts_of(told or talk.verdict, error, group)
            self._note(wave, [row["id"] for row in group], said, error, talk)

    def _try(self, method: Callable[..., Recipe], argument: Any, talk: Talk) -> tuple[Any, DeliveryError | None]:
        destination, settings = self._connected.destination, self._connected.settings
        try:
            return self._sender.run(self._connected, method(argument, settings), talk), None
        except DeliveryError as error:
            return outcome_of(error), error
        except Exception as error:
            log.exception("connector %s failed", destination.slug)
            broken = DeliveryError(
                f"The connector {destination.name} failed on this record. Report it, then replay after the fix.",
                detail=f"{type(error).__name__}: {error}"[:300],
                reason="connector_broken",
            )
            return outcome_of(broken), broken

    def _note(self, wave: Wave, ids: Sequence[str], told: Any, error: DeliveryError | None, talk: Talk) -> None:
        exchange = self._exchange(talk, len(ids)) if talk.calls else None
        if exchange is not None:
            wave.exchanges.append(exchange)
        outcomes = told if isinstance(told, dict) else {}
        for delivery_id in ids:
            default = Outcome(Result.DELIVERED) if isinstance(told, dict) else told
            wave.outcomes[delivery_id] = outcomes.get(delivery_id, default)
            if exchange is not None:
                wave.exchange_of[delivery_id] = exchange["id"]
        if isinstance(error, TryLater) and not error.whole_connection:
            wave.bad += 1
        elif talk.calls:
            wave.good += 1
        if isinstance(error, (BadCredentials, Gone)) or (isinstance(error, TryLater) and error.whole_connection):
            wave.stop = wave.stop or error

    def _exchange(self, talk: Talk, records: int) -> Values:
        return {
            "id": new_id(),
            "connection_id": self._connected.id,
            "at": now(),
            "milliseconds": int(talk.seconds * 1000),
            "records": records,
            "calls": talk.calls,
        }

    # -- recording -------------------------------------------------------------------------------------------------

    def _record(self, parcels: Sequence[Parcel], wave: Wave) -> breaker.State:
        at = now()
        found = [
            self._verdict(parcel, wave.outcomes[parcel.delivery["id"]], wave, at)
            for parcel in parcels
            if parcel.delivery["id"] in wave.outcomes
        ]
        state = breaker.after(self._connected.row["breaker"], at, wave.good, wave.bad)
        with self._store.write() as tx:
            deliveries.record(tx, at, found, wave.exchanges)
            if state != self._connected.row["breaker"]:
                connections.change_connection(
                    tx, self._connected.id, at, breaker=state, throttled_until=breaker.probe_at(state)
                )
            self._stop(tx, wave.stop, at)
        return state

    def _stop(self, tx: Any, why: DeliveryError | None, at: datetime) -> None:
        if isinstance(why, TryLater):
            pause = timedelta(seconds=why.after if why.after is not None else THROTTLE)
            connections.change_connection(tx, self._connected.id, at, throttled_until=at + pause)
        elif why is not None:
            state = connections.OFF if isinstance(why, Gone) else connections.NEEDS_YOU
            detail = f"{why.message} {why.detail}".strip()
            connections.set_state(tx, self._connected.id, at, state, why.reason, detail)

    def _verdict(self, parcel: Parcel, outcome: Outcome, wave: Wave, at: datetime) -> Values:
        delivery_id, tries = parcel.delivery["id"], parcel.delivery["tries"] + 1
        row: Values = {
            "id": delivery_id,
            "number": tries,
            "result": outcome.result.value,
            "reason": outcome.reason or REASON_OF[outcome.result],
            "detail": outcome.detail[:500],
            "mapping_id": parcel.mapping["id"],
            "exchange_id": wave.exchange_of.get(delivery_id),
            "due_at": at,
            "done_at": at,
            **verdicts.ticket_columns(parcel.delivery, outcome),
        }
        if outcome.result is Result.PENDING:
            return row | verdicts.awaited(parcel.delivery, outcome, at)
        if outcome.result in _GOOD:
            return row | {"state": deliveries.DELIVERED}
        if outcome.result is Result.SKIPPED:
            return row | {"state": deliveries.NOT_SENT}
        if outcome.result is Result.BAD_CREDENTIALS:
            # Waits, as it is, for its owner to repair the connection.
            return row | {"state": deliveries.WAITING, "done_at": None}
        if outcome.result is Result.TRY_LATER:
            max_age = self._connected.destination.max_age
            deadline = parcel.conversion["occurred_at"] + timedelta(seconds=max_age) if max_age is not None else None
            sent = tries - row["asked"]  # asking for a verdict is no try
            due = next_try(sent, at, after=outcome.after, deadline=deadline)
            if due is not None:
                return row | {"state": deliveries.WAITING, "due_at": due, "done_at": None}
            late = next_try(sent, at, after=outcome.after) is not None
            return row | {"state": deliveries.FAILED, "reason": "too_old" if late else "given_up"}
        return row | {"state": deliveries.FAILED}


_GOOD = frozenset(
    {
        Result.DELIVERED,
        Result.DELIVERED_WITH_WARNING,
        Result.ACCEPTED_UNVERIFIED,
        Result.DUPLICATE,
    }
)


class _Pace:
    """Keeps to a platform's rate limit. One clock for all threads of the lane."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            moment = max(self._next, time.monotonic())
            self._next = moment + self._gap
        time.sleep(max(0.0, moment - time.monotonic()))

"""Step 7: one destination's lane. Sends what is due with a few connections at once, and writes down how each fared.

A lane has one worker at a time (a lease that its heartbeat keeps). It works in waves: load, map, send, record in one
transaction; a worker that dies loses at most its wave, which the next one sends again under the same ids. Nothing is
sent, and nothing is recorded, by a worker whose lease has gone to another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from hub.connecting.batches import batches
from hub.connecting.connected import Connected
from hub.connecting.seams import TimeLimit, is_about_us, where
from hub.contract.calls import Outcome, Recipe, Record, Result
from hub.contract.connector import Batch
from hub.contract.errors import BadCredentials, DeliveryError, Gone, Refused, TryLater
from hub.deliver import breaker, returned, verdicts
from hub.deliver.attempts import row_after
from hub.deliver.outbox import Lost, OutboxItem, load
from hub.deliver.pace import Pace
from hub.deliver.retry import LONGEST_WAIT
from hub.outgoing.answers import outcome_of
from hub.outgoing.exchange import Exchange
from hub.outgoing.sender import Sender, Start
from hub.store import Store, connections, deliveries, leases, new_id, now
from hub.store.base import Values
from hub.store.deliveries import DueDelivery

log = logging.getLogger(__name__)

MakeRecord = Callable[[OutboxItem], Record | Outcome]
"""Step 6, handed in by the journey: the mapped record, or the outcome when it cannot be made."""

FIRST_WAVE, LARGEST_WAVE = 64, 512
MOST_IN_BATCHES = 5000  # records of one wave that travel in batches
QUICK, SLOW = 0.5, 2.0  # seconds a wave may take before the next is made larger, or smaller
SLOW_EACH = 0.02  # seconds a delivery may take before its lane counts as slow
MOST_AT_ONCE = 32
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
    started: set[str] = field(default_factory=set)
    limit: TimeLimit | None = None  # the job's time was up in the middle of it
    is_ours: Callable[[], bool] = lambda: True  # whether nobody else works on the same by now

    @property
    def over(self) -> bool:
        """Whether the rest stays for later: told to stop, nobody answers, the turn is up, or another worker has it."""
        silent = self.bad >= breaker.IN_A_ROW and not self.good
        return self.stop is not None or silent or time.monotonic() > self.until or not self.is_ours()

    @property
    def unanswered(self) -> list[str]:
        """What was being sent when the wave ended."""
        return [one for one in self.started if one not in self.outcomes]


class Lane:
    """One turn of work for one destination."""

    def __init__(self, store: Store, connected: Connected, make_record: MakeRecord, *, lease_seconds: int) -> None:
        self._store = store
        self._connected = connected
        self._make_record = make_record
        self._lease_seconds = lease_seconds
        self._at_once = connected.destination.limits.concurrency
        self._sender = Sender(connections=MOST_AT_ONCE)
        self._pace = Pace(connected.destination.limits.per_second)
        self._lease: leases.Held | None = None
        self.slow = False  # set by run(): its next turn belongs behind the quick lanes

    def run(self, seconds: float) -> bool:
        """Work for at most ``seconds``. False: not at all, another worker has the lane.

        Raises TimeLimit when the job's time is up, after what is known by then was recorded.
        """
        try:
            with leases.hold(self._store, f"lane:{self._connected.id}", self._lease_seconds) as lease:
                self._lease = lease
                if lease is not None:
                    self._work(time.monotonic() + seconds)
                return lease is not None
        finally:
            self._sender.close()

    def _work(self, until: float) -> None:
        batch = self._connected.destination.batch
        size = FIRST_WAVE if batch is None else min(max(batch.max_records, LARGEST_WAVE * 2), MOST_IN_BATCHES)
        while time.monotonic() < until:
            probing = breaker.is_open(self._connected.row.breaker)
            began = time.monotonic()
            with self._store.read() as tx:
                row = connections.get_connection(tx, self._connected.id)
                if row is None or row.state != connections.ACTIVE or (row.throttled_until or now()) > now():
                    return
                items = load(tx, self._connected, now(), 1 if probing else size)
            if not items:
                return
            wave = self._send(items, until)
            state = self._record(items, wave)
            if wave.limit is not None:
                raise wave.limit
            if state is None or wave.stop is not None or breaker.is_open(state):
                return
            self._connected = Connected(
                replace(row, breaker=state), self._connected.connector, self._connected.settings
            )
            took = time.monotonic() - began
            self.slow = took / len(items) > SLOW_EACH
            if self._connected.destination.batch is None:
                size = min(size * 2, LARGEST_WAVE) if took < QUICK else max(size // 2, 8) if took > SLOW else size
                self._widen(took / len(items))

    def _widen(self, seconds_each: float) -> None:
        """Slow receivers need more connections at once, quick ones are limited by the processor anyway."""
        limits = self._connected.destination.limits
        if limits.per_second is None and seconds_each * self._at_once > 0.05:
            self._at_once = min(self._at_once * 2, MOST_AT_ONCE)

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send(self, items: Sequence[OutboxItem | Lost], until: float) -> Wave:
        wave = Wave(until=until)
        if self._lease is not None:
            wave.is_ours = self._lease.is_ours
        try:
            self._send_all(items, wave)
        except TimeLimit as limit:
            wave.limit = limit
        return wave

    def _send_all(self, items: Sequence[OutboxItem | Lost], wave: Wave) -> None:
        records, judged_later = list[Record](), list[DueDelivery]()
        for item in items:
            if item.delivery.ticket and item.refusal is None:
                judged_later.append(item.delivery)
                continue
            made = item.refusal if isinstance(item, Lost) else item.refusal or self._made(item)
            if isinstance(made, Outcome):
                wave.outcomes[item.delivery.id] = self._checked(made)
            else:
                records.append(made)
        batch = self._connected.destination.batch
        if batch is None:
            self._send_singly(records, wave)
        else:
            self._send_batches(records, batch, wave)
        self._ask(judged_later, wave)

    def _made(self, item: OutboxItem) -> Record | Outcome:
        try:
            return self._make_record(item)
        except Exception as error:
            log.exception("delivery %s could not be mapped", item.delivery.id)
            return Outcome(Result.REFUSED, "internal_error", where(error))

    def _send_singly(self, records: Sequence[Record], wave: Wave) -> None:
        for ended in self._sender.run_many(self._connected, self._starts(records, wave), self._at_once):
            record_id, talk = ended.key
            told, error = (ended.result, None) if ended.error is None else self._failed(ended.error)
            self._note(wave, [record_id], told, error, talk)

    def _starts(self, records: Sequence[Record], wave: Wave) -> Iterator[Start | float]:
        """A recipe for each record, asked for as there is room for it; nothing more once the wave is over."""
        for record in records:
            while rest := self._pace.rest():
                yield rest
            if wave.over:
                return
            self._pace.take()
            wave.started.add(record.id)
            talk = Exchange()
            yield (record.id, talk), self._delivered(record), talk

    def _delivered(self, record: Record) -> Recipe:
        """The connector's recipe; what it raises before its first call counts as the recipe's too."""
        return (yield from self._connected.destination.deliver(record, self._connected.settings))

    def _send_batches(self, records: Sequence[Record], batch: Batch, wave: Wave) -> None:
        def failed(record: Record, error: Exception) -> None:
            wave.outcomes[record.id] = self._checked(self._failed(error)[0])

        for together in batches(self._connected.destination, records, self._connected.settings, failed):
            self._send_batch(together, batch, wave)

    def _send_batch(self, records: list[Record], batch: Batch, wave: Wave) -> None:
        """Send; a batch that one bad record spoils is halved until that record stands alone."""
        if not self._may_send(wave):
            return
        wave.started.update(record.id for record in records)
        talk = Exchange()
        told, error = self._try(self._connected.destination.deliver, records, talk)
        if len(records) > 1 and _is_spoiled(error, batch):
            wave.exchanges.append(self._exchange(talk, len(records)))
            middle = len(records) // 2
            self._send_batch(records[:middle], batch, wave)
            self._send_batch(records[middle:], batch, wave)
            return
        self._note(wave, [record.id for record in records], told, error, talk)

    def _ask(self, rows: Sequence[DueDelivery], wave: Wave) -> None:
        for ticket, group in verdicts.by_ticket(rows).items():
            if not self._may_send(wave):
                return
            wave.started.update(row.id for row in group)
            talk = Exchange()
            told, error = self._try(self._connected.destination.poll, ticket, talk)
            said = verdicts.verdicts_of(told or talk.verdict, error, group)
            self._note(wave, [row.id for row in group], said, error, talk)

    def _may_send(self, wave: Wave) -> bool:
        """Wait for the platform's rate limit. False: no more of this wave is sent."""
        if wave.over:
            return False
        self._pace.wait()
        return wave.is_ours()

    def _try(self, method: Callable[..., Recipe], argument: Any, talk: Exchange) -> tuple[Any, DeliveryError | None]:
        try:
            return self._sender.run(self._connected, method(argument, self._connected.settings), talk), None
        except Exception as error:  # noqa: BLE001 - becomes the verdict on these records, and is logged
            return self._failed(error)

    def _failed(self, error: Exception) -> tuple[Outcome, DeliveryError]:
        if is_about_us(error):  # it was asked for a token
            log.error("a delivery could not be sent", exc_info=error)
            ours = TryLater("The hub's own database did not answer.", detail=where(error), reason="internal_error")
            return outcome_of(ours), ours
        known = returned.as_delivery_error(error, self._connected.destination, "sending this record")
        if known is not error:
            log.error("connector %s failed", self._connected.destination.slug, exc_info=error)
        return outcome_of(known), known

    def _note(self, wave: Wave, ids: Sequence[str], told: Any, error: DeliveryError | None, talk: Exchange) -> None:
        exchange = self._exchange(talk, len(ids)) if talk.calls else None
        if exchange is not None:
            wave.exchanges.append(exchange)
        said = told or talk.verdict or Outcome(Result.DELIVERED)
        each: dict[str, Any] = said if isinstance(said, dict) else {}
        rest = Outcome(Result.DELIVERED) if isinstance(said, dict) else said
        for delivery_id in ids:
            wave.outcomes[delivery_id] = self._checked(each.get(delivery_id, rest))
            if exchange is not None:
                wave.exchange_of[delivery_id] = exchange["id"]
        if isinstance(error, TryLater) and not error.whole_connection:
            wave.bad += 1
        elif talk.calls:
            wave.good += 1
        if isinstance(error, (BadCredentials, Gone)) or (isinstance(error, TryLater) and error.whole_connection):
            wave.stop = wave.stop or error

    def _checked(self, told: Any) -> Outcome:
        return returned.checked(told, self._connected.destination)

    def _exchange(self, talk: Exchange, records: int) -> Values:
        return {
            "id": new_id(),
            "connection_id": self._connected.id,
            "at": now(),
            "milliseconds": int(talk.seconds * 1000),
            "records": records,
            "calls": talk.calls,
        }

    # -- recording -------------------------------------------------------------------------------------------------

    def _record(self, items: Sequence[OutboxItem | Lost], wave: Wave) -> breaker.State | None:
        """Write down what was found out. None: nothing was, since another worker has the lane by now."""
        at, max_age = now(), self._connected.destination.max_age
        found = [
            row_after(item, outcome, wave.exchange_of.get(item.delivery.id), max_age, at)
            for item in items
            if (outcome := wave.outcomes.get(item.delivery.id)) is not None
        ]
        state = breaker.after(self._connected.row.breaker, at, wave.good, wave.bad)
        with self._store.write() as tx:
            if self._lease is not None and not self._lease.still(tx):
                self._tell_lost(wave)
                return None
            deliveries.record(tx, at, found, wave.exchanges)
            # Behind what is due already, so that a record that takes too long each time does not keep the others waiting.
            deliveries.postpone(tx, wave.unanswered, at, "waiting")
            if state != self._connected.row.breaker:
                connections.change_connection(
                    tx, self._connected.id, at, breaker=state, throttled_until=breaker.probe_at(state)
                )
            self._stop(tx, wave.stop, at)
        return state

    def _tell_lost(self, wave: Wave) -> None:
        log.warning(
            "another worker took over the lane of %s: what became of %d sent deliveries is not recorded by this one, the "
            "other may send them again under the same ids (%s)",
            self._connected.id,
            len(wave.started),
            ", ".join(sorted(wave.started)[:20]),
        )

    def _stop(self, tx: Any, why: DeliveryError | None, at: datetime) -> None:
        if isinstance(why, TryLater):
            after = returned.seconds(why.after)
            pause = timedelta(seconds=THROTTLE if after is None else min(max(after, 0.0), LONGEST_WAIT))
            connections.change_connection(tx, self._connected.id, at, throttled_until=at + pause)
        elif why is not None:
            state = connections.OFF if isinstance(why, Gone) else connections.NEEDS_YOU
            detail = returned.words(f"{why.message} {why.detail}".strip(), 1000)
            connections.set_state(
                tx, self._connected.id, at, state, returned.reason(why.reason, type(why).reason), detail
            )


def _is_spoiled(error: DeliveryError | None, batch: Batch) -> bool:
    """Whether sending parts of the batch may get the good records through.

    A platform that sorts good from bad itself refuses a request as a whole for what is wrong with the request, and would
    refuse each part too; unless it is too long (413), or the connector gave up before it was sent.
    """
    if error is None or isinstance(error, (TryLater, BadCredentials, Gone)):
        return False
    return batch.whole_batch_fails or not isinstance(error, Refused) or error.status in (0, 413)

"""Destinations that misbehave: limits hold, nothing is given up too early, nothing is sent where it is not wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import awkward
import pytest
from awkward import AwkwardReceiver, Behavior, answering
from journey.world import World
from sqlalchemy import update

from hub.contract import Call
from hub.run import lanes, reader
from hub.steer import connections as steer
from hub.store import Store, attempts, connections, deliveries, now
from hub.store.base import Row

LIMIT = 0.6  # seconds for connecting and for each read; an answer may take twice as long in all


@pytest.fixture
def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    post = Call.post
    monkeypatch.setattr(Call, "post", lambda *args, **options: post(*args, **{**options, "timeout": LIMIT}))
    made = World(store)
    yield made
    made.close()


@pytest.fixture
def receiving() -> Iterator[Callable[..., AwkwardReceiver]]:
    made: list[AwkwardReceiver] = []

    def receive(*behaviors: Behavior) -> AwkwardReceiver:
        made.append(AwkwardReceiver(*behaviors))
        return made[-1]

    yield receive
    for receiver in made:
        receiver.close()


@pytest.mark.parametrize(
    "behavior",
    [
        awkward.silent,
        awkward.drips_headers,
        awkward.drips_body,
        awkward.stalls_in_body,
        awkward.breaks_off_in_body,
        awkward.resets,
        awkward.hangs_up,
        awkward.speaks_no_http,
    ],
    ids=lambda behavior: behavior.__name__,
)
def test_a_destination_that_does_not_answer_properly_is_tried_again(
    world: World, receiving: Callable[..., AwkwardReceiver], behavior: Behavior
) -> None:
    sale = Sale(world, receiving(behavior).url)
    began = time.monotonic()
    sale.send()
    assert time.monotonic() - began < 2 * LIMIT + 1.5
    assert sale.delivery["state"] == deliveries.WAITING
    assert sale.delivery["reason"] == "destination_not_accepting"
    assert sale.waits_for(5, tolerance=0.2)


@pytest.mark.parametrize(
    "behavior", [awkward.answers_at_length, awkward.never_ends, awkward.sends_a_gzip_bomb], ids=lambda it: it.__name__
)
def test_of_an_answer_without_measure_only_the_beginning_is_read(
    world: World, receiving: Callable[..., AwkwardReceiver], behavior: Behavior
) -> None:
    sale = Sale(world, receiving(behavior).url)
    began = time.monotonic()
    sale.send()
    assert time.monotonic() - began < 2 * LIMIT + 1.5
    assert sale.delivery["state"] == deliveries.DELIVERED
    assert len(json.dumps(sale.said)) < 30_000


def test_an_error_is_tried_again_after_five_seconds_and_then_by_the_schedule(
    world: World, receiving: Callable[..., AwkwardReceiver]
) -> None:
    receiver = receiving(answering(500), answering(500), answering(200))
    sale = Sale(world, receiver.url)
    sale.send()
    assert sale.waits_for(5, tolerance=0.2)
    sale.send()
    assert receiver.requests == 1  # not before its time
    sale.pass_time()
    sale.send()
    assert sale.waits_for(300, tolerance=0.2)
    sale.pass_time()
    sale.send()
    assert (sale.delivery["state"], sale.delivery["tries"], receiver.requests) == (deliveries.DELIVERED, 3, 3)


def test_gone_switches_the_destination_off(world: World, receiving: Callable[..., AwkwardReceiver]) -> None:
    receiver = receiving(answering(410))
    sale = Sale(world, receiver.url)
    sale.send()
    sale.send()
    assert sale.destination["state"] == connections.OFF
    assert receiver.requests == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_hold_everything_until_they_are_repaired(
    world: World, receiving: Callable[..., AwkwardReceiver], status: int
) -> None:
    receiver = receiving(answering(status), answering(200))
    sale = Sale(world, receiver.url)
    sale.send()
    sale.pass_time()
    sale.send()
    assert sale.destination["state"] == connections.NEEDS_YOU
    assert (sale.delivery["state"], receiver.requests) == (deliveries.WAITING, 1)
    with world.store.write() as tx:
        assert steer.resume(tx, now(), sale.destination["id"]) == 1
    sale.send()
    assert sale.delivery["state"] == deliveries.DELIVERED


@pytest.mark.parametrize(
    ("said", "seconds"), [("120", 120), ("Fri, 01 Jan 2100 00:00:00 GMT", 86400), ("soon", 30)], ids=lambda it: str(it)
)
def test_a_destination_that_asks_to_slow_down_is_left_alone_for_that_long(
    world: World, receiving: Callable[..., AwkwardReceiver], said: str, seconds: float
) -> None:
    receiver = receiving(answering(429, Retry_After=said), answering(200))
    sale = Sale(world, receiver.url)
    sale.send()
    sale.report(2)
    sale.send()
    assert receiver.requests == 1  # nor is anything else sent to it
    throttled = sale.destination["throttled_until"] - now()
    assert timedelta(seconds=seconds - 5) < throttled <= timedelta(seconds=seconds)
    sale.pass_time()
    sale.send()
    assert sale.delivery["state"] == deliveries.DELIVERED
    assert receiver.requests == 3


def test_a_destination_that_hangs_does_not_delay_another(
    world: World, receiving: Callable[..., AwkwardReceiver]
) -> None:
    hanging, quick = Sale(world, receiving(awkward.silent).url), receiving(answering(200))
    quick_id = world.destination("webhook", url=quick.url)
    hanging.report(2)
    reader.read_messages(world.store, world.workspace_id, 5)
    began = time.monotonic()
    lanes.deliver(world.store, quick_id, 5)
    assert time.monotonic() - began < LIMIT
    assert quick.requests >= 1


def test_after_ten_failures_in_a_row_only_a_probe_is_sent(
    world: World, receiving: Callable[..., AwkwardReceiver]
) -> None:
    receiver = receiving(answering(503))
    sale = Sale(world, receiver.url)
    for number in range(2, 41):
        sale.report(number)
    sale.send()
    tried = receiver.requests
    assert 10 <= tried < 20
    sale.send()
    assert receiver.requests == tried
    sale.pass_time()
    sale.send()
    assert receiver.requests == tried + 1
    with world.store.read() as tx:
        assert len(deliveries.waiting_of(tx, sale.destination["id"])) == 40  # nothing is dropped


class Sale:
    """A first sale that is on its way to one destination."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._address = world.source("webhook")
        self._destination_id = world.destination("webhook", url=url)
        self.report(1)
        with world.store.read() as tx:
            self._delivery_id = deliveries.waiting_of(tx, self._destination_id)[0]

    def report(self, number: int) -> None:
        sale = {"order_id": f"S-{number}", "amount": "49.99", "currency": "EUR", "email": "anna@example.com"}
        assert self._world.client.post(f"/in/{self._address}", json=sale).status_code == 200
        reader.read_messages(self._world.store, self._world.workspace_id, 5)

    def send(self) -> None:
        """A turn of the destination's lane."""
        lanes.deliver(self._world.store, self._destination_id, 5)

    def pass_time(self) -> None:
        """What waits for its time need wait no longer."""
        past, mine = now() - timedelta(seconds=1), deliveries.delivery.c.connection_id == self._destination_id
        waiting = deliveries.delivery.c.state == deliveries.WAITING
        with self._world.store.write() as tx:
            tx.execute(update(deliveries.delivery).where(mine, waiting).values(due_at=past))
            connections.change_connection(tx, self._destination_id, now(), throttled_until=past)

    def waits_for(self, seconds: float, tolerance: float) -> bool:
        """Whether its next try is due in so many seconds, give or take the share ``tolerance``."""
        left = (self.delivery["due_at"] - now()).total_seconds()
        return seconds * (1 - tolerance) - 2 < left <= seconds * (1 + tolerance)

    @property
    def delivery(self) -> Row:
        with self._world.store.read() as tx:
            row = deliveries.get(tx, self._delivery_id)
        assert row is not None
        return row

    @property
    def destination(self) -> Row:
        with self._world.store.read() as tx:
            row = connections.get_connection(tx, self._destination_id)
        assert row is not None
        return row

    @property
    def said(self) -> Any:
        """What is kept of the calls."""
        with self._world.store.read() as tx:
            return [attempt["calls"] for attempt in attempts.of_deliveries(tx, [self._delivery_id])[self._delivery_id]]

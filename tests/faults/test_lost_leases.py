"""A lane whose lease went to another worker sends nothing more, and records nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from journey.world import World
from test_at_once import report

from hub.run import lanes, reader
from hub.store import Store, deliveries, leases, new_id, now
from hub.store.base import EPOCH

SALES = 40


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()


def with_sales(world: World, number: int) -> str:
    """A destination that is to be sent this many sales; returns its id."""
    destination = world.destination("webhook", url=world.receiver.url)
    report(world, number)
    reader.read_messages(world.store, world.workspace_id, 10)
    return destination


class Noting(list[dict[str, Any]]):
    """What a receiver got; calls ``then`` for the first."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def append(self, request: dict[str, Any]) -> None:
        super().append(request)
        if len(self) == 1:
            self._then()


def end_every_lease(world: World) -> None:
    with world.store.write() as tx:
        tx.execute(leases.lease.update().values(until=EPOCH))


def test_a_worker_that_hung_and_wakes_up_sends_nothing_that_another_has_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = with_sales(world, SALES)
    make_record = lanes.make_record

    def hang(*arguments: Any) -> Any:  # between loading and sending, until another worker has done everything
        monkeypatch.setattr(lanes, "make_record", make_record)
        end_every_lease(world)
        lanes.deliver(world.store, destination, 10)
        return make_record(*arguments)

    monkeypatch.setattr(lanes, "make_record", hang)
    lanes.deliver(world.store, destination, 10)
    assert len(world.receiver.received) == SALES
    with world.store.read() as tx:
        rows = deliveries.latest(tx, world.workspace_id, limit=SALES * 2)
    assert [(row.state, row.tries) for row in rows] == [(deliveries.DELIVERED, 1)] * SALES


def test_a_worker_that_loses_its_lease_while_it_sends_stops_and_records_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    destination = with_sales(world, SALES)

    def another_takes_over() -> None:
        with world.store.write() as tx:
            tx.execute(leases.lease.update().values(owner=new_id()))

    world.receiver.received = Noting(another_takes_over)
    lanes.deliver(world.store, destination, 10)
    assert 1 <= len(world.receiver.received) <= SALES
    with world.store.read() as tx:
        rows = deliveries.latest(tx, world.workspace_id, limit=SALES * 2)
    assert {(row.state, row.tries) for row in rows} == {(deliveries.WAITING, 0)}
    assert "took over" in caplog.text


def test_a_lease_that_ran_out_while_nobody_else_wanted_it_is_kept(world: World) -> None:
    destination = with_sales(world, 3)
    world.receiver.received = Noting(lambda: end_every_lease(world))
    lanes.deliver(world.store, destination, 10)
    assert len(world.receiver.received) == 3
    with world.store.read() as tx:
        assert {row.state for row in deliveries.latest(tx, world.workspace_id)} == {deliveries.DELIVERED}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_host_whose_clock_is_wrong_takes_nothing_from_another(
    hours: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = with_sales(world, 1)
    with leases.hold(world.store, f"lane:{destination}", 15) as held:
        assert held is not None
        monkeypatch.setattr(leases, "now", lambda: now() + timedelta(hours=hours), raising=False)
        monkeypatch.setattr(lanes, "now", lambda: now() + timedelta(hours=hours))
        lanes.deliver(world.store, destination, 5)
        assert lanes.lanes_due(world.store) == []
        assert world.receiver.received == []
    with leases.hold(world.store, f"lane:{destination}", 15) as there:  # taken by the host whose clock is wrong
        assert there is not None
        monkeypatch.setattr(leases, "now", now, raising=False)
        with leases.hold(world.store, f"lane:{destination}", 15) as here:
            assert here is None

"""Many workers at the same work, and workers that are gone: nothing is done twice, nothing is asked for in circles."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from journey.world import World

from hub.run import jobs, lanes, reader
from hub.store import Store, deliveries, inbound, leases, new_id, now, orders, routes

SALES, WORKERS = 60, 6


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()
    jobs.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The jobs that jobs ask for."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "wake", lambda *job: asked.append(job))
    return asked


def report(world: World, sales: int) -> None:
    address = world.source("webhook")
    for number in range(sales):
        sale = {"order_id": f"S-{number}", "amount": "10.00", "currency": "EUR", "email": f"b{number % 7}@example.com"}
        assert world.client.post(f"/in/{address}", json=sale).status_code == 200


def test_many_workers_at_once_do_no_work_twice(world: World) -> None:
    destination = world.destination("webhook", url=world.receiver.url)
    report(world, SALES)
    together = threading.Barrier(WORKERS)

    def work() -> None:
        together.wait()
        for _ in range(8):
            reader.read_messages(world.store, world.workspace_id, 2)
            lanes.deliver(world.store, destination, 2)

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.work()
    sent = Counter(body["data"]["order_id"] for body in world.receiver.bodies())
    assert sent == {f"S-{number}": 1 for number in range(SALES)}
    with world.store.read() as tx:
        assert len(orders.latest(tx, world.workspace_id, limit=1000)) == SALES


def test_a_reader_or_lane_that_is_taken_is_not_asked_for_again(world: World, asked: list[tuple[str, ...]]) -> None:
    destination = world.destination("webhook", url=world.receiver.url)
    report(world, 1)
    with world.store.write() as tx:
        leases.take(tx, f"read:{world.workspace_id}", new_id(), 60)
    jobs.read_messages(world.workspace_id)
    assert asked == []
    with world.store.write() as tx:
        tx.execute(leases.lease.delete())
    reader.read_messages(world.store, world.workspace_id, 1)
    with world.store.write() as tx:
        leases.take(tx, f"lane:{destination}", new_id(), 60)
    jobs.deliver(destination)
    assert asked == []
    assert world.receiver.received == []


def test_the_work_of_a_worker_that_died_is_taken_over_when_its_lease_ends(world: World) -> None:
    destination = world.destination("webhook", url=world.receiver.url)
    report(world, 1)
    with world.store.write() as tx:
        leases.take(tx, f"read:{world.workspace_id}", new_id(), -2)
        leases.take(tx, f"lane:{destination}", new_id(), -2)
    world.work()
    assert len(world.receiver.received) == 1


def test_a_reader_that_lost_its_lease_books_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    report(world, 1)
    read_one = reader._read_one

    def stalled(*arguments: object) -> reader.Message:
        with world.store.write() as tx:  # meanwhile another reader took over
            tx.execute(leases.lease.update().values(owner=new_id()))
        return read_one(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(reader, "_read_one", stalled)
    reader.read_messages(world.store, world.workspace_id, 1)
    with world.store.read() as tx:
        assert len(inbound.waiting(tx, world.workspace_id, now(), 10)) == 1
        assert orders.latest(tx, world.workspace_id) == []


def test_a_failing_turn_gives_its_lease_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    report(world, 1)

    def broken(*_: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(reader, "_read_turn", broken)
    with pytest.raises(RuntimeError):
        reader.read_messages(world.store, world.workspace_id, 1)
    with world.store.write() as tx:
        assert leases.take(tx, f"read:{world.workspace_id}", new_id(), 8)


def test_a_delivery_that_lost_its_route_ends_and_does_not_keep_its_lane_busy(
    world: World, asked: list[tuple[str, ...]]
) -> None:
    destination = world.destination("webhook", url=world.receiver.url)
    report(world, 1)
    reader.read_messages(world.store, world.workspace_id, 1)
    with world.store.write() as tx:
        (waiting,) = deliveries.waiting_of(tx, destination)
        # As when a person removes the route while a reader is planning for it.
        routes.remove_route(tx, routes.routes_of(tx, world.workspace_id)[0]["id"])
    jobs.deliver(destination)
    with world.store.read() as tx:
        row = deliveries.get(tx, waiting)
    assert row is not None
    assert (row["state"], row["reason"]) == (deliveries.NOT_SENT, "route_removed")
    assert asked == []

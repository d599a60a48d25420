"""What counts as a try of the schedule, and that a person who sends again starts it anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from journey.world import World

from hub.deliver import attempts
from hub.deliver.retry import SCHEDULE
from hub.run import lanes
from hub.steer import connections as steer
from hub.steer import replay
from hub.store import Store, deliveries, now
from hub.store import attempts as stored_attempts
from hub.store.deliveries import DeliveryRow


@pytest.fixture
def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(store)
    monkeypatch.setattr("hub.deliver.retry.JITTER", 0)
    yield made
    made.close()


def sale(world: World, *answers: int) -> str:
    """A delivery that was tried as often as there are ``answers``, whatever was due when; returns its destination."""
    destination = world.destination("webhook", url=world.receiver.url)
    address = world.source("webhook")
    sent = {"order_id": "1001", "amount": "10.00", "currency": "EUR", "email": "anna@example.com"}
    assert world.client.post(f"/in/{address}", json=sent).status_code == 200
    world.receiver.answers = list(answers)
    world.work()
    for _ in answers[1:]:
        try_now(world, destination)
    return destination


def try_now(world: World, destination: str) -> None:
    """The time of the next try has come."""
    with world.store.write() as tx:
        tx.execute(deliveries.delivery.update().values(due_at=now()))
        steer.resume(tx, now(), destination)
    lanes.deliver(world.store, destination, 5)


def delivery(world: World) -> DeliveryRow:
    with world.store.read() as tx:
        (row,) = deliveries.latest(tx, world.workspace_id)
    return row


def again(world: World) -> None:
    with world.store.write() as tx:
        replay.deliveries_again(tx, now(), world.workspace_id, [delivery(world).id])


def is_due_in(world: World, seconds: float) -> bool:
    return abs(delivery(world).due_at - now() - timedelta(seconds=seconds)) < timedelta(seconds=20)


def numbers(world: World) -> list[int]:
    with world.store.read() as tx:
        return [one.number for one in stored_attempts.of_deliveries(tx, [delivery(world).id])[delivery(world).id]]


def test_refused_credentials_are_no_try(world: World) -> None:
    destination = sale(world, 401, 401, 401)
    assert delivery(world).state == deliveries.WAITING
    world.receiver.answers = [500]
    try_now(world, destination)
    assert is_due_in(world, SCHEDULE[1])  # as after the first
    world.receiver.answers = [500]
    try_now(world, destination)
    assert is_due_in(world, SCHEDULE[2])
    assert numbers(world) == [1, 2, 3, 4, 5]  # each is shown all the same


def test_sending_again_by_hand_does_not_push_the_next_try_back(world: World) -> None:
    destination = sale(world, 500, 500, 500, 500)
    assert is_due_in(world, SCHEDULE[4])
    world.receiver.answers = [500]
    again(world)
    lanes.deliver(world.store, destination, 5)
    assert is_due_in(world, SCHEDULE[1])
    assert numbers(world) == [1, 2, 3, 4, 5]


def test_sending_again_what_was_given_up_starts_the_schedule_anew(world: World) -> None:
    destination = sale(world, *[500] * len(SCHEDULE))
    assert (delivery(world).state, delivery(world).reason) == (deliveries.FAILED, "given_up")
    again(world)
    world.receiver.answers = [500] * 20
    for _ in SCHEDULE[1:]:
        try_now(world, destination)
        assert delivery(world).state == deliveries.WAITING
    try_now(world, destination)
    assert (delivery(world).state, delivery(world).reason) == (deliveries.FAILED, "given_up")
    assert numbers(world) == list(range(1, 2 * len(SCHEDULE) + 1))


def test_sending_again_while_a_try_is_under_way_starts_the_schedule_anew_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = sale(world, 500, 500, 500)
    known = attempts.row_after

    def meanwhile(*arguments: Any) -> Any:
        again(world)
        return known(*arguments)

    monkeypatch.setattr("hub.deliver.lane.row_after", meanwhile)
    world.receiver.answers = [500]
    try_now(world, destination)
    monkeypatch.undo()
    monkeypatch.setattr("hub.deliver.retry.JITTER", 0)
    world.receiver.answers = [500]
    try_now(world, destination)
    assert is_due_in(world, SCHEDULE[2])

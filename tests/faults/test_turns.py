"""A worker's turn: as long as it is at something nobody else is asked for the same, and it goes on while there is work."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
from hostile import WRONGS, installed
from journey.world import World
from redis.exceptions import RedisError
from running_hub import free_port
from test_at_once import report

from hub.contract.calls import Recipe
from hub.run import jobs, queue
from hub.run.embedded import server_binary
from hub.run.queue import ASKING, LANES, READING, Turn
from hub.settings import settings
from hub.store import Store, deliveries, inbound


@pytest.fixture(autouse=True)
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real server of this test's own."""
    port = free_port()
    words = ["--port", str(port), "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    server = subprocess.Popen([server_binary(), *words], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    settings.cache_clear()
    queue.queue.cache_clear()
    until = time.monotonic() + 10
    while not _answers():
        assert time.monotonic() < until
        time.sleep(0.02)
    yield
    for name in queue.QUEUES:
        queue.queue(name).connection.close()
    queue.queue.cache_clear()
    server.kill()
    server.wait()


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()
    jobs.close()


def test_while_a_worker_is_at_it_nobody_is_asked_for_the_same() -> None:
    turn = Turn("deliver", 10)
    turn.on("one")
    assert turn.is_on("one")
    queue.wake(LANES, "deliver", "one")
    queue.wake(LANES, "deliver", "other")
    assert queue.queue(LANES).count == 1
    turn.off("one")
    queue.wake(LANES, "deliver", "one")
    queue.wake(LANES, "deliver", "one")
    assert queue.queue(LANES).count == 2


def test_who_was_asked_before_need_not_come() -> None:
    queue.wake(LANES, "deliver", "one")
    queue.wake(READING, "read_messages", "one")
    Turn("deliver", 10).on("one")
    assert queue.queue(LANES).count == 0
    assert queue.queue(READING).count == 1


def test_the_word_of_a_worker_that_died_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ASKED", 50)
    Turn("deliver", 10).on("one")
    time.sleep(0.1)
    queue.wake(LANES, "deliver", "one")
    assert queue.queue(LANES).count == 1


def test_a_turn_ends_when_nothing_comes_or_others_wait() -> None:
    turn = Turn("deliver", 10)
    turn.on("one")
    assert turn.stay()
    queue.wake(READING, "read_messages", "one")
    assert not turn.stay()
    queue.queue(READING).empty()
    until = time.monotonic() + 5
    while turn.stay():
        assert time.monotonic() < until
    assert turn.left > 4


def test_one_turn_reads_what_comes_while_it_lasts_and_serves_every_lane(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        world.destination("webhook", url=world.receiver.url)
    report(world, 3)
    taken: list[str] = []
    rest = time.sleep

    def rested(_: float) -> None:  # while the reader rests, another worker takes the lanes, and more comes in
        taken.extend(job.args[0] for job in queue.queue(LANES).jobs)
        queue.queue(LANES).empty()
        monkeypatch.setattr(queue.time, "sleep", rest)
        report(world, 5)  # two of them new

    monkeypatch.setattr(queue.time, "sleep", rested)
    jobs.read_messages(world.workspace_id)
    assert len(taken) == 2
    queue.queue(LANES).empty()
    jobs.deliver(taken[0])
    with world.store.read() as tx:
        counts = deliveries.counts(tx, world.workspace_id)
    assert sorted(counts.values()) == [5, 5]
    assert {state for _, state in counts} == {deliveries.DELIVERED}


def test_what_has_to_be_asked_for_is_asked_by_a_job_of_its_own_and_read_after_it(world: World) -> None:
    with installed():
        address = world.source("awful")
        WRONGS["needs_fetch"] = lambda: True
        WRONGS["fetch"] = lambda: iter_of_nothing()
        world.client.post(f"/in/{address}", json={"id": "1"})
        jobs.read_messages(world.workspace_id)
        assert [job.args for job in queue.queue(ASKING).jobs] == [[world.workspace_id]]
        queue.queue(ASKING).empty()
        queue.queue(READING).empty()
        time.sleep(queue.ASKED / 1000 + 0.1)  # as if its worker had died
        jobs.sweep()
        assert [job.args for job in queue.queue(ASKING).jobs] == [[world.workspace_id]]
        jobs.ask_senders(world.workspace_id)
        assert [job.args for job in queue.queue(READING).jobs] == [[world.workspace_id]]
        jobs.read_messages(world.workspace_id)
    with world.store.read() as tx:
        assert [row.state for row in inbound.latest(tx, world.workspace_id)] == [inbound.DONE]


def iter_of_nothing() -> Recipe:
    return None
    yield


def _answers() -> bool:
    try:
        return bool(queue.connect().ping())
    except RedisError:
        return False

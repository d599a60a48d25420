"""The hub stops when it is told to, leaves nothing behind, and goes on where it was."""

from __future__ import annotations

import time

import pytest
from receivers import order_name
from running_hub import STOP, until
from scene import Scene
from sqlalchemy import select

from hub.store import connections, leases, new_id

pytestmark = pytest.mark.faults


def test_sigterm_stops_everything_in_time_and_the_next_start_delivers_what_waited(scene: Scene) -> None:
    with scene.store.write() as tx:  # as if another host were at one of the lanes, which then dies
        lane = tx.scalars(
            select(connections.connection.c.id).where(connections.connection.c.role == "destination")
        ).first()
        assert leases.take(tx, f"lane:{lane}", new_id(), 15)
    with scene.shop.reporting(300, 300):
        time.sleep(0.5)
    began = time.monotonic()
    code = scene.hub.stop()
    assert time.monotonic() - began < STOP
    assert code == 0, scene.hub.said()
    assert scene.hub.processes() == []

    waited = scene.unfinished()
    scene.hub.start()
    scene.wait_until_all_is_done(60)
    assert waited > 0
    for counts in scene.receivers.counts.values():
        assert set(counts) == {order_name(number) for number in range(300)}


def test_a_destination_that_never_answers_delays_neither_the_others_nor_the_stop(scene_on_sqlite: Scene) -> None:
    scene = scene_on_sqlite
    scene.receivers.silent.add("one")
    with scene.shop.reporting(20, 50):
        pass
    others = [scene.receivers.counts["/two"], scene.receivers.counts["/three"]]
    until(lambda: all(len(counts) == 20 for counts in others), scene.hub.soon(10), scene.hub.said)
    until(lambda: scene.receivers.held > 0, 30, scene.hub.said)
    began = time.monotonic()
    code = scene.hub.stop()
    assert time.monotonic() - began < STOP
    assert code == 0, scene.hub.said()
    assert scene.hub.processes() == []


def test_a_killed_supervisor_leaves_nothing_at_work_and_the_next_start_goes_on(scene_on_sqlite: Scene) -> None:
    scene = scene_on_sqlite
    with scene.shop.reporting(100, 100):
        pass
    scene.hub.kill_supervisor()
    until(lambda: scene.hub.processes() == [], STOP, lambda: f"{scene.hub.processes()}\n{scene.hub.said()}")
    scene.hub.start()
    scene.wait_until_all_is_done(60)
    for counts in scene.receivers.counts.values():
        assert set(counts) == {order_name(number) for number in range(100)}

"""Redis only wakes: without it messages are taken as quickly as ever, and when it is back they come out."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from receivers import Receivers, Shop, order_name
from running_hub import RunningHub, free_port, until
from scene import Scene, connect

from hub.run.embedded import server_binary
from hub.store import Store

pytestmark = pytest.mark.faults

SALES = 20
AT_ONCE = 1.0  # seconds in which a sender is answered, whatever Redis does
RECOVERY = 15.0  # seconds from the moment Redis is back to the first delivery


def test_redis_that_hangs_or_is_gone_delays_no_answer_and_loses_nothing(scene_without_redis: Scene, port: int) -> None:
    scene = scene_without_redis
    with _hanging(port):
        scene.hub.start()
        scene.shop.address = connect(scene.store, scene.receivers)
        _report_at_once(scene)
    with _redis(port):
        _comes_out(scene)
    _report_at_once(scene)
    with _redis(port):  # empty, and without anybody's subscriptions
        _comes_out(scene)
    for counts in scene.receivers.counts.values():
        assert set(counts) == {order_name(number) for number in range(2 * SALES)}


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def scene_without_redis(key: None, tmp_path: Path, port: int) -> Iterator[Scene]:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    hub = RunningHub(data, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    store, receivers = Store(f"sqlite:///{data / 'hub.db'}"), Receivers()
    try:
        yield Scene(hub, store, receivers, Shop(hub.port))
    finally:
        hub.end()
        receivers.close()
        store.close()


def _report_at_once(scene: Scene) -> None:
    with scene.shop.reporting(SALES, 20):
        pass
    assert scene.shop.given_up == set()
    assert scene.shop.slowest < AT_ONCE
    assert scene.unfinished() >= SALES


def _comes_out(scene: Scene) -> None:
    scene.receivers.mark()
    until(lambda: scene.receivers.since_mark is not None, scene.hub.soon(RECOVERY), scene.hub.said)
    scene.wait_until_all_is_done(30)


@contextmanager
def _hanging(port: int) -> Iterator[None]:
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


@contextmanager
def _redis(port: int) -> Iterator[None]:
    options = {"port": port, "save": "", "appendonly": "no", "loglevel": "warning"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen([server_binary(), *words], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()

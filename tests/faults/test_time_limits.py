"""The time limit of a job says nothing about what it was working on."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from journey.world import World
from test_turns import redis  # noqa: F401 - a fixture: a real server of this test's own

from hub.run import jobs, queue, reader, roles
from hub.run.queue import LANES
from hub.store import Store, connections, conversions, deliveries
from hub.store.deliveries import DeliveryRow

LIMIT = 1  # second


class SlowReceiver:
    """Answers at once, but for one order, for which it takes longer than a job may."""

    def __init__(self, slow: bytes) -> None:
        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if slow in body:
                    time.sleep(LIMIT * 3)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()
    jobs.close()


@pytest.mark.parametrize("others", [(), ("quick-1", "quick-2")])
def test_a_job_that_is_ended_leaves_waiting_what_was_not_answered_and_keeps_what_was(
    others: tuple[str, ...], world: World
) -> None:
    receiver = SlowReceiver(b"slow")
    destination = world.destination("webhook", url=receiver.url)
    address = world.source("webhook")
    for order in (*others[:1], "slow", *others[1:]):
        sale = {"order_id": order, "amount": "10.00", "currency": "EUR", "email": "anna@example.com"}
        assert world.client.post(f"/in/{address}", json=sale).status_code == 200
    reader.read_messages(world.store, world.workspace_id, 10)
    queue.queue(LANES).enqueue_call("hub.run.jobs.deliver", args=(destination,), timeout=LIMIT)
    work_once()
    found = fates(world)
    assert (found["slow"].state, found["slow"].tries) == (deliveries.WAITING, 0)
    assert [found[order].state for order in others] == [deliveries.DELIVERED] * len(others)
    with world.store.read() as tx:
        row = connections.get_connection(tx, destination)
    assert row is not None
    assert row.state == connections.ACTIVE
    receiver.close()


def fates(world: World) -> dict[str, DeliveryRow]:
    with world.store.read() as tx:
        sold = {row.id: row.data["order_id"] for row in conversions.latest(tx, world.workspace_id)}
        return {sold[row.conversion_id]: row for row in deliveries.latest(tx, world.workspace_id)}


def work_once() -> None:
    """A worker as the hub's own, in a process of its own, until its queue is empty."""
    worker_class = roles._worker_class()

    def work() -> None:
        from rq.serializers import JSONSerializer

        worker_class([queue.queue(LANES)], connection=queue.connect_worker(), serializer=JSONSerializer).work(
            burst=True
        )

    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0

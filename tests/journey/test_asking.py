"""What a sender has to be asked for is asked beside reading: a slow sender delays its own messages and nobody else's."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hostile import WRONGS, installed
from journey.world import World, world
from sqlalchemy import select

from hub.contract import Call, NotVerified
from hub.contract.calls import Recipe
from hub.run import asking, reader
from hub.settings import settings
from hub.store import Store, inbound, now


class Api:
    """A sender's API on this machine. ``/slow`` answers once it is let go, ``/later`` with 503, all else at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let_go = threading.Event()
        outer = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if self.path == "/slow":
                    outer.let_go.wait(20)
                try:
                    self.send_response(503 if self.path == "/later" else 200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")
                except OSError:
                    pass  # whoever asked was killed

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with installed(), world(store) as made:
        yield made


def test_another_sources_sale_is_read_at_once_while_a_slow_api_is_asked(hub: World, api: Api) -> None:
    slow, good = hub.source("awful"), hub.source("webhook", scheme="secret_address")
    post(hub, slow, "s1", ask=f"{api.url}/slow")
    post(hub, good, "g1")
    post(hub, slow, "s2", ask=f"{api.url}/slow")
    post(hub, slow, "s3")  # says all by itself
    began = time.monotonic()
    read(hub)
    assert time.monotonic() - began < 5
    assert states(hub) == {"s1": "reading", "g1": "done", "s2": "reading", "s3": "done"}
    with asker(hub):
        until(lambda: "/slow" in api.asked)
        post(hub, good, "g2")
        read(hub)
        assert states(hub) == {"s1": "reading", "g1": "done", "s2": "reading", "s3": "done", "g2": "done"}
        api.let_go.set()
    read(hub)
    assert set(states(hub).values()) == {"done"}
    assert api.asked == ["/slow", "/slow"]


def test_a_slow_sender_does_not_delay_what_another_is_asked_for(hub: World, api: Api) -> None:
    slow, quick = hub.source("awful"), hub.source("awful")
    post(hub, slow, "s1", ask=f"{api.url}/slow")
    post(hub, quick, "q1", ask=f"{api.url}/quick")
    read(hub)
    with asker(hub):
        until(lambda: states(hub)["q1"] == "received")
        post(hub, quick, "q2", ask=f"{api.url}/quick")  # and what comes while it hangs
        read(hub)
        until(lambda: states(hub)["q2"] == "received")
        assert states(hub)["s1"] == "reading"
        api.let_go.set()
    read(hub)
    assert set(states(hub).values()) == {"done"}


def test_an_asker_that_is_killed_has_lost_nothing(hub: World, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_LEASE_SECONDS", "2")
    settings.cache_clear()
    post(hub, hub.source("awful"), "s1", ask=f"{api.url}/slow")
    read(hub)
    hub.store.engine.dispose()
    child = multiprocessing.get_context("fork").Process(target=ask_in_child, args=(hub.store.url, hub.workspace_id))
    child.start()
    until(lambda: bool(api.asked))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert states(hub) == {"s1": "reading"}
    api.let_go.set()
    until(lambda: asking.may_be_asked(hub.store, hub.workspace_id))  # its lease ends by itself
    hub.work()
    assert states(hub) == {"s1": "done"}
    assert api.asked == ["/slow", "/slow"]


def test_a_sender_that_says_later_is_asked_later(hub: World, api: Api) -> None:
    post(hub, hub.source("awful"), "s1", ask=f"{api.url}/later")
    hub.work()
    [row] = kept(hub)
    assert (row["state"], row["reason"], row["tries"]) == ("reading", "destination_not_accepting", 1)
    assert row["due_at"] > now()
    assert api.asked == ["/later"]


def test_a_sender_that_never_answers_does_not_keep_the_turn(
    hub: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LAST_ANSWERS", 0.3)
    post(hub, hub.source("awful"), "s1", ask=f"{api.url}/slow")
    read(hub)
    began = time.monotonic()
    asking.ask_senders(hub.store, hub.workspace_id, 0.2)
    assert time.monotonic() - began < 5
    [row] = kept(hub)
    assert (row["state"], row["tries"]) == ("reading", 1)
    assert row["due_at"] > now()


def test_what_was_read_anew_meanwhile_is_not_overwritten(hub: World, api: Api) -> None:
    post(hub, hub.source("awful"), "s1", ask=f"{api.url}/slow")
    read(hub)
    with asker(hub):
        until(lambda: bool(api.asked))
        [row] = kept(hub)
        with hub.store.write() as tx:
            inbound.read_again(tx, hub.workspace_id, [row["id"]], now())
        api.let_go.set()
    [row] = kept(hub)
    assert (row["state"], row["fetched"]) == ("received", None)


def test_what_was_asked_once_is_not_asked_again_though_it_said_nothing(hub: World, api: Api) -> None:
    WRONGS["fetch"] = lambda: nothing(f"{api.url}/nothing")
    WRONGS["needs_fetch"] = lambda: True
    post(hub, hub.source("awful"), "s1")
    hub.work()
    assert states(hub) == {"s1": "done"}
    assert api.asked == ["/nothing"]


def test_of_many_senders_as_many_are_asked_at_once_as_there_may_be(
    hub: World, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    for number in range(4):
        post(hub, hub.source("awful"), str(number), ask=f"{api.url}/slow")
    read(hub)
    with asker(hub):
        until(lambda: len(api.asked) == 2)
        time.sleep(0.3)
        assert len(api.asked) == 2
        api.let_go.set()
    read(hub)
    assert set(states(hub).values()) == {"done"}


# -- a sender that alone can prove its messages ----------------------------------------------------------------------


def test_a_message_that_its_sender_has_to_prove_is_taken_at_once_and_proven_beside_reading(
    hub: World, api: Api
) -> None:
    WRONGS["verify"] = lambda: proven(f"{api.url}/slow")
    address = hub.source("awful")
    began = time.monotonic()
    assert post(hub, address, "s1") == 200
    assert time.monotonic() - began < 5
    assert [row["reason"] for row in kept(hub)] == ["unproven"]
    api.let_go.set()
    hub.work()
    [row] = kept(hub)
    assert (row["state"], row["trust"]) == ("done", "proven")
    assert row["event_key"]


def test_what_its_sender_does_not_prove_is_refused_and_takes_nobodys_place(hub: World, api: Api) -> None:
    address = hub.source("awful")
    WRONGS["verify"] = lambda: refused(f"{api.url}/no")
    assert post(hub, address, "s1") == 200  # forged: the same bytes as the genuine one, but signed wrong
    hub.work()
    assert [row["reason"] for row in kept(hub)] == ["signature_wrong"]
    WRONGS["verify"] = lambda: proven(f"{api.url}/yes")
    assert post(hub, address, "s1") == 200
    hub.work()
    assert sorted(row["state"] for row in kept(hub)) == ["done", "refused"]
    assert post(hub, address, "s1") == 200  # its sender sends it again
    hub.work()
    assert sorted(row["reason"] for row in kept(hub)) == ["duplicate_event", "order_added", "signature_wrong"]
    assert [row["resends"] for row in kept(hub) if row["reason"] == "order_added"] == [1]


def test_a_proof_that_cannot_be_had_yet_is_asked_for_later(hub: World, api: Api) -> None:
    WRONGS["verify"] = lambda: proven(f"{api.url}/later")
    post(hub, hub.source("awful"), "s1")
    hub.work()
    [row] = kept(hub)
    assert (row["state"], row["reason"], row["tries"]) == ("reading", "unproven", 1)


# -- what the tests look at ----------------------------------------------------------------------------------------


def nothing(url: str) -> Recipe:
    yield Call.get(url)


def proven(url: str) -> Recipe:
    yield Call.get(url)


def refused(url: str) -> Recipe:
    yield Call.get(url)
    raise NotVerified("Its sender does not know it.")


def ask_in_child(url: str, workspace_id: str) -> None:
    asking.ask_senders(Store(url), workspace_id, 20)


@contextmanager
def asker(hub: World) -> Iterator[None]:
    """Somebody asks beside the block, until what is due then is answered."""
    thread = threading.Thread(target=asking.ask_senders, args=(hub.store, hub.workspace_id, 20))
    thread.start()
    try:
        yield
    finally:
        thread.join(20)
    assert not thread.is_alive()


def read(hub: World) -> None:
    reader.read_messages(hub.store, hub.workspace_id, 10)


def post(hub: World, address: str, order: str, **fields: str) -> int:
    body = {"event": "purchase", "id": order, "order_id": order, "email": f"{order}@example.com", **fields}
    return hub.client.post(f"/in/{address}", json=body).status_code


def kept(hub: World) -> list[Any]:
    with hub.store.read() as tx:
        return list(tx.execute(select(inbound.inbound).order_by(inbound.inbound.c.id)).mappings())


def states(hub: World) -> dict[str, str]:
    return {json.loads(row["body"])["id"]: row["state"] for row in kept(hub)}


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)

"""Many recipes from one thread, over real sockets: they go on side by side, and none harms another."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from outgoing.receivers import WHOLE, Receive, answering, read_request
from rows import connection_row

from hub.connecting.connected import Connected
from hub.contract import Call, Category, Destination, Recipe
from hub.contract.calls import MOST_CALLS
from hub.contract.errors import DeliveryError, Refused, TryLater
from hub.outgoing.exchange import Exchange
from hub.outgoing.many import Ended
from hub.outgoing.sender import Sender


class Sink(Destination):
    """Takes everything."""

    slug, name, category = "sink", "Sink", Category.GENERIC


CONNECTED = Connected(connection_row("sink"), Sink(), {})


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close()


def run(sender: Sender, *recipes: Recipe, at_once: int = 4) -> dict[Any, Ended]:
    starts = ((number, recipe, Exchange()) for number, recipe in enumerate(recipes))
    return {ended.key: ended for ended in sender.run_many(CONNECTED, starts, at_once)}


def post(url: str, times: int = 1, **rest: Any) -> Recipe:
    reply = None
    for _ in range(times):
        reply = yield Call.post(url, json={}, **rest)
    return reply.body if reply else None


def echo(line: socket.socket) -> None:
    while read_request(line):
        line.sendall(WHOLE)


def test_they_are_on_their_way_at_the_same_time(sender: Sender, receive: Receive) -> None:
    together = threading.Barrier(4)

    def behave(line: socket.socket) -> None:
        while read_request(line):
            together.wait(10)
            line.sendall(WHOLE)

    receiver = receive(behave)
    found = run(sender, *[post(receiver.url, 2) for _ in range(8)])
    assert [(ended.result, ended.error) for _, ended in sorted(found.items())] == [(b"{}", None)] * 8
    assert receiver.connections == 4


def test_no_more_than_asked_for_are_on_their_way(sender: Sender, receive: Receive) -> None:
    now, most = [0], [0]

    def behave(line: socket.socket) -> None:
        while read_request(line):
            now[0] += 1
            most[0] = max(most[0], now[0])
            time.sleep(0.02)
            now[0] -= 1
            line.sendall(WHOLE)

    receiver = receive(behave)
    assert len(run(sender, *[post(receiver.url) for _ in range(9)], at_once=3)) == 9
    assert most[0] <= 3


def test_what_one_recipe_raises_is_its_own(sender: Sender, receive: Receive) -> None:
    def broken(url: str) -> Recipe:
        yield Call.post(url)
        raise KeyError("sku")

    def never() -> Recipe:
        raise ValueError("at once")
        yield Call.post("")

    def patient(url: str) -> Recipe:
        try:
            yield Call.post("http://127.0.0.1:1/")
        except DeliveryError as error:
            yield Call.post(url)
            return error

    url = receive(echo).url
    found = run(sender, broken(url), never(), patient(url), post(url), post("http://10.0.0.1/"), post("ftp://a/"))
    assert [type(found[number].error) for number in range(6)] == [
        KeyError,
        ValueError,
        type(None),
        type(None),
        Refused,
        Refused,
    ]
    assert isinstance(found[2].result, TryLater)
    assert found[3].result == b"{}"


def test_what_was_said_is_written_down_for_each(sender: Sender, receive: Receive) -> None:
    url = receive(echo).url
    exchanges = [Exchange() for _ in range(3)]
    recipes = [post(url), post("http://127.0.0.1:1/"), post(url, 2)]
    ended = list(sender.run_many(CONNECTED, list(zip("abc", recipes, exchanges, strict=True)), 3))
    assert {one.key for one in ended} == set("abc")
    assert [len(exchange.calls) for exchange in exchanges] == [1, 1, 2]
    assert exchanges[0].calls[0]["reply"]["status"] == 200
    assert "cannot be reached" in exchanges[1].calls[0]["error"]
    assert all(exchange.seconds > 0 for exchange in exchanges)


@pytest.mark.parametrize("way", ["alone", "many"])
def test_a_recipe_without_an_end_is_ended(sender: Sender, receive: Receive, way: str) -> None:
    """By the same number of calls as in a rehearsal."""
    ended: list[bool] = []

    def endless(url: str) -> Recipe:
        try:
            while True:
                yield Call.post(url)
        finally:
            ended.append(True)

    asked: list[bytes] = []
    receiver = receive(answering(*[WHOLE] * (MOST_CALLS + 50), asked=asked))
    if way == "many":
        error: Any = run(sender, endless(receiver.url))[0].error
    else:
        with pytest.raises(Refused) as caught:
            sender.run(CONNECTED, endless(receiver.url))
        error = caught.value
    assert (type(error), error.reason) == (Refused, "connector_broken")
    assert str(MOST_CALLS) in error.message
    assert (len(asked), ended) == (MOST_CALLS, [True])


def test_a_pause_holds_up_new_ones_and_no_others(sender: Sender, receive: Receive) -> None:
    url, began = receive(echo).url, time.monotonic()

    def starts() -> Iterator[Any]:
        yield "first", post(url), Exchange()
        yield 0.3
        yield "second", post(url), Exchange()

    ends = {ended.key: time.monotonic() - began for ended in sender.run_many(CONNECTED, starts(), 4)}
    assert ends["first"] < 0.25
    assert 0.3 <= ends["second"] < 1


def test_who_stops_listening_breaks_off_what_is_on_its_way(sender: Sender, receive: Receive) -> None:
    gone = threading.Event()

    def behave(line: socket.socket) -> None:
        if b"quick" in read_request(line):
            line.sendall(WHOLE)
        elif not line.recv(1):
            gone.set()

    url = receive(behave).url
    starts = [(path, post(f"{url}{path}"), Exchange()) for path in ("slow", "quick")]
    for ended in (running := sender.run_many(CONNECTED, starts, 2)):
        assert ended.key == "quick"
        break
    running.close()  # type: ignore[attr-defined]  # a generator
    assert gone.wait(5)
    assert run(sender, post(receive(echo).url))[0].result == b"{}"


def test_slow_work_beside_holds_up_nobody(sender: Sender, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a token is to be renewed."""
    url = receive(echo).url
    prepare: Callable[..., Any] = __import__("hub.outgoing.many", fromlist=["prepare"]).prepare

    def slowly(call: Call, *rest: Any) -> Any:
        if call.url.endswith("slow"):
            time.sleep(0.5)
        return prepare(call, *rest)

    monkeypatch.setattr("hub.outgoing.many.prepare", slowly)
    monkeypatch.setattr("hub.outgoing.many.needs_no_waiting", lambda _auth, call, _connected: "slow" not in call.url)
    order = []
    starts = [("slow", post(f"{url}slow"), Exchange()), *((n, post(url, 3), Exchange()) for n in range(5))]
    for ended in sender.run_many(CONNECTED, starts, 3):
        assert ended.error is None
        order.append(ended.key)
    assert order[-1] == "slow"
    assert len(order) == 6

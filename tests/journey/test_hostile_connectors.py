"""Every seam at which a connector is called, with a connector that does wrong there, and healthy ones beside it.

Whatever it does is a verdict with a reason, for that message, record or connection alone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hostile import WRONGS, installed
from hostile.awful.source import sale
from journey.world import World, world
from marshmallow import ValidationError
from sqlalchemy import select

from hub.connecting import seams
from hub.connecting.registry import registry
from hub.connecting.seams import TimeLimit
from hub.contract import HubError, Inbound, NotVerified, Reply, TryLater
from hub.contract.errors import ConfigError, DeliveryError
from hub.contract.inbound import Headers
from hub.contract.reasons import REASONS
from hub.demo import sample_sale
from hub.run import jobs, reader
from hub.steer import connections as steer
from hub.store import Store, connections, deliveries, inbound, now


class Strange(BaseException):
    """No Exception, and not one anybody knows."""


class Forgetful(HubError):
    """Does not say what happened."""

    def __init__(self) -> None:
        Exception.__init__(self)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def raising(error: BaseException) -> Callable[[], Any]:
    def wrong() -> Any:
        raise error

    return wrong


def too_deep() -> Any:
    gc.disable()  # what it would let go of down there has no stack left to be told
    try:
        return too_deep()
    finally:
        gc.enable()


def endless() -> Any:
    while True:
        with suppress(Exception):  # it keeps whatever it can
            [number * number for number in range(1000)]


RAISED: dict[str, Callable[[], Any]] = {
    "KeyError": raising(KeyError("order")),
    "SystemExit": raising(SystemExit(3)),
    "RecursionError": too_deep,
    "MemoryError": raising(MemoryError()),
    "StopIteration": raising(StopIteration(5)),
    "CancelledError": raising(asyncio.CancelledError()),
    "a BaseException": raising(Strange("who knows")),
    "GeneratorExit": raising(GeneratorExit()),
    "ConfigError": raising(ConfigError("the start stops")),
    "ValidationError": raising(ValidationError("no")),
    "an error without words": raising(Forgetful()),
    "an error that cannot be read": raising(Unspeakable()),
    "a reason nobody knows": raising(HubError("no", reason="made_up")),
    "a wait that is none": raising(TryLater("later", after=float("nan"))),
    "the wrong error": raising(NotVerified("here?")),
}
WRONG_RECIPES: dict[str, Callable[[], Any]] = {
    "a list": lambda: [1, 2],
    "a number": lambda: 7,
    "a recipe of no calls": lambda: (one for one in ("GET", "https://example.com")),
}
WRONG_MESSAGES: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "a number": lambda: 7,
    "endless": endless,
    "endlessly many": lambda: (object() for _ in iter(int, 1)),
}
NAIVELY = ("KeyError", "RecursionError")
SEAMS = {
    "upgrade_settings": RAISED | {"None": lambda: None, "a list": lambda: [1]},
    "handshake": RAISED | {"a number": lambda: 7, "no status": lambda: Reply(7, Headers())},
    "verify": RAISED | WRONG_RECIPES,
    "needs_fetch": RAISED | {"endless": endless},
    "fetch": RAISED | WRONG_RECIPES | {"None": lambda: None},
    "normalize": RAISED | WRONG_MESSAGES,
}


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no database has a part in these


@pytest.fixture
def hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(seams, "LONGEST_THOUGHT", 0.2)
    with installed(), world(store) as made:
        yield made


@ON_SQLITE
@pytest.mark.parametrize(("method", "wrong"), [(seam, wrong) for seam, wrongs in SEAMS.items() for wrong in wrongs])
def test_a_source_that_does_wrong_is_nobody_elses_trouble(hub: World, method: str, wrong: str) -> None:
    hub.destination("webhook", url=hub.receiver.url)
    good, bad = hub.source("webhook", scheme="secret_address"), hub.connect("awful", "source")
    if method == "upgrade_settings":
        with hub.store.write() as tx:
            connections.change_connection(tx, bad.id, now(), settings_version=0)
    if method == "fetch":
        WRONGS["needs_fetch"] = lambda: True
    WRONGS[method] = SEAMS[method][wrong]
    post(hub, bad.address, "bad-1")
    assert post(hub, good, "good-1") == 200
    post(hub, bad.address, "bad-2")
    assert post(hub, good, "good-2") == 200
    hub.work()
    if method == "handshake" and wrong in NAIVELY:  # not a set-up call, so an ordinary message
        assert arrived(hub) == {"good-1", "good-2", "bad-1", "bad-2"}
        return
    assert arrived(hub) == {"good-1", "good-2"}
    for row in kept(hub):
        if row["connection_id"] == bad.id:
            assert row["state"] in (inbound.PARKED, inbound.REFUSED, inbound.RECEIVED, inbound.READING), row["reason"]
            assert row["reason"] in REASONS
            assert row["reason"] != "internal_error"
        else:
            assert row["state"] == inbound.DONE


def test_one_message_that_is_read_wrong_leaves_the_others_of_its_source_alone(hub: World) -> None:
    hub.destination("webhook", url=hub.receiver.url)
    address = hub.source("awful")

    for order in ("1", "2", "3"):
        assert post(hub, address, order) == 200
    from hostile.awful.source import Awful

    def normalize(_self: Awful, message: Inbound, _settings: Any) -> Any:
        if message.json()["id"] == "2":
            raise SystemExit(1)
        return [sale(message)]

    before, Awful.normalize = Awful.normalize, normalize  # type: ignore[method-assign]
    type(registry().source("awful")).normalize = normalize  # type: ignore[method-assign]
    try:
        hub.work()
    finally:
        Awful.normalize = before  # type: ignore[method-assign]
        type(registry().source("awful")).normalize = before  # type: ignore[method-assign]
    assert {json.loads(row["body"])["id"]: row["reason"] for row in kept(hub)} == {
        "1": "order_added",
        "2": "connector_broken",
        "3": "order_added",
    }


@ON_SQLITE
@pytest.mark.parametrize(
    "fields",
    [
        {"items": [None]},
        {"items": 5},
        {"contact": None},
        {"campaigns": {}},
        {"value": 9.99},
        {"occurred_at": "today"},
        {"stage": "bought"},
        {"extra": {"what": {1}}},
        {"order_aliases": [b"1"]},
        {"consent": None},
        {"context": "here"},
        {"flags": None},
        {"event_id": None},
    ],
    ids=str,
)
def test_a_conversion_with_wrong_fields_is_set_aside_with_the_reason(hub: World, fields: dict[str, Any]) -> None:
    hub.destination("webhook", url=hub.receiver.url)
    address, good = hub.source("awful"), hub.source("webhook", scheme="secret_address")
    assert post(hub, address, "bad") == post(hub, good, "good") == 200

    message = Inbound(b'{"id": "bad"}', Headers(), now())
    WRONGS["normalize"] = lambda: [sale(message, **fields)]
    hub.work()
    assert arrived(hub) == {"good"}
    assert {row["reason"] for row in kept(hub)} == {"order_added", "not_understood"}


@ON_SQLITE
@pytest.mark.parametrize("wrong", RAISED)
@pytest.mark.parametrize("ask", [steer.check, steer.prepare, steer.discover], ids=lambda ask: str(ask.__name__))
def test_what_people_ask_of_a_connector_ends_in_words(hub: World, ask: Any, wrong: str) -> None:
    made = hub.connect("awful", "destination", url=hub.receiver.url)
    with hub.store.read() as tx:
        connected = steer.opened(tx, made.id)
    WRONGS[ask.__name__] = RAISED[wrong]
    with pytest.raises((HubError, DeliveryError)) as said:
        ask(connected)
    assert said.value.reason in REASONS
    assert said.value.message


@ON_SQLITE
@pytest.mark.parametrize("wrong", WRONG_RECIPES)
def test_a_recipe_that_is_none_ends_in_words(hub: World, wrong: str) -> None:
    made = hub.connect("awful", "destination", url=hub.receiver.url)
    with hub.store.read() as tx:
        connected = steer.opened(tx, made.id)
    WRONGS["discover"] = WRONG_RECIPES[wrong]
    with pytest.raises(HubError) as said:
        steer.discover(connected)
    assert said.value.reason == "connector_broken"


# -- a connector that is gone --------------------------------------------------------------------------------------


def test_a_route_to_a_connector_that_is_gone_holds_up_nobody_and_goes_on_when_it_is_back(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = hub.destination("awful", url=f"{hub.receiver.url}/awful")
    hub.destination("webhook", url=hub.receiver.url)
    address = hub.source("webhook", scheme="secret_address")
    registry.cache_clear()  # somebody removed the package, and restarted

    post(hub, address, "1")
    hub.work()
    assert arrived(hub) == {"1"}
    assert [row["state"] for row in kept(hub)] == [inbound.DONE]
    assert waiting_for(hub, gone) == [("waiting", "connector_unusable")]
    assert standing(hub, gone) == (connections.NEEDS_YOU, "connector_unusable")

    sweep(hub, monkeypatch)
    assert standing(hub, gone) == (connections.NEEDS_YOU, "connector_unusable")
    with installed():
        sweep(hub, monkeypatch)
        hub.work()
    assert standing(hub, gone) == (connections.ACTIVE, "")
    assert waiting_for(hub, gone) == [("delivered", "delivered")]
    assert [one["path"] for one in hub.receiver.received].count("/awful") == 1


def test_a_connector_that_is_set_aside_as_broken_holds_up_nobody(hub: World) -> None:
    broken = hub.destination("awful", url=hub.receiver.url)
    hub.destination("webhook", url=hub.receiver.url)
    address = hub.source("webhook", scheme="secret_address")
    registry()._folders["awful"]._loaded["destination"] = "SyntaxError: invalid syntax"
    post(hub, address, "1")
    hub.work()
    assert arrived(hub) == {"1"}
    assert waiting_for(hub, broken) == [("waiting", "connector_unusable")]


def test_what_cannot_be_sent_as_a_test_for_sure_is_not_planned_for_one_that_is_gone(hub: World) -> None:
    gone = hub.destination("awful", url=hub.receiver.url)
    with hub.store.read() as tx:
        source = connections.get_connection(tx, hub.connect("webhook", "source", scheme="secret_address").id)
    registry.cache_clear()
    sample_sale_mark(hub, source)
    hub.work()
    assert waiting_for(hub, gone) == [("not_sent", "test_not_sent")]


def test_messages_of_a_source_that_is_gone_are_set_aside_and_read_when_it_is_back(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.destination("webhook", url=hub.receiver.url)
    gone, good = hub.connect("awful", "source"), hub.source("webhook", scheme="secret_address")
    assert post(hub, gone.address, "1") == 200
    registry.cache_clear()
    assert post(hub, good, "2") == 200
    hub.work()
    assert arrived(hub) == {"2"}
    assert {row["reason"] for row in kept(hub) if row["connection_id"] == gone.id} == {"connector_unusable"}
    assert standing(hub, gone.id) == (connections.NEEDS_YOU, "connector_unusable")
    with installed():
        sweep(hub, monkeypatch)
        hub.work()
        assert post(hub, gone.address, "3") == 200
        hub.work()
    assert arrived(hub) == {"1", "2", "3"}


def test_secrets_under_another_key_are_the_trouble_of_that_connection_alone(hub: World) -> None:
    sealed = hub.destination("awful", url=hub.receiver.url)
    hub.destination("webhook", url=hub.receiver.url)
    address = hub.source("webhook", scheme="secret_address")
    with hub.store.write() as tx:
        connections.change_connection(tx, sealed, now(), secrets=b"of another installation")
    post(hub, address, "1")
    hub.work()
    assert arrived(hub) == {"1"}
    assert standing(hub, sealed) == (connections.NEEDS_YOU, "connector_unusable")


# -- time ----------------------------------------------------------------------------------------------------------


def test_the_jobs_time_limit_is_no_verdict_and_the_message_is_not_the_first_again(hub: World) -> None:
    hub.destination("webhook", url=hub.receiver.url)
    bad, good = hub.source("awful"), hub.source("webhook", scheme="secret_address")
    post(hub, bad, "bad")
    post(hub, good, "good")
    WRONGS["normalize"] = lambda: time.sleep(30)  # it waits, so the processor's time does not run
    with job_of(1), pytest.raises(TimeLimit):
        reader.read_messages(hub.store, hub.workspace_id, 10)
    rows = {json.loads(row["body"])["id"]: row for row in kept(hub)}
    assert {name: row["state"] for name, row in rows.items()} == {"bad": inbound.RECEIVED, "good": inbound.RECEIVED}
    assert rows["bad"]["due_at"] > now()
    assert rows["bad"]["tries"] == 1
    with job_of(5):
        hub.work()
    assert arrived(hub) == {"good"}


# -- what the tests look at ----------------------------------------------------------------------------------------


class job_of:  # noqa: N801 - reads like a word
    """The time limit of a job, as RQ's worker sets it."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        def ring(*_: Any) -> None:
            raise TimeLimit

        self._before = signal.signal(signal.SIGALRM, ring)
        signal.alarm(self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, self._before)


def post(hub: World, address: str, order: str) -> int:
    body = {"event": "purchase", "id": order, "order_id": order, "email": f"{order}@example.com"}
    return hub.client.post(f"/in/{address}", json=body).status_code


def sample_sale_mark(hub: World, source: Any) -> None:
    body = {"event": "purchase", "id": "t1", "order_id": "t1", "email": "t1@example.com"}
    answer = hub.client.post(f"/in/{source.address}", json=body, environ_overrides={inbound.TEST_SALE: "mark"})
    assert answer.status_code == 200
    assert sample_sale.FEWEST_DIGITS


def arrived(hub: World) -> set[str]:
    """The orders that the healthy destination was told of."""
    return {body["data"]["order_id"] for body in hub.receiver.bodies() if "data" in body}


def kept(hub: World) -> list[Any]:
    with hub.store.read() as tx:
        return list(tx.execute(select(inbound.inbound)).mappings())


def waiting_for(hub: World, connection_id: str) -> list[tuple[str, str]]:
    with hub.store.read() as tx:
        mine = select(deliveries.delivery).where(deliveries.delivery.c.connection_id == connection_id)
        return [(row["state"], row["reason"]) for row in tx.execute(mine).mappings()]


def standing(hub: World, connection_id: str) -> tuple[str, str]:
    with hub.store.read() as tx:
        row = connections.get_connection(tx, connection_id)
    assert row is not None
    return row.state, row.state_reason


def sweep(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "_store", lambda: hub.store)
        patched.setattr(jobs, "wake", lambda *_: True)
        jobs.sweep()

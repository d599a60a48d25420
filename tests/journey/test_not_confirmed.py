"""A commit that takes longer than a sender waits: it is told "not confirmed", and its resend counts once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from journey.world import World, world
from sqlalchemy import func, select

from hub import receive
from hub.receive import Receiver
from hub.store import Store, conversions, inbound

VIEW = "/v1/conversion/pixel/1?event=view_content"  # nobody and no order, so nothing else makes one of two
SALE = "/v1/conversion/pixel/1?orderId=7&email=anna@example.com&amount=9&currency=EUR"


@pytest.fixture
def hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(receive, "PATIENCE", 0.3)
    with world(store) as made:
        made.source("pixel")
        yield made


@contextmanager
def slow_commits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is written until the block ends."""
    go_on = threading.Event()
    write = Receiver._write

    def slowly(self: Receiver, batch: list[Any]) -> None:
        go_on.wait(10)
        write(self, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Receiver, "_write", slowly)
        yield
        go_on.set()


@pytest.mark.parametrize(("address", "found"), [(VIEW, 0), (SALE, 1)])
def test_a_hit_that_could_not_be_confirmed_and_its_resend_are_one(
    hub: World, monkeypatch: pytest.MonkeyPatch, address: str, found: int
) -> None:
    with slow_commits(monkeypatch):
        first = hub.client.get(address)
        again = hub.client.get(address)  # its sender does not give up, nor does the database hurry
    assert (first.status_code, first.headers["X-Hub-Result"]) == (503, "not_confirmed")
    assert (again.status_code, again.headers["X-Hub-Result"]) == (503, "not_confirmed")
    last = hub.client.get(address)
    assert (last.status_code, last.headers["X-Hub-Result"]) == (200, "recorded")
    hub.work()
    assert counted(hub) == (1, found)
    assert hub.client.get(address).status_code == 200  # from here on the page was opened again
    hub.work()
    assert counted(hub)[0] == 2


def test_the_hit_of_another_visitor_is_no_resend(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with slow_commits(monkeypatch):
        assert hub.client.get(VIEW, headers={"User-Agent": "one"}).status_code == 503
    assert hub.client.get(VIEW, headers={"User-Agent": "two"}).status_code == 200
    assert counted(hub)[0] == 2


def test_a_webhook_without_an_event_id_counts_once(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    address = hub.source("webhook", scheme="secret_address")
    body = {"event": "purchase", "email": "anna@example.com", "amount": "9.00", "currency": "EUR"}
    with slow_commits(monkeypatch):
        first = hub.client.post(f"/in/{address}", json=body)
    assert first.status_code == 503
    assert first.json["error"]["reason"] == "not_confirmed"
    assert "not confirmed" in first.json["error"]["message"]
    assert "Retry-After" in first.headers
    again = hub.client.post(f"/in/{address}", json=body)
    assert (again.status_code, again.json["resend"]) == (200, True)
    hub.work()
    assert counted(hub) == (1, 1)


def test_what_could_not_be_written_is_kept_when_it_comes_again(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with slow_commits(monkeypatch):
        assert hub.client.get(VIEW).headers["X-Hub-Result"] == "not_confirmed"
        monkeypatch.setattr(receive, "_keep_new", no_disk)
    answer = hub.client.get(VIEW)
    assert (answer.status_code, answer.headers["X-Hub-Result"]) == (503, "not_recorded")
    monkeypatch.undo()
    assert hub.client.get(VIEW).status_code == 200
    assert counted(hub)[0] == 1


def no_disk(*_: Any) -> Any:
    raise OSError("no space left on device")


def counted(hub: World) -> tuple[int, int]:
    """Messages, and conversions."""
    with hub.store.read() as tx:
        messages = tx.scalar(select(func.count()).select_from(inbound.inbound))
        found = tx.scalar(select(func.count()).select_from(conversions.conversion))
    return int(messages or 0), int(found or 0)

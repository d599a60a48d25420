"""Every destination that takes batches, sent to through the real lane and sender by way of a local receiver."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_plus

import pytest
from rows import connection_row

from hub.connecting.connected import Connected
from hub.connecting.registry import registry
from hub.contract import Conversion, Destination, MailServer, Outcome, Record, Reply
from hub.deliver.lane import Lane, Wave
from hub.mapping.facts import facts
from hub.mapping.record import make_record
from hub.mapping.rules import compile_mapping
from hub.outgoing import prepared
from hub.outgoing.adapter import GuardedAdapter
from hub.testing.destination_checks import SENT
from hub.testing.samples import Outgoing
from hub.testing.subject import subject

MANY = 1000
BAD = 617
MARK = re.compile(r"[0-9a-f]{64}|\b[eo]-[0-9]{4}|person-[0-9]{4}@example\.com")
BATCHED = [
    slug
    for slug in registry().slugs()
    if "destination" in registry().roles(slug)
    and not registry().entry(slug).broken
    and registry().destination(slug).batch is not None
    and not isinstance(registry().destination(slug).auth, MailServer)
]
WHOLE = [slug for slug in BATCHED if (batch := registry().destination(slug).batch) and batch.whole_batch_fails]


class Receiver:
    """A platform on this machine: keeps what it is asked, refuses what ``refuses`` says, answers the rest with 2xx."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.refuses: Callable[[str], bool] = lambda body: False
        self.replies: list[Reply] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                self.answer(receiver.take(unquote_plus(body)))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any  # noqa: N815 - http.server's names

            def answer(self, reply: tuple[int, bytes]) -> None:
                self.send_response(reply[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply[1])))
                self.end_headers()
                self.wfile.write(reply[1])

            def log_message(self, *args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, body: str) -> tuple[int, bytes]:
        position = len(self.bodies)
        self.bodies.append(body)
        if self.refuses(body):
            return 400, b"{}"
        reply = self.replies[position % len(self.replies)] if self.replies else Reply(200, None, b"{}")  # type: ignore[arg-type]  # what this test does not look at
        return reply.status, reply.body

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def receiver(one_receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """The receiver stands in for every host; nothing else of the sender is changed, save tokens that it would fetch."""

    send = GuardedAdapter.send

    def send_here(self: Any, request: Any, **rest: Any) -> Any:
        path = request.url.split("/", 3)[3] if request.url.count("/") > 2 else ""
        request.url = f"http://127.0.0.1:{one_receiver.port}/{path}"
        return send(self, request, **rest)

    monkeypatch.setattr(GuardedAdapter, "send", send_here)
    monkeypatch.setattr("hub.outgoing.guard.is_public", lambda address: True)
    monkeypatch.setattr(prepared, "authorize", lambda *call: None)
    monkeypatch.setattr(prepared, "check_url", lambda *call: None)
    monkeypatch.setattr("hub.deliver.pace.Pace.wait", lambda pace: None)
    one_receiver.bodies.clear()
    one_receiver.replies = []
    one_receiver.refuses = lambda body: False
    return one_receiver


def sample(slug: str) -> Outgoing:
    """Its sample of one purchase, else its first."""
    every = subject(slug).outgoing
    return next((each for each in every if each.name == "purchase"), every[0])


@cache
def records(slug: str, number: int) -> list[Record]:
    """``number`` different people, who each bought the sample."""
    destination, conversion = registry().destination(slug), sample(slug).conversions[0]
    mapping = compile_mapping(
        destination.default_mapping, {field.key for field in destination.fields if field.required}
    )
    made = []
    for each in range(number):
        person = (conversion.get("contact") or {}) | {"email": email(each), "external_id": f"u-{each:04}"}
        given = {**conversion, "event_id": f"e-{each:04}", "order_id": f"o-{each:04}", "contact": person}
        data = facts(
            Conversion.from_dict(given).to_dict(), given["event_id"], given.get("order"), given.get("customer")
        )
        made.append(make_record(mapping, data, given["event_id"])[0])
    return made


def email(number: int) -> str:
    return f"person-{number:04}@example.com"


def send(slug: str, batch: list[Record]) -> Wave:
    """One wave of the lane."""
    settings = subject(slug).settings("destination")
    row = connection_row(f"c-{slug}", connector=slug)
    connected = Connected(row, registry().destination(slug), settings)
    by_id = {record.id: record for record in batch}
    lane = Lane(None, connected, lambda parcel: by_id[parcel.delivery.id], lease_seconds=60)  # type: ignore[arg-type]  # what this test does not look at
    parcels: Any = [
        SimpleNamespace(delivery=SimpleNamespace(id=record.id, ticket=None), refusal=None) for record in batch
    ]
    try:
        return lane._send(parcels, time.monotonic() + 60)
    finally:
        lane._sender.close()


def fewest(destination: Destination, calls_for_one: int) -> int:
    assert destination.batch is not None
    return math.ceil(MANY / destination.batch.max_records) * calls_for_one


@pytest.mark.parametrize("slug", BATCHED)
def test_a_thousand_conversions_take_the_fewest_requests_that_the_platform_allows(
    slug: str, receiver: Receiver
) -> None:
    receiver.replies = sample(slug).replies
    send(slug, records(slug, 1))
    calls_for_one = len(receiver.bodies)
    receiver.bodies.clear()
    wave = send(slug, records(slug, MANY))
    assert len(receiver.bodies) <= fewest(registry().destination(slug), calls_for_one)
    assert len(wave.outcomes) == MANY
    if not receiver.replies:  # a scripted answer speaks of one record only
        ends = {outcome.result for outcome in wave.outcomes.values()}
        assert ends <= SENT, ends
    found = set(MARK.findall(" ".join(receiver.bodies)))
    left_out = [each for each in range(MANY) if found.isdisjoint(marks(each))]
    assert not left_out


@pytest.mark.parametrize("slug", WHOLE)
def test_one_bad_record_never_sinks_the_others(slug: str, receiver: Receiver) -> None:
    if sample(slug).replies:
        pytest.skip("its answers name the record: its own test says it")
    send(slug, records(slug, 1))
    calls_for_one = len(receiver.bodies)
    receiver.bodies.clear()
    receiver.refuses = lambda body: any(mark in body for mark in marks(BAD))
    wave = send(slug, records(slug, MANY))
    bad: Outcome = wave.outcomes.pop(f"e-{BAD:04}")
    assert bad.result not in SENT
    assert {outcome.result for outcome in wave.outcomes.values()} <= SENT
    batch = registry().destination(slug).batch
    assert batch is not None
    halvings = 2 * math.ceil(math.log2(min(MANY, batch.max_records)))
    assert len(receiver.bodies) <= (math.ceil(MANY / batch.max_records) + halvings) * calls_for_one


def marks(number: int) -> list[str]:
    """By what a record is known in a body, whatever the platform keeps of it."""
    return [f"e-{number:04}", f"o-{number:04}", email(number), sha256(email(number).encode()).hexdigest()]

"""Answers that are kept, in a real Redis: found by the same call alone, by every worker, for a while."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from outgoing.receivers import WHOLE, Receive, answering
from redis import Redis
from responses.matchers import query_param_matcher
from rows import connection_row

from hub.connecting.connected import Connected
from hub.connecting.registry import registry
from hub.contract import Call, Category, Destination, Headers, Recipe, Reply
from hub.contract.auth import Bearer
from hub.outgoing import reply_cache
from hub.outgoing.sender import Sender
from hub.run.embedded import server_binary
from hub.settings import settings


@pytest.fixture(scope="module")
def redis_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="hub-redis-") as folder:
        path = Path(folder) / "s"
        words = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--loglevel", "warning"]
        server = subprocess.Popen([server_binary(), *words], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not path.exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        yield f"unix://{path}"
        server.kill()
        server.wait()


@pytest.fixture
def redis(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    monkeypatch.setenv("REDIS_URL", redis_server)
    settings.cache_clear()
    reply_cache.forget_here()
    client = Redis.from_url(redis_server)
    client.flushall()
    yield client
    client.close()
    reply_cache._redis().close()
    reply_cache._client.cache_clear()
    reply_cache.forget_here()


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close()


class Asking(Destination):
    """Asks for what it is told to."""

    slug, name, category, auth = "asking", "Asking", Category.GENERIC, Bearer("token")


def asking(connection_id: str = "one", token: str = "first-token") -> Connected:
    return Connected(connection_row(connection_id), Asking(), {"token": token})


def ask(sender: Sender, call: Call, connected: Connected | None = None) -> Any:
    def recipe() -> Recipe:
        return (yield call)

    return sender.run(connected or asking(), recipe())


PAGES: dict[str, tuple[str, list[tuple[dict[str, str], dict[str, Any]]]]] = {
    "mailerlite": (
        "https://connect.mailerlite.com/api/fields",
        [
            (
                {"limit": "100", "page": str(page)},
                {
                    "data": [{"key": f"field_{page}", "name": f"Field {page}", "type": "text"}],
                    "meta": {"current_page": page, "last_page": 2},
                },
            )
            for page in (1, 2)
        ],
    ),
    "kit": (
        "https://api.kit.com/v4/custom_fields",
        [
            (
                {"per_page": "500"},
                {
                    "custom_fields": [{"key": "field_1", "label": "Field 1"}],
                    "pagination": {"has_next_page": True, "end_cursor": "abc"},
                },
            ),
            (
                {"per_page": "500", "after": "abc"},
                {
                    "custom_fields": [{"key": "field_2", "label": "Field 2"}],
                    "pagination": {"has_next_page": False, "end_cursor": None},
                },
            ),
        ],
    ),
}


@pytest.mark.parametrize("slug", PAGES)
def test_the_second_page_is_not_answered_with_the_first(redis: Redis, sender: Sender, slug: str) -> None:
    destination: Any = registry().destination(slug)
    connected = Connected(connection_row(slug), destination, {"api_key": "k" * 20, "token": "k" * 20})
    url, pages = PAGES[slug]
    with responses.RequestsMock(target="hub.outgoing.adapter.GuardedAdapter.send") as vendor:
        for params, body in pages:
            vendor.get(url, json=body, match=[query_param_matcher(params)])
        for _ in range(2):
            found = sender.run(connected, destination.list_fields(connected.settings, cache_seconds=600))
            assert {"field_1", "field_2"} <= set(found)
        assert len(vendor.calls) == 2


def test_another_worker_process_finds_it(redis: Redis, sender: Sender, receive: Receive) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, WHOLE, asked=asked))
    assert ask(sender, Call.get(receiver.url, cache_seconds=600)).body == b"{}"
    script = (
        "from outgoing.test_reply_cache import Call, Sender, ask\n"
        f"print(ask(Sender(), Call.get({receiver.url!r}, cache_seconds=600)).body)"
    )
    folder = Path(__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert (found.stdout.strip(), found.stderr) == ("b'{}'", "")
    assert len(asked) == 1


def test_only_the_same_call_is_answered_from_it(redis: Redis, sender: Sender, receive: Receive) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(*[WHOLE] * 20, asked=asked))
    calls = [
        (asking(), Call.get(receiver.url, cache_seconds=600)),
        (asking(), Call.get(receiver.url, params={"page": "2"}, cache_seconds=600)),
        (asking(), Call.get(receiver.url, headers={"Accept-Language": "fr"}, cache_seconds=600)),
        (asking(), Call.get(receiver.url, authenticate=False, cache_seconds=600)),
        (asking(), Call.post(receiver.url, json={"page": 1}, cache_seconds=600)),
        (asking(), Call.post(receiver.url, json={"page": 2}, cache_seconds=600)),
        (asking("two"), Call.get(receiver.url, cache_seconds=600)),
        (asking(token="another-token"), Call.get(receiver.url, cache_seconds=600)),  # its settings were changed
    ]
    for _ in range(2):
        for connected, call in calls:
            ask(sender, call, connected)
        reply_cache.forget_here()
    assert len(asked) == len(calls)


def test_what_a_connection_was_told_is_forgotten_with_its_old_access(
    redis: Redis, sender: Sender, receive: Receive
) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(*[WHOLE] * 5, asked=asked))
    call = Call.get(receiver.url, cache_seconds=600)
    for connection_id in ("one", "two"):
        ask(sender, call, asking(connection_id))
    reply_cache.forget("one")
    for connection_id in ("one", "two"):
        ask(sender, call, asking(connection_id))
    assert len(asked) == 3


def test_nobody_reads_it_in_redis(redis: Redis, sender: Sender, receive: Receive) -> None:
    body = b'{"email": "anna@example.com"}'
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    ask(sender, Call.get(receiver.url, params={"q": "anna"}, cache_seconds=600))
    ((field, value),) = redis.hgetall("hub:answers:one").items()  # type: ignore[union-attr]  # not asynchronous here
    assert not [word for word in (b"anna", b"first-token", b"127.0.0.1") if word in field + value]


def place(number: int = 0, connected: Connected | None = None, **rest: Any) -> reply_cache.Place:
    return reply_cache.place_of(Call.get(f"https://example.com/{number}", **rest), b"", connected or asking())


def test_it_is_bounded_in_time_size_and_number(redis: Redis) -> None:
    small, large = Reply(200, Headers(), b"{}"), Reply(200, Headers(), random.Random(1).randbytes(100_000))
    reply_cache.keep(place(), small, 86_400)
    assert 0 < redis.ttl("hub:answers:one") <= 600  # type: ignore[operator]  # not asynchronous here
    reply_cache.keep(place(authenticate=False), small, 86_400)  # a published certificate
    assert 600 < redis.ttl("hub:answers:one:public") <= 86_400  # type: ignore[operator]  # as above
    reply_cache.keep(place(1), large, 600)
    assert reply_cache.find(place(1)) is None
    for number in range(100):
        reply_cache.keep(place(number), small, 600)
        assert redis.hlen("hub:answers:one") <= reply_cache.MOST_ANSWERS  # type: ignore[operator]  # as above
    reply_cache.forget_here()
    assert reply_cache.find(place(99)) == small


def test_it_ends(redis: Redis) -> None:
    reply_cache.keep(place(), Reply(200, Headers(), b"{}"), 0.05)
    assert reply_cache.find(place()) is not None
    time.sleep(0.06)
    assert reply_cache.find(place()) is None
    reply_cache.forget_here()
    assert reply_cache.find(place()) is None


def test_a_refusal_is_not_kept(redis: Redis, sender: Sender, receive: Receive) -> None:
    receiver = receive(answering(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", WHOLE))
    with pytest.raises(Exception, match="503"):
        ask(sender, Call.get(receiver.url, cache_seconds=600))
    assert ask(sender, Call.get(receiver.url, cache_seconds=600)).ok


def test_without_redis_the_question_is_asked_again(
    sender: Sender, receive: Receive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path}/nobody")
    settings.cache_clear()
    reply_cache.forget_here()
    asked: list[bytes] = []
    receiver = receive(answering(*[WHOLE] * 3, asked=asked))
    for _ in range(2):
        assert ask(sender, Call.get(receiver.url, cache_seconds=600)).ok
        assert ask(sender, Call.get(receiver.url, cache_seconds=600)).ok  # this process remembers for a moment
        reply_cache._here.clear()
    assert len(asked) == 2

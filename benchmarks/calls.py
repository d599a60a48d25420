"""What one call costs: the hub's sender against a bare ``requests`` adapter and bare libcurl, all over kept connections.

    python -m benchmarks.calls [PART PORT COUNT AT_ONCE]      all parts, or one

Prints the processor time and the time of one POST of 1.3 KB, in microseconds, and ratios against ``requests``.
Figures: docs/decisions/0013-why-pycurl.md.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median
from types import SimpleNamespace
from typing import Any

from benchmarks.ground import MEASURED, OTHER, ROUNDS, ask, free_port, running, start, wait_for
from benchmarks.nothing import BODY

PARTS = (
    ("requests", 1),
    ("requests", 4),
    ("libcurl", 1),
    ("adapter", 1),
    ("threads", 4),
    ("threads", 32),
    ("many", 1),
    ("many", 4),
    ("many", 32),
)
COUNT = {0.0: 3000, 0.03: 600}


def main() -> None:
    for seconds, count in COUNT.items():
        port = free_port()
        with running(start(["-m", "benchmarks.sink", str(port), str(seconds)], core=OTHER)):
            wait_for(port)
            measured: dict[tuple[str, int], list[dict[str, float]]] = {}
            for _ in range(ROUNDS):
                for part, at_once in PARTS:
                    words = ["-m", "benchmarks.calls", part, str(port), str(count), str(at_once)]
                    measured.setdefault((part, at_once), []).append(ask(words, core=MEASURED))
        print(f"\na server that takes {seconds * 1000:.0f} ms; microseconds a POST, medians of {ROUNDS}")
        yardstick = median(one["cpu"] for one in measured["requests", 1])
        for (part, at_once), found in measured.items():
            cpu, wall = median(one["cpu"] for one in found), median(one["wall"] for one in found)
            print(f"{part:9} {at_once:2} at once   cpu {cpu:5.0f}  ({cpu / yardstick:.2f})   time {wall:6.0f}")


def measure(part: str, port: int, count: int, at_once: int) -> dict[str, float]:
    url = f"http://127.0.0.1:{port}/"
    work = _PARTS[part]
    work(url, 20, at_once)  # connections are made, modules loaded
    began, cpu = time.monotonic(), time.process_time()
    work(url, count, at_once)
    return {
        "wall": (time.monotonic() - began) / count * 1e6,
        "cpu": (time.process_time() - cpu) / count * 1e6,
    }


def _requests(url: str, count: int, at_once: int) -> None:
    from benchmarks.nothing import send

    send(url, count, at_once)


def _libcurl(url: str, count: int, _at_once: int) -> None:
    import pycurl

    curl, body, parts = pycurl.Curl(), json.dumps(BODY).encode(), list[bytes]()
    curl.setopt(pycurl.HTTPHEADER, ["Expect:", "Content-Type: application/json", "User-Agent: bare"])
    curl.setopt(pycurl.WRITEFUNCTION, parts.append)
    for _ in range(count):
        parts.clear()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.perform()
        assert curl.getinfo(pycurl.RESPONSE_CODE) == 200
        assert b"".join(parts) == b"{}"


def _sender() -> tuple[Any, Any]:
    from hub.connecting.connected import Connected
    from hub.contract import Category, Destination
    from hub.outgoing.sender import Sender

    class Sink(Destination):
        slug, name, category = "sink", "Sink", Category.GENERIC

    os.environ["HUB_ALLOW_ADDRESSES"] = "127.0.0.1"
    made: Any = _kept.setdefault("sender", Sender(connections=32))
    row: Any = SimpleNamespace(id="sink", role="destination", workspace_id="sink")
    return made, Connected(row, Sink(), {})


_kept: dict[str, Any] = {}


def _recipe(url: str) -> Any:
    from hub.contract import Call

    reply = yield Call.post(url, json=BODY, idempotency_key="d1")
    assert reply.body == b"{}"


def _one_after_the_other(url: str, count: int, at_once: int) -> None:
    from hub.outgoing.exchange import Exchange

    sender, connected = _sender()
    left = iter(range(count))

    def work() -> None:
        for _ in left:
            sender.run(connected, _recipe(url), Exchange())

    workers = [threading.Thread(target=work) for _ in range(at_once - 1)]
    for worker in workers:
        worker.start()
    work()
    for worker in workers:
        worker.join()


def _many(url: str, count: int, at_once: int) -> None:
    from hub.outgoing.exchange import Exchange

    sender, connected = _sender()

    def starts() -> Iterator[Any]:
        for number in range(count):
            yield number, _recipe(url), Exchange()

    assert not [ended.error for ended in sender.run_many(connected, starts(), at_once) if ended.error]


_PARTS: dict[str, Callable[[str, int, int], None]] = {
    "requests": _requests,
    "libcurl": _libcurl,
    "adapter": _one_after_the_other,
    "threads": _one_after_the_other,
    "many": _many,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:5]))))
    else:
        main()

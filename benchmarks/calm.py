"""(f) How quickly a sender is answered while the hub reads and delivers, and (g) what a calm hub costs. All of ``hub up``.

A request counts from the moment at which it should have been sent, so that a pause of the hub is not hidden by a client
that waits for it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ground import (
    ROUNDS,
    Installation,
    Report,
    ask,
    cpu_seconds,
    free_port,
    get,
    load,
    middle,
    running,
    spread,
    start,
    wait_for,
)

DESTINATIONS = 3
CALM, CALM_SECONDS = 100, 15  # webhooks a second, and for how long
MIXED, MIXED_SECONDS = 150, int(os.environ.get("BENCH_MIXED_SECONDS", "300"))
FULL = 2500  # webhooks, as fast as they are taken
CONNECTIONS = 16
LONGEST_WAIT = 90

Send = Callable[[], dict[str, Any]]


def run(report: Report, folder: Path) -> None:
    receiver = free_port()
    hub = Installation(folder, receiver)
    for _ in range(DESTINATIONS):
        hub.webhook()
    up = start(["-m", "hub", "up"], environment=hub.environment, stdout=subprocess.DEVNULL)
    with running(start(["-m", "benchmarks.sink", str(receiver)]), up):
        wait_for(receiver)
        wait_for(hub.port, "/healthz")
        time.sleep(5)
        _full(hub, up.pid, first=9_000_000, count=200)  # the first ones import and connect
        calm, full = [], []
        for number in range(ROUNDS):
            full.append(_full(hub, up.pid, first=number * FULL, count=FULL))
            calm.append(_paced(hub, up.pid, "webhooks", hub.address, 1_000_000 * (number + 1), CALM, CALM_SECONDS))
        mixed = _paced(hub, up.pid, "mixed", f"{hub.pixel},{hub.address}", 8_000_000, MIXED, MIXED_SECONDS)
    report.line(
        f"(f) acknowledged at {CALM} a second, p50 ms", middle(calm, "p50"), None, middle(calm, "p50"), 5, at_most=True
    )
    report.line(
        f"(f) acknowledged at {CALM} a second, p99 ms", middle(calm, "p99"), None, middle(calm, "p99"), 15, at_most=True
    )
    report.note(f"rounds, p99: {spread([each['p99'] for each in calm])}")
    report.line(f"(f) {MIXED} a second, 70 % pixel, p99 ms", mixed["p99"], None, mixed["p99"], 100, at_most=True)
    report.note(f"for {MIXED_SECONDS} seconds; p50 {mixed['p50']:.1f} ms")
    ratio = median(one["cpu"] / other["cpu"] for one, other in zip(calm, full, strict=True))
    report.line(
        f"(g) CPU per webhook at {CALM} a second, ms",
        middle(calm, "cpu"),
        middle(full, "cpu"),
        ratio,
        1.5,
        at_most=True,
    )
    report.note("the yardstick is the hub's own processor time per webhook under full load")


def _full(hub: Installation, root: int, *, first: int, count: int) -> dict[str, float]:
    return _journeys(
        hub,
        root,
        count,
        lambda: load("webhooks", hub.port, hub.address, first=first, count=count, seconds=60, core=None),
    )


def _paced(hub: Installation, root: int, kind: str, path: str, first: int, rate: int, seconds: int) -> dict[str, float]:
    words = [kind, hub.port, path, first, rate * seconds, seconds + 30, CONNECTIONS, rate]
    return _journeys(hub, root, rate * seconds, lambda: ask(["-m", "benchmarks.client", *map(str, words)], core=None))


def _journeys(hub: Installation, root: int, count: int, send: Send) -> dict[str, float]:
    """What ``send`` says of its answers, and ``cpu``: milliseconds of the hub's processor time each, deliveries included."""
    before, spent = int(get(hub.receiver)), cpu_seconds(root)
    answered = send()
    if any(not status.startswith("2") for status in answered["statuses"]):
        raise SystemExit(f"Not all requests were taken: {answered['statuses']}")
    until = time.monotonic() + LONGEST_WAIT
    while int(get(hub.receiver)) < before + count * DESTINATIONS:
        if time.monotonic() > until:
            raise SystemExit("Some deliveries did not arrive.")
        time.sleep(0.05)
    time.sleep(1)  # the processor time of a turn is counted when it has ended
    return {"p50": answered["p50"], "p99": answered["p99"], "cpu": 1000 * (cpu_seconds(root) - spent) / count}

"""(a) Webhooks and pixel hits committed per second, against a Flask view that does nothing on the same server."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ground import (
    MEASURED,
    OTHER,
    ROUNDS,
    Installation,
    Report,
    free_port,
    load,
    middle,
    ratios,
    running,
    spread,
    start,
    wait_for,
)

SECONDS = 2.5
MOST = 9_000  # requests made for one round
GOALS = {"webhooks": 0.6, "hits": 0.7}
LONGEST_P99 = 100  # milliseconds


def run(report: Report, folder: Path) -> None:
    """One web process with SQLite and synchronous=FULL, 32 connections; Redis is there, workers are not."""
    hub = Installation(folder, receiver=free_port())
    other = free_port()
    environment = hub.environment | {"HUB_PORT": str(other)}
    with running(
        hub.role("redis", core=OTHER),
        hub.role("web", core=MEASURED),
        start(["-m", "benchmarks.nothing", "serve"], core=MEASURED, environment=environment),
    ):
        wait_for(hub.port, "/healthz")
        wait_for(other, "/nothing")
        for kind, path in (("webhooks", hub.address), ("hits", "/v1/conversion/pixel/1")):
            _compare(report, hub, other, kind, path)


def _compare(report: Report, hub: Installation, other: int, kind: str, path: str) -> None:
    load(kind, hub.port, path, first=90_000_000, count=300, seconds=1, core=OTHER)  # the first requests import
    before = hub.count("SELECT count(*) FROM inbound")
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    for number in range(ROUNDS):
        first = number * MOST
        theirs.append(load(kind, other, "/nothing", first=first, count=MOST, seconds=SECONDS, core=OTHER))
        ours.append(load(kind, hub.port, path, first=first, count=MOST, seconds=SECONDS, core=OTHER))
    kept = hub.count("SELECT count(*) FROM inbound") - before
    answered = sum(each["requests"] for each in ours)
    if kept != answered:
        raise SystemExit(f"{answered} messages were acknowledged, {kept} are on disk.")
    each = ratios([one["rate"] for one in ours], [one["rate"] for one in theirs])
    name = {"webhooks": "webhooks committed /s", "hits": "pixel hits committed /s"}[kind]
    report.line(f"(a) {name}", middle(ours, "rate"), middle(theirs, "rate"), median(each), GOALS[kind])
    p99 = middle(ours, "p99")
    report.line(f"(a) {name[:-3]}, p99", p99, None, p99, LONGEST_P99, at_most=True, unit="ms")
    report.note(f"rounds {spread(each)}; the view that does nothing: p99 {middle(theirs, 'p99'):.0f} ms")

"""(d) The processor time of a whole journey, and what is sustained; (e) memory. All of ``hub up``, nothing pinned."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
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
    memory,
    middle,
    ratios,
    running,
    spread,
    start,
    wait_for,
)

WEBHOOKS = 2500
DESTINATIONS = 3
MOST_CPU, MOST_MEMORY = 2, 350
QUIET = 6  # seconds without work before memory is looked at
LONGEST_WAIT = 90


def run(report: Report, folder: Path) -> None:
    """Webhooks come in as fast as they are taken; the round is over when each is at its three destinations."""
    receiver, other = free_port(), free_port()
    hub = Installation(folder, receiver)
    for _ in range(DESTINATIONS):
        hub.webhook()
    nothing = start(["-m", "benchmarks.nothing", "serve"], environment=hub.environment | {"HUB_PORT": str(other)})
    up = start(["-m", "hub", "up"], environment=hub.environment, stdout=subprocess.DEVNULL)
    with running(start(["-m", "benchmarks.sink", str(receiver)]), nothing, up):
        wait_for(receiver)
        wait_for(other, "/nothing")
        wait_for(hub.port, "/healthz")
        time.sleep(QUIET)
        idle = memory(up.pid)
        ours: list[dict[str, float]] = []
        theirs: list[dict[str, float]] = []
        _journeys(hub, up.pid, first=9_000_000, count=200)  # the first ones import and connect
        for number in range(ROUNDS):
            theirs.append(_yardstick(nothing.pid, other, receiver))
            ours.append(_journeys(hub, up.pid, first=number * WEBHOOKS, count=WEBHOOKS))
        busy = memory(up.pid)
    each = ratios([one["cpu"] for one in ours], [one["cpu"] for one in theirs])
    report.line(
        "(d) CPU per webhook to 3 destinations, ms",
        middle(ours, "cpu"),
        middle(theirs, "cpu"),
        median(each),
        MOST_CPU,
        at_most=True,
    )
    report.note(
        f"rounds {spread(each)}; yardstick: {middle(theirs, 'flask'):.2f} ms a request + 3 x {middle(theirs, 'send'):.2f}"
    )
    report.note(
        f"{middle(ours, 'rate'):,.0f} webhooks a second sustained, nothing left behind ({middle(ours, 'rate') * 3:,.0f} "
        f"deliveries a second); {middle(ours, 'taken'):,.0f} a second acknowledged, p99 {middle(ours, 'p99'):.0f} ms"
    )
    report.line(
        "(e) memory idle, shared pages once (PSS)", idle[1], None, idle[1], MOST_MEMORY, at_most=True, unit="MB"
    )
    report.note(f"sum of RSS {idle[0]:.0f} MB; after the load RSS {busy[0]:.0f} MB, PSS {busy[1]:.0f} MB")


def _journeys(hub: Installation, root: int, *, first: int, count: int) -> dict[str, float]:
    """``cpu`` in milliseconds a webhook, ``rate`` in webhooks a second from the first request to the last delivery."""
    before, spent, began = int(get(hub.receiver)), cpu_seconds(root), time.monotonic()
    load_began = time.monotonic()
    sent = load("webhooks", hub.port, hub.address, first=first, count=count, seconds=60, core=None)
    # The client makes its requests before it sends the first one: that time is not the hub's.
    began += time.monotonic() - load_began - sent["seconds"]
    wanted = before + count * DESTINATIONS
    until = time.monotonic() + LONGEST_WAIT
    while int(get(hub.receiver)) < wanted:
        if time.monotonic() > until:
            raise SystemExit(f"{wanted - int(get(hub.receiver))} deliveries did not arrive.")
        time.sleep(0.02)
    seconds = time.monotonic() - began
    while hub.count("SELECT count(*) FROM delivery WHERE state <> 'delivered'"):
        if time.monotonic() > until:
            raise SystemExit("Some deliveries are not recorded as delivered.")
        time.sleep(0.1)
    time.sleep(0.5)  # the processor time of a turn is counted when it has ended
    cpu = 1000 * (cpu_seconds(root) - spent) / count
    return {"cpu": cpu, "rate": count / seconds, "taken": sent["rate"], "p99": sent["p99"]}


def _yardstick(root: int, port: int, receiver: int) -> dict[str, Any]:
    """The processor time, in milliseconds, of one do-nothing Flask request plus three bare sends.

    Both go on at once: a processor that shares its core with another busy one takes longer for the same work, and the
    hub's processes keep both of them busy.
    """
    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(ask, ["-m", "benchmarks.nothing", "send", str(receiver), "4000", "4"], core=None)
        spent = cpu_seconds(root)
        sent = load("webhooks", port, "/nothing", first=0, count=4000, seconds=60, core=None)
        flask = 1000 * (cpu_seconds(root) - spent) / sent["requests"]
        bare = sending.result()
    send = 1000 * bare["cpu"] / bare["sent"]
    return {"cpu": flask + 3 * send, "flask": flask, "send": send}

"""(b) Deliveries per second of one worker, against a bare loop of prepared sends; (c) what batches make of it.

python -m benchmarks.deliveries CONNECTION TIMES      deliver all that connection has, TIMES over; prints JSON
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ground import (
    MEASURED,
    OTHER,
    ROUNDS,
    Installation,
    Report,
    ask,
    free_port,
    middle,
    ratios,
    running,
    spread,
    start,
    wait_for,
)
from benchmarks.messages import checkout

SALES = 3000
BATCH_TIMES = 3
AS_FAST, TIMES_FASTER = 0.7, 10


def run(report: Report, folder: Path) -> None:
    """The same sales, once to a destination that takes one at a time, once to one that takes a thousand."""
    from hub.connecting.registry import registry

    receiver = free_port()
    hub = Installation(folder, receiver)
    single, batch = hub.webhook(), hub.destination("meta", pixel_id="1234567890123456", access_token="benchmark")
    threads = registry().destination("webhook").limits.concurrency
    with running(start(["-m", "benchmarks.sink", str(receiver)], core=OTHER)):
        wait_for(receiver)
        began = time.monotonic()
        _book(hub)
        report.note(f"{SALES / (time.monotonic() - began):,.0f} webhooks read, booked and routed a second, one process")
        bare, ours, batches = [], [], []
        for _ in range(ROUNDS):
            bare.append(
                ask(["-m", "benchmarks.nothing", "send", str(receiver), str(SALES), str(threads)], core=MEASURED)
            )
            ours.append(_deliver(hub, single, 1))
            batches.append(_deliver(hub, batch, BATCH_TIMES))
    compared = ratios([one["sent"] / one["seconds"] for one in ours], [one["sent"] / one["seconds"] for one in bare])
    faster = ratios([one["sent"] / one["seconds"] for one in batches], [one["sent"] / one["seconds"] for one in ours])
    singles = middle(ours, _rate)
    report.line(f"(b) deliveries /s, {threads} threads", singles, middle(bare, _rate), median(compared), AS_FAST)
    report.line("(c) conversions /s in batches (meta)", middle(batches, _rate), singles, median(faster), TIMES_FASTER)
    report.note(f"rounds (b) {spread(compared)}; (c) {spread(faster)}")


def _rate(figures: Mapping[str, float]) -> float:
    return figures["sent"] / figures["seconds"]


def _deliver(hub: Installation, connection_id: str, times: int) -> dict[str, Any]:
    words = ["-m", "benchmarks.deliveries", connection_id, str(times)]
    return ask(words, core=MEASURED, environment=hub.environment | {"BENCHMARK_RECEIVER": str(hub.receiver)})


def _book(hub: Installation) -> None:
    """Let sales come in and be read, so that deliveries wait."""
    from hub.run.reader import read_messages
    from hub.store import inbound, new_id, now
    from hub.store.base import insert

    at = now()
    common = inbound.NEW_ROW | {
        "workspace_id": hub.workspace_id,
        "connection_id": hub.source_id,
        "received_at": at,
        "due_at": at,
        "method": "POST",
        "path": hub.address,
        "query": "",
        "headers": {},
        "trust": "proven",
    }
    with hub.store() as store:
        with store.write() as tx:
            rows = [common | {"id": new_id(), "body": checkout(one, int(at.timestamp()))} for one in range(SALES)]
            insert(tx, inbound.inbound, rows)
        read_messages(store, hub.workspace_id, 120)


def _work(connection_id: str, times: int) -> dict[str, float]:
    """In a process of its own: what a worker does in its turns."""
    import os

    from hub.run import jobs, lanes
    from hub.settings import settings
    from hub.store import Store, deliveries, now

    jobs.preload()
    _send_graph_calls_to(int(os.environ["BENCHMARK_RECEIVER"]))
    store = Store(settings().database_url)
    sent, seconds, cpu = 0, 0.0, 0.0
    for _ in range(times):
        sent += _plan_again(store, connection_id)
        began, spent = time.monotonic(), time.process_time()
        while lanes.deliver(store, connection_id, 10)[0]:
            pass
        seconds += time.monotonic() - began
        cpu += time.process_time() - spent
        with store.read() as tx:
            assert not deliveries.due(tx, connection_id, now(), 1)
    _check(store, connection_id)
    return {"sent": sent, "seconds": seconds, "cpu": cpu}


def _plan_again(store: Any, connection_id: str) -> int:
    from sqlalchemy import select

    from hub.store import deliveries, now

    with store.write() as tx:
        mine = select(deliveries.delivery.c.id).where(deliveries.delivery.c.connection_id == connection_id)
        return deliveries.replan(tx, list(tx.scalars(mine)), now())


def _check(store: Any, connection_id: str) -> None:
    from hub.store import connections, deliveries

    with store.read() as tx:
        row = connections.get_connection(tx, connection_id)
        counts = deliveries.counts(tx, row["workspace_id"])
    mine = {state: number for (one, state), number in counts.items() if one == connection_id}
    if set(mine) != {deliveries.DELIVERED}:
        raise SystemExit(f"Not everything was delivered: {mine}")


def _send_graph_calls_to(port: int) -> None:
    """Meta's address is fixed in its connector: here its calls go to the local receiver instead."""
    from hub.connecting.registry import registry

    meta = type(registry().destination("meta"))
    deliver = meta.deliver

    def redirected(self: Any, record: Any, settings: Mapping[str, Any]) -> Any:
        recipe = deliver(self, record, settings)
        reply = None
        while True:
            try:
                call = recipe.send(reply)
            except StopIteration as end:
                return end.value
            call.url = call.url.replace("https://graph.facebook.com", f"http://127.0.0.1:{port}")
            reply = yield call

    meta.deliver = redirected  # type: ignore[method-assign]  # for the length of this process


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(_work(arguments[0], int(arguments[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])

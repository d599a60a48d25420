"""No step of a hit looks through a table that grows: SQLite is asked how it would find what each statement wants."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from journey.world import World, world
from sqlalchemy import event

from hub.run import jobs
from hub.store import Store, conversions
from hub.toolkit.signing import make_hmac

SECRET = "made_up_key"
GROWING = {
    "inbound",
    "observation",
    "conversion",
    "order",
    "order_alias",
    "ledger",
    "contact",
    "identity",
    "consent",
    "credit",
    "delivery",
    "attempt",
    "exchange",
}


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


# PostgreSQL decides by the size of its tables, which are empty here.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_that_grows_is_looked_through(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    event.listen(
        hub.store.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, sql, values, _context, many: asked.setdefault(sql, values[0] if many else values),
    )
    hub.source("pixel", currency="EUR")
    address = hub.source("webhook", scheme="hmac_hex", header="X-Signature", secret=[SECRET])
    hub.destination("webhook", url=hub.receiver.url)
    hub.destination("webhook", url=hub.receiver.url)
    buy = {"event": "order.paid", "orderId": "1", "amount": "49.99", "currency": "EUR", "email": "anna@example.com"}
    for record in (buy, buy, buy | {"amount": "59.99"}, buy | {"orderId": "2", "email": "ANNA@example.com"}):
        post(hub, address, record)
    for query in ("orderId=1&amount=49.99&email=anna@example.com&webinarId=3", "email=bert@example.com&tag=spring"):
        hub.client.get(f"/v1/conversion/pixel/1?{query}")
        hub.work()
    hub.client.get("/v1/conversion/pixel/1?orderId=2&email=bert@example.com")
    hub.work()
    monkeypatch.setattr(jobs, "_store", lambda: hub.store)
    monkeypatch.setattr(jobs, "wake", lambda *_: True)
    jobs.sweep()
    with hub.store.read() as tx:
        conversions.subjects_of_contacts(tx, ["a contact that was another's"])
    assert len(hub.receiver.received) >= 6
    assert len(asked) > 40
    assert {sql: found for sql, values in asked.items() if (found := looked_through(hub, sql, values))} == {}


def post(hub: World, address: str, record: dict[str, str]) -> None:
    body = json.dumps(record).encode()
    signed = {"X-Signature": make_hmac(body, SECRET), "Content-Type": "application/json"}
    assert hub.client.post(f"/in/{address}", data=body, headers=signed).status_code == 200


def looked_through(hub: World, sql: str, values: Any) -> list[str]:
    """The steps of SQLite's plan that read all of a growing table, or all that a workspace has in it."""
    database = sqlite3.connect(hub.store.url.removeprefix("sqlite:///"))
    try:
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    except sqlite3.OperationalError:  # BEGIN, SAVEPOINT: nothing to plan
        return []
    finally:
        database.close()
    return [step for step in steps if step.split()[1:2] and step.split()[1] in GROWING and _is_all(step)]


def _is_all(step: str) -> bool:
    only_what_waits = "_waiting" in step  # an index of nothing else
    return step.endswith("(workspace_id=?)") or (step.startswith("SCAN") and not only_what_waits)

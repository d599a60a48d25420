"""Where a refund changes a sale, it goes only where that sale went, and after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journey.late import LatePlatform, late_connector
from journey.verdicts import rows
from journey.world import World, world
from sqlalchemy import update

from hub.store import Store, conversions, deliveries, now


@pytest.fixture
def platform() -> Iterator[LatePlatform]:
    made = LatePlatform()
    yield made
    made.close()


@pytest.fixture
def hub(store: Store, platform: LatePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "packages").mkdir()
    with late_connector(tmp_path / "packages", monkeypatch), world(store) as made:
        yield made


def tell(hub: World, address: str, kind: str = "conversion") -> None:
    """One sale of 49, or a refund of 10 of it."""
    said = {"amount": 49, "stage": "purchase"} if kind == "conversion" else {"amount": 10, "kind": kind}
    record = {"order_id": "a", "email": "a@example.com", "currency": "EUR", **said}
    assert hub.client.post(f"/in/{address}", json=record).status_code == 200
    hub.work()


def later(hub: World) -> None:
    with hub.store.write() as tx:
        table = deliveries.delivery
        tx.execute(update(table).where(table.c.state == "waiting").values(due_at=now() - timedelta(seconds=1)))
    hub.work()


def states(hub: World) -> dict[str, tuple[str, str]]:
    """By kind: how its delivery stands."""
    kinds = {row["id"]: row["kind"] for row in rows(hub, conversions.conversion)}
    found: list[Any] = rows(hub, deliveries.delivery)
    return {kinds[row["conversion_id"]]: (row["state"], row["reason"]) for row in found}


def test_a_refund_waits_until_its_sale_has_arrived(hub: World, platform: LatePlatform) -> None:
    address = hub.source("webhook")
    hub.destination("late_acme", url=platform.url)
    tell(hub, address)
    tell(hub, address, "refund")
    assert states(hub)["refund"] == ("waiting", "waiting_for_sale")
    assert platform.sent == [["a"]]
    platform.verdicts = {"a": "delivered"}
    later(hub)
    later(hub)
    assert platform.sent == [["a"], ["a"]]
    later(hub)
    assert states(hub) == {"conversion": ("delivered", "delivered"), "refund": ("delivered", "delivered")}


def test_a_refund_of_a_sale_that_never_went_there_stays_here(hub: World, platform: LatePlatform) -> None:
    address = hub.source("webhook")
    tell(hub, address)
    hub.destination("late_acme", url=platform.url)
    tell(hub, address, "refund")
    assert states(hub) == {"refund": ("not_sent", "sale_not_sent")}
    assert platform.sent == []


def test_a_refund_of_a_sale_that_was_refused_there_stays_here(hub: World, platform: LatePlatform) -> None:
    address = hub.source("webhook")
    hub.destination("late_acme", url=platform.url)
    platform.verdicts = {"a": "refused"}
    tell(hub, address)
    later(hub)
    tell(hub, address, "refund")
    assert states(hub)["refund"] == ("not_sent", "sale_not_sent")
    assert platform.sent == [["a"]]

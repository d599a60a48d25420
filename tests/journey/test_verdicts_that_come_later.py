"""Platforms that judge later: nothing is sent twice while a verdict is awaited, and every verdict is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journey.late import LatePlatform, late_connector
from journey.world import World, world
from sqlalchemy import update

from hub.connecting import vault
from hub.deliver import lane
from hub.deliver.verdicts import PATIENCE
from hub.report.timeline import timeline_of_conversion
from hub.steer import replay
from hub.store import Store, connections, contacts, conversions, deliveries, now, replays


@pytest.fixture
def platform() -> Iterator[LatePlatform]:
    made = LatePlatform()
    yield made
    made.close()


@pytest.fixture
def hub(store: Store, platform: LatePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    folder = tmp_path / "packages"
    folder.mkdir()
    with late_connector(folder, monkeypatch), world(store) as made:
        made.source("pixel", currency="EUR")
        made.destination("late_acme", url=platform.url)
        yield made


def sell(hub: World, *orders: str) -> None:
    for order in orders:
        hub.client.get(f"/v1/conversion/pixel/1?orderId={order}&amount=49&email={order}%40example.com")
    hub.work()


def later(hub: World, **columns: Any) -> None:
    """Whatever waits is due now; ``columns`` are set besides."""
    table = deliveries.delivery
    with hub.store.write() as tx:
        change = update(table).where(table.c.state == deliveries.WAITING)
        tx.execute(change.values(due_at=now() - timedelta(seconds=1), **columns))
        tx.execute(update(connections.connection).values(throttled_until=None, breaker={}))
    hub.work()


def rows(hub: World) -> dict[str, Any]:
    """By order: its delivery."""
    with hub.store.read() as tx:
        found = deliveries.latest(tx, hub.workspace_id)
        of = conversions.by_ids(tx, [row["conversion_id"] for row in found])
    return {of[row["conversion_id"]]["data"]["order_id"]: row for row in found}


def states(hub: World) -> dict[str, tuple[str, str]]:
    return {order: (row["state"], row["reason"]) for order, row in rows(hub).items()}


AWAITED = ("waiting", "verdict_awaited")


def test_a_ticket_is_asked_once_for_all_its_records_until_each_has_its_verdict(
    hub: World, platform: LatePlatform
) -> None:
    sell(hub, "a", "b", "c")
    (sent,) = platform.sent
    assert sorted(sent) == ["a", "b", "c"]
    assert set(states(hub).values()) == {AWAITED}
    assert {row["ticket"] for row in rows(hub).values()} == {"t0"}
    assert platform.asked == []
    later(hub)
    assert platform.asked == ["t0"]
    platform.verdicts = {"a": "delivered", "b": "refused"}
    later(hub)
    assert states(hub) == {"a": ("delivered", "delivered"), "b": ("failed", "refused_by_destination"), "c": AWAITED}
    platform.verdicts["c"] = "delivered"
    later(hub)
    assert states(hub)["c"] == ("delivered", "delivered")
    assert platform.asked == ["t0", "t0", "t0"]
    assert platform.sent == [sent]
    assert {row["ticket"] for row in rows(hub).values()} == {None}


def test_what_shares_a_ticket_is_judged_together_whenever_the_first_is_due(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a", "b")
    platform.verdicts = {"a": "delivered", "b": "delivered"}
    with hub.store.write() as tx:
        deliveries.postpone(tx, [rows(hub)["b"]["id"]], now() + timedelta(hours=5), "verdict_awaited")
        deliveries.postpone(tx, [rows(hub)["a"]["id"]], now(), "verdict_awaited")
    hub.work()
    assert platform.asked == ["t0"]
    assert set(states(hub).values()) == {("delivered", "delivered")}


def test_each_ask_is_an_attempt_of_the_timeline(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a")
    platform.verdicts = {"a": "delivered"}
    later(hub)
    with hub.store.read() as tx:
        told = timeline_of_conversion(tx, hub.workspace_id, rows(hub)["a"]["conversion_id"])
    assert told is not None
    ((delivery,),) = [one["deliveries"] for one in told["conversions"]]
    assert [(one["result"], one["calls"][0]["call"]["url"]) for one in delivery["attempts"]] == [
        ("pending", f"{platform.url}/records"),
        ("delivered", f"{platform.url}/verdict"),
    ]
    assert delivery["attempts"][0]["reason"]["fr"] == "Pris en charge, verdict attendu"
    assert delivery["detail"] == "said late"


def test_a_record_is_sent_again_only_when_its_verdict_says_later(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a", "b")
    for _ in range(12):  # more asks than there are tries
        later(hub)
    platform.verdicts = {"a": "try_later", "b": "delivered"}
    later(hub)
    assert states(hub) == {"a": ("waiting", "destination_not_accepting"), "b": ("delivered", "delivered")}
    assert len(platform.sent) == 1
    later(hub)
    assert platform.sent[1:] == [["a"]]
    assert (rows(hub)["a"]["ticket"], states(hub)["a"]) == ("t1", AWAITED)


def test_an_ask_that_fails_leaves_the_ticket_open(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a")
    platform.status = 503
    for _ in range(3):
        later(hub)
    assert states(hub) == {"a": AWAITED}
    assert "503" in rows(hub)["a"]["detail"]
    platform.status = 401
    later(hub)
    assert states(hub) == {"a": ("waiting", "credentials_refused")}
    platform.status, platform.verdicts = 200, {"a": "delivered"}
    with hub.store.write() as tx:
        connections.set_state(tx, rows(hub)["a"]["connection_id"], now(), connections.ACTIVE, "", "")
    later(hub)
    assert states(hub) == {"a": ("delivered", "delivered")}
    assert platform.sent == [["a"]]


def test_a_replay_asks_for_an_open_verdict_and_sends_nothing(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a")
    with hub.store.write() as tx:
        replay.deliveries_again(tx, now(), hub.workspace_id, [rows(hub)["a"]["id"]])
    hub.work()
    assert (platform.sent, platform.asked) == ([["a"]], ["t0"])
    assert states(hub) == {"a": AWAITED}


def test_a_person_who_leaves_meanwhile_does_not_hide_what_was_sent(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a")
    platform.verdicts = {"a": "delivered"}
    with hub.store.write() as tx:
        contacts.suppress(tx, hub.workspace_id, vault.keyed_hash("suppression", "a@example.com"), "unsubscribed", now())
    later(hub)
    assert states(hub) == {"a": ("delivered", "delivered")}


def test_after_two_days_without_a_verdict_it_is_given_up_with_the_reason(hub: World, platform: LatePlatform) -> None:
    sell(hub, "a")
    later(hub, ticket_at=now() - PATIENCE + timedelta(minutes=1))
    assert states(hub) == {"a": AWAITED}
    later(hub, ticket_at=now() - PATIENCE - timedelta(minutes=1))
    assert states(hub) == {"a": ("failed", "verdict_never_came")}
    assert len(platform.asked) == 2
    with hub.store.write() as tx:
        replays.replan(tx, [rows(hub)["a"]["id"]], now())
    hub.work()
    assert platform.sent == [["a"], ["a"]]


def test_a_worker_killed_between_the_answer_and_its_record_sends_nothing_twice(
    hub: World, platform: LatePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ask is repeated, the record is not."""
    sell(hub, "a")
    platform.verdicts = {"a": "delivered"}

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as blow:
        blow.setattr(lane.Lane, "_record", killed)
        with pytest.raises(Killed):
            later(hub)
    assert states(hub) == {"a": AWAITED}
    hub.work()
    assert states(hub) == {"a": ("delivered", "delivered")}
    assert (platform.sent, platform.asked) == ([["a"]], ["t0", "t0"])


def test_a_connector_that_fails_while_asking_keeps_the_ticket_for_a_replay(
    hub: World, platform: LatePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(hub, "a")
    platform.verdicts = {"a": "no result of that name"}
    later(hub)
    assert states(hub) == {"a": ("failed", "connector_broken")}
    platform.verdicts = {"a": "delivered"}
    with hub.store.write() as tx:
        replays.replan(tx, [rows(hub)["a"]["id"]], now())
    hub.work()
    assert states(hub) == {"a": ("delivered", "delivered")}
    assert platform.sent == [["a"]]

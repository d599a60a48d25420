"""Sending again asks every rule as of now; a person may override one, by saying so, and it is written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from journey.strange import installed
from journey.world import World
from sqlalchemy import select

from hub.cli import main
from hub.commands import records
from hub.connecting import vault
from hub.connecting.connected import open_connection
from hub.demo import sample_sale
from hub.report.timeline import timeline_of_conversion
from hub.steer import replay
from hub.steer import routes as steer_routes
from hub.steer.errors import Invalid
from hub.store import Store, accounts, contacts, conversions, deliveries, now, routes
from hub.store.contacts import ConsentRow
from hub.store.deliveries import DeliveryRow
from hub.store.replays import RULES

BODY = """
    purpose = "analytics"
    sends_tests = False
    max_age = 3600

    def deliver(self, record, settings):
        yield Call.post(settings["url"], json={"order": record.values["order"]})
"""
ANNA = "anna@example.com"


@pytest.fixture
def world(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with installed(BODY, tmp_path, monkeypatch) as slug:
        made = World(store)
        made.destination(slug, url=made.receiver.url)
        yield made
        made.close()


def change_route(world: World, **columns: Any) -> None:
    with world.store.write() as tx:
        (route,) = routes.routes_of(tx, world.workspace_id)
        steer_routes.change(tx, now(), route.id, **columns)


def sell(world: World) -> None:
    sale = {"order_id": "1001", "amount": "30.00", "currency": "EUR", "email": ANNA}
    assert world.client.post(f"/in/{world.source('webhook')}", json=sale).status_code == 200
    world.work()


def say_no(world: World) -> None:
    with world.store.write() as tx:
        for row in conversions.latest(tx, world.workspace_id):
            said = {"contact_id": row.contact_id, "purpose": "analytics", "workspace_id": world.workspace_id}
            no = {"granted": False, "basis": "told", "at": now(), "trust": "proven"}
            contacts.put_consents(tx, [ConsentRow(**said, **no)])


def leave_alone(world: World) -> None:
    with world.store.write() as tx:
        contacts.suppress(tx, world.workspace_id, vault.suppression_hash(ANNA), "asked", now())


def grow_old(world: World) -> None:
    with world.store.write() as tx:
        tx.execute(conversions.conversion.update().values(occurred_at=now() - timedelta(days=1)))


def only_dear_sales(world: World) -> None:
    change_route(world, filter={"path": "value", "op": "greater", "value": "100"})


def only_leads(world: World) -> None:
    change_route(world, stages=["lead"])


def only_proven(world: World) -> None:
    change_route(world, trust="proven")


def test_sale(world: World) -> None:
    source = world.connect("thinkific", "source", secret=["made_up_key"])
    sample_sale.send(world.client.application.wsgi_app, world.store, open_connection(source), now())
    world.work()


test_sale.__test__ = False  # type: ignore[attr-defined]  # no test, but a sale that is one
HELD_FROM_THE_START = {"test": test_sale, "filter": only_dear_sales, "trust": only_proven}
HELD_SINCE = {
    "stage": only_leads,
    "filter": only_dear_sales,
    "trust": only_proven,
    "consent": say_no,
    "suppression": leave_alone,
    "age": grow_old,
}


def delivery(world: World) -> DeliveryRow:
    with world.store.read() as tx:
        (row,) = deliveries.latest(tx, world.workspace_id)
    return row


def again(world: World, rule: str | None = None, why: str | None = "the shop's owner asked for it") -> replay.Again:
    with world.store.write() as tx:
        done = replay.deliveries_again(
            tx,
            now(),
            world.workspace_id,
            [delivery(world).id],
            author="owner@example.com",
            overriding=replay.override(rule, why),
        )
    world.work()
    return done


@pytest.mark.parametrize("rule", HELD_FROM_THE_START)
def test_what_a_rule_held_back_is_held_back_when_it_is_sent_again(rule: str, world: World) -> None:
    HELD_FROM_THE_START[rule](world)
    if rule != "test":
        sell(world)
    held = delivery(world)
    assert (held.state, held.reason) == (deliveries.NOT_SENT, RULES[rule][0])
    done = again(world)
    assert (done.number, done.held_back) == (0, [replay.HeldBack(held.id, RULES[rule][0], rule)])
    assert (delivery(world).state, delivery(world).reason) == (deliveries.NOT_SENT, RULES[rule][0])
    assert world.receiver.received == []


@pytest.mark.parametrize("rule", HELD_SINCE)
def test_a_rule_that_holds_now_holds_back_what_failed_before(rule: str, world: World) -> None:
    world.receiver.answers = [422]
    sell(world)
    assert delivery(world).state == deliveries.FAILED
    HELD_SINCE[rule](world)
    with world.store.write() as tx:
        done = replay.failed_again(tx, now(), world.workspace_id)
    world.work()
    assert [(one.reason, one.rule) for one in done.held_back] == [(RULES[rule][0], rule)]
    assert (delivery(world).state, delivery(world).reason) == (deliveries.NOT_SENT, RULES[rule][0])
    assert len(world.receiver.received) == 1


@pytest.mark.parametrize("rule", HELD_SINCE)
def test_a_person_may_override_the_one_rule_and_it_is_written_down(rule: str, world: World) -> None:
    world.receiver.answers = [422]
    sell(world)
    HELD_SINCE[rule](world)
    other = next(one for one in RULES if one != rule)
    assert again(world, other).number == 0  # another rule than the one that was named
    assert again(world, rule) == replay.Again(1, [])
    assert delivery(world).state == deliveries.DELIVERED
    with world.store.read() as tx:
        (audited,) = tx.execute(select(accounts.audit).where(accounts.audit.c.action == accounts.OVERRIDDEN)).all()
        told = timeline_of_conversion(tx, world.workspace_id, delivery(world).conversion_id)
    assert audited.subject == delivery(world).id
    expected = {"rule": rule, "why": "the shop's owner asked for it", "by": "owner@example.com"}
    assert audited.detail == expected
    assert told is not None
    (shown,) = told["conversions"][0]["deliveries"][0]["overrides"]
    assert {**shown, "rule": shown["rule"]["code"]} == expected | {"at": audited.at}
    assert shown["rule"]["fr"] != rule


def test_an_override_does_not_count_for_the_other_rules(world: World) -> None:
    test_sale(world)
    only_dear_sales(world)
    assert [one.reason for one in again(world, "test").held_back] == ["filtered_by_rule"]
    assert world.receiver.received == []


def test_what_the_rule_does_not_hold_back_is_sent_without_an_override(world: World) -> None:
    world.receiver.answers = [422]
    sell(world)
    assert again(world, "consent").number == 1
    assert delivery(world).overridden is None


def test_an_override_lasts_for_one_sending(world: World) -> None:
    world.receiver.answers = [422, 422]
    sell(world)
    only_dear_sales(world)
    assert again(world, "filter").number == 1
    assert delivery(world).state == deliveries.FAILED
    assert again(world).number == 0


def test_what_had_arrived_stays_delivered_when_a_rule_forbids_to_send_it_again(world: World) -> None:
    sell(world)
    only_dear_sales(world)
    assert [one.reason for one in again(world).held_back] == ["filtered_by_rule"]
    assert delivery(world).state == deliveries.DELIVERED


def test_what_waits_for_its_proof_goes_on_waiting(world: World) -> None:
    change_route(world, wait_minutes=60)
    sell(world)
    due_at = delivery(world).due_at
    assert [(one.reason, one.rule) for one in again(world).held_back] == [("waiting_for_proof", "trust")]
    assert (delivery(world).state, delivery(world).due_at) == (deliveries.WAITING, due_at)
    assert again(world, "trust").number == 1
    assert delivery(world).state == deliveries.DELIVERED


def test_a_new_message_on_the_sale_does_not_undo_an_override(world: World) -> None:
    only_dear_sales(world)
    sell(world)
    with world.store.write() as tx:  # sent again, but not yet on its way
        overriding = replay.override("filter", "as agreed")
        replay.deliveries_again(tx, now(), world.workspace_id, [delivery(world).id], overriding=overriding)
    sale = {"order_id": "1001", "amount": "31.00", "currency": "EUR", "email": ANNA}
    world.client.post(f"/in/{world.source('webhook')}", json=sale)
    world.work()
    assert delivery(world).state == deliveries.DELIVERED


@pytest.mark.parametrize(
    ("rule", "why"), [("everything", "because"), ("test", ""), ("test", None), ("test", "x" * 301)]
)
def test_an_override_names_one_rule_and_says_why(rule: str, why: str | None) -> None:
    with pytest.raises(Invalid):
        replay.override(rule, why)


def test_the_command_says_which_rule_holds_back_and_takes_an_override(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_store", lambda: world.store)
    only_dear_sales(world)
    sell(world)
    one = delivery(world).id
    said = CliRunner().invoke(main, ["replay", "delivery", one])
    assert "0 of 1 will be sent again." in said.output
    assert "Filtered by your rule. To send it all the same: --override filter" in said.output
    no_reason = CliRunner().invoke(main, ["replay", "delivery", one, "--override", "filter"])
    assert (no_reason.exit_code, "Say why" in no_reason.output) == (2, True)
    said = CliRunner().invoke(main, ["replay", "delivery", one, "--override", "filter", "--why", "as agreed"])
    assert "1 of 1 will be sent again." in said.output
    world.work()
    assert delivery(world).state == deliveries.DELIVERED

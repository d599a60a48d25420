"""Whatever a destination's connector raises or returns becomes a verdict with a reason, for that record alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journey.strange import installed
from journey.verdicts import rows
from journey.world import World

from hub.connecting.connected import open_connection
from hub.contract.errors import ConnectorBroken, Refused
from hub.contract.reasons import REASONS
from hub.run import reader
from hub.steer import connections as steer
from hub.steer import test_send
from hub.store import Store, connections, conversions, deliveries, now
from hub.store.deliveries import DeliveryRow

ORDERS = ("good-1", "bad", "good-2")
POSTED = 'yield Call.post(settings["url"], json={"order": record.values["order"]})'


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()


def sell(world: World, slug: str, settings_version: int = 1) -> str:
    """Three sales for a destination of that connector; returns its id. Everything there is to do is done."""
    destination = world.destination(slug, url=world.receiver.url)
    address = world.source("webhook")
    for order in ORDERS:
        sale = {"order_id": order, "amount": "10.00", "currency": "EUR", "email": "anna@example.com"}
        assert world.client.post(f"/in/{address}", json=sale).status_code == 200
    reader.read_messages(world.store, world.workspace_id, 10)
    with world.store.write() as tx:
        connections.change_connection(tx, destination, now(), settings_version=settings_version)
    world.work()
    return destination


def fates(world: World) -> dict[str, DeliveryRow]:
    """By order, what became of its delivery."""
    of = {row["id"]: row["data"]["order_id"] for row in rows(world, conversions.conversion)}
    with world.store.read() as tx:
        return {of[row.conversion_id]: row for row in deliveries.latest(tx, world.workspace_id)}


def posted(world: World) -> list[str]:
    return [body["order"] for body in world.receiver.bodies()]


SINGLE = {
    "raises": f"""
    def deliver(self, record, settings):
        if record.values["order"] == "bad":
            raise KeyError("fault")
        {POSTED}
""",
    "returns what is no outcome": f"""
    def deliver(self, record, settings):
        {POSTED}
        return "fine" if record.test or record.values["order"] == "bad" else None
""",
    "judges with what is no outcome": f"""
    def deliver(self, record, settings):
        {POSTED}

    def judge(self, reply):
        Acme.heard = getattr(Acme, "heard", 0) + 1
        return 5 if Acme.heard == 2 else None
""",
    "is no recipe": f"""
    def deliver(self, record, settings):
        return None if record.values["order"] == "bad" else self._sent(record, settings)

    def _sent(self, record, settings):
        {POSTED}
""",
    "gives a result that there is not": f"""
    def deliver(self, record, settings):
        {POSTED}
        return Outcome("fine") if record.values["order"] == "bad" else None
""",
}


@pytest.mark.parametrize("fault", SINGLE)
def test_a_fault_on_one_record_is_the_verdict_on_that_one(
    fault: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(SINGLE[fault] + "\n    limits = Limits(concurrency=1)\n", tmp_path, monkeypatch) as slug:
        sell(world, slug)
        found = fates(world)
    assert {found[order].state for order in ("good-1", "good-2")} == {deliveries.DELIVERED}
    assert (found["bad"].state, found["bad"].reason) == (deliveries.FAILED, "connector_broken")
    assert "Acme" in found["bad"].detail
    assert len(posted(world)) == len(set(posted(world)))  # nothing was sent twice for it


ODD = {
    "a reason that there is not": 'Outcome(Result.REFUSED, "because" * 9, "said")',
    "a detail that no database takes": 'Outcome(Result.REFUSED, detail="said \\x00 \\ud800")',
    "a pause that is no number": 'Outcome(Result.TRY_LATER, detail="said", after="soon")',
    "a pause without end": 'Outcome(Result.TRY_LATER, detail="said", after=float("inf"))',
}


@pytest.mark.parametrize("odd", ODD)
def test_an_outcome_with_odd_parts_is_recorded_all_the_same(
    odd: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"""
    def deliver(self, record, settings):
        {POSTED}
        return {ODD[odd]} if record.values["order"] == "bad" else None
"""
    with installed(body, tmp_path, monkeypatch) as slug:
        sell(world, slug)
        found = fates(world)
    assert {found[order].state for order in ("good-1", "good-2")} == {deliveries.DELIVERED}
    assert found["bad"].tries == 1
    assert found["bad"].reason in REASONS
    assert "said" in found["bad"].detail


BATCHES = """
    batch = Batch(max_records=100, whole_batch_fails={whole})

    def group(self, record, settings):
        if record.values["order"] == "{ungrouped}":
            raise KeyError("fault")
        return ""

    def deliver(self, records, settings):
        yield Call.post(settings["url"], json=dict(order="", all=[record.values["order"] for record in records]))
"""


def test_a_record_that_cannot_be_grouped_does_not_hold_up_the_others(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(BATCHES.format(whole=True, ungrouped="bad"), tmp_path, monkeypatch) as slug:
        sell(world, slug)
        found = fates(world)
    assert {found[order].state for order in ("good-1", "good-2")} == {deliveries.DELIVERED}
    assert (found["bad"].state, found["bad"].reason) == (deliveries.FAILED, "connector_broken")


@pytest.mark.parametrize("whole", [True, False])
def test_a_batch_is_parted_only_where_one_record_can_spoil_it(
    whole: bool, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receiver.answers = [404] * 10
    with installed(BATCHES.format(whole=whole, ungrouped=""), tmp_path, monkeypatch) as slug:
        sell(world, slug)
        found = fates(world)
    assert {row.reason for row in found.values()} == {"refused_by_destination"}
    assert len(posted(world)) == (5 if whole else 1)  # three records: all, one, two, one, one


def test_a_batch_that_is_too_long_is_parted_by_whoever_takes_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receiver.answers = [413]
    with installed(BATCHES.format(whole=False, ungrouped=""), tmp_path, monkeypatch) as slug:
        sell(world, slug)
        found = fates(world)
    assert {row.state for row in found.values()} == {deliveries.DELIVERED}


PREPARING = {
    "at once": """
    def prepare(self, settings):
        raise KeyError("fault")
""",
    "on its way": """
    def prepare(self, settings):
        reply = yield Call.post(settings["url"], json={"order": "prepare"})
        return reply.json()["fault"]
""",
    "with its settings": """
    settings_version = 2

    def upgrade_settings(self, settings, from_version):
        raise KeyError("fault")
""",
}


@pytest.mark.parametrize("when", PREPARING)
def test_a_connector_that_fails_before_the_first_record_is_seen_by_its_owner(
    when: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(PREPARING[when] + SINGLE["raises"], tmp_path, monkeypatch) as slug:
        destination = sell(world, slug, settings_version=1 if when == "with its settings" else 2)
        with world.store.read() as tx:
            row = connections.get_connection(tx, destination)
    assert row is not None
    # What cannot be opened goes on by itself after an update; what failed at the platform waits for its owner.
    reason = "connector_unusable" if when == "with its settings" else "connector_broken"
    assert (row.state, row.state_reason) == (connections.NEEDS_YOU, reason)
    assert "KeyError" in row.state_detail
    assert {row.state for row in fates(world).values()} == {deliveries.WAITING}


ASKED = """
    def check(self, settings):
        raise KeyError("fault")

    def prepare(self, settings):
        raise KeyError("fault")

    def discover(self, settings):
        raise KeyError("fault")

    def deliver(self, record, settings):
        raise KeyError("fault")
"""


@pytest.mark.parametrize("what", ["check", "prepare", "discover"])
def test_what_a_person_asks_of_a_faulty_connector_is_answered_with_its_fault(
    what: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(ASKED, tmp_path, monkeypatch) as slug:
        connected = open_connection(world.connect(slug, "destination", url=world.receiver.url))
        with pytest.raises(ConnectorBroken, match="Acme") as told:
            getattr(steer, what)(connected)
    assert "KeyError" in told.value.detail


def test_a_test_that_a_faulty_connector_trips_over_says_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(SINGLE["returns what is no outcome"], tmp_path, monkeypatch) as slug:
        row = world.connect(slug, "destination", url=world.receiver.url)
        with world.store.read() as tx:
            made = test_send.ready(tx, row.id, workspace_id=world.workspace_id)
        with pytest.raises(Refused) as told:
            test_send.send(open_connection(row), made)
    assert told.value.reason == "connector_broken"

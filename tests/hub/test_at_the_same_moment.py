"""What looks whether there is something, and makes it where it is missing, makes it once: also eight at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from hub.steer import accounts as steer_accounts
from hub.steer import connections as steer
from hub.steer import records
from hub.steer.errors import Invalid
from hub.store import Store, accounts, connections, now, routes, upgrade

AT_ONCE = 8


def at_once(store: Store, do: Callable[[Any, int], Any]) -> list[Any]:
    """What ``do(tx, number)`` returns, or raises, in as many transactions that all begin at the same moment."""
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> Any:
        start.wait()
        try:
            with store.write() as tx:
                return do(tx, number)
        except (Invalid, DBAPIError) as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


@pytest.fixture
def workspace_id(store: Store) -> str:
    with store.write() as tx:
        return accounts.add_workspace(tx, now(), name="Shop")


def test_pixels_connected_at_the_same_moment_get_numbers_of_their_own(store: Store, workspace_id: str) -> None:
    def connect(tx: Any, number: int) -> int:
        made = steer.connect(
            tx, now(), workspace_id, connector="pixel", role="source", name=f"{number}", settings={"currency": "EUR"}
        )
        return int(steer.get(tx, made)["number"])

    assert sorted(at_once(store, connect)) == list(range(1, AT_ONCE + 1))


def test_mappings_saved_at_the_same_moment_are_versions_of_their_own(store: Store, workspace_id: str) -> None:
    with store.write() as tx:
        settings = {"url": "https://example.com/hook"}
        steer.connect(tx, now(), workspace_id, connector="http", role="destination", name="Hook", settings=settings)
        (route,) = routes.routes_of(tx, workspace_id)
    saved = at_once(store, lambda tx, number: routes.new_mapping(tx, now(), route["id"], {"id": {"value": number}}))
    assert sorted(saved) == list(range(2, AT_ONCE + 2))


def test_one_of_those_who_set_up_an_empty_hub_at_the_same_moment_becomes_its_owner(store: Store) -> None:
    def own(tx: Any, number: int) -> Any:
        return steer_accounts.first_owner(tx, now(), email=f"o{number}@example.com", password="long enough for all")

    said = at_once(store, own)
    assert sum(isinstance(one, tuple) for one in said) == 1
    assert sum(isinstance(one, Invalid) for one in said) == AT_ONCE - 1
    with store.read() as tx:
        assert tx.scalar(select(func.count()).select_from(accounts.user)) == 1
        assert tx.scalar(select(func.count()).select_from(accounts.workspace)) == 1


def test_what_records_come_in_by_is_connected_once(store: Store, workspace_id: str) -> None:
    def record(tx: Any, number: int) -> Any:
        told = {"stage": "purchase", "order_id": f"{number}", "amount": "10", "currency": "EUR"}
        return records.record(tx, now(), workspace_id, told)[0]

    assert all(isinstance(one, str) for one in at_once(store, record))
    with store.read() as tx:
        assert len(connections.connections_of(tx, workspace_id, "source")) == 1


def test_settings_changed_at_the_same_moment_are_all_changed(store: Store, workspace_id: str) -> None:
    settings = {"url": "https://example.com", "plain_header": "X-Old", "plain_token": "old"}
    new = [{"url": "https://example.com/new"}, {"plain_header": "X-New"}]
    with store.write() as tx:
        made = steer.connect(
            tx, now(), workspace_id, connector="webhook", role="destination", name="Hook", settings=settings
        )
    assert (
        at_once(store, lambda tx, number: steer.change(tx, now(), made, settings=new[number % 2])) == [None] * AT_ONCE
    )
    with store.read() as tx:
        stored = steer.shown(steer.get(tx, made))["settings"]
    assert (stored["url"], stored["plain_header"]) == ("https://example.com/new", "X-New")


def test_a_schema_is_brought_up_to_date_once(database_url: str, tmp_path: Any) -> None:
    stores = [Store(database_url) for _ in range(3)]
    start = threading.Barrier(3)

    def one(store: Store) -> str:
        start.wait()
        return upgrade.upgrade(store, tmp_path)

    with ThreadPoolExecutor(3) as threads:
        assert len(list(threads.map(one, stores))) == 3
    upgrade.check(stores[0])
    for store in stores:
        store.close()


def test_a_reading_transaction_sees_one_state(store: Store, workspace_id: str) -> None:
    with store.read() as reading:
        before = accounts.get_workspace(reading, workspace_id)
        with store.write() as tx:
            tx.execute(text("UPDATE workspace SET name = 'Another'"))
        assert accounts.get_workspace(reading, workspace_id) == before
    with store.read() as reading:
        after = accounts.get_workspace(reading, workspace_id)
        assert after is not None
        assert after["name"] == "Another"

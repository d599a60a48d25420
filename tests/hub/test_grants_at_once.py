"""Many threads, processes and hosts need one connection's token at once: one renews it. On both databases."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from granted import installed
from granted.cloud.destination import Cloud
from granting import call, connect, grant_of, opened
from shop import Shop
from sqlalchemy.exc import OperationalError
from vendor import Vendor, vendor

from hub.connecting import vault
from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials
from hub.contract.inbound import Headers
from hub.outgoing import grants
from hub.settings import settings
from hub.store import Store, now
from hub.store import grants as stored
from hub.store.opened import close_opened_store


@pytest.fixture(autouse=True)
def _cloud() -> Iterator[None]:
    """The connector of tests/granted is installed, and nothing is remembered of other tests."""
    with installed():
        yield


@pytest.fixture
def platform() -> Iterator[Vendor]:
    with vendor(redirect_uri="http://127.0.0.1:8000/oauth/callback") as running:
        yield running


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_threads_of_many_senders_renew_once(shop: Shop, platform: Vendor) -> None:
    platform.slowness = 0.2
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: call(shop.store, connection_id), range(36)))
    assert (platform.refreshes, len(platform.received), platform.refused) == (1, 36, 0)


def test_many_401s_at_once_renew_once(shop: Shop, platform: Vendor) -> None:
    platform.slowness = 0.2
    connection_id = connect(shop, platform)
    platform.expire_access_tokens()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: call(shop.store, connection_id), range(12)))
    assert (platform.refreshes, len(platform.received)) == (1, 12)


def test_processes_renew_once(shop: Shop, platform: Vendor, database_url: str) -> None:
    platform.slowness = 0.3
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    shop.store.close()
    settings()  # the key is there before the others look for it
    spawn = multiprocessing.get_context("spawn")
    all_ready = spawn.Barrier(3)
    given = (dict(os.environ), connection_id, all_ready)
    others = [spawn.Process(target=_another_worker, args=given) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0, 0]
    assert (platform.refreshes, len(platform.received), platform.refused) == (1, 9, 0)


def _another_worker(environment: dict[str, str], connection_id: str, all_ready: Barrier) -> None:
    os.environ.update(environment)
    store = Store(settings().database_url)
    all_ready.wait(60)
    with installed(), ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: call(store, connection_id), range(3)))
    close_opened_store()
    store.close()


def test_a_renewal_that_died_is_taken_over(shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "LEASE", 1)
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    with shop.store.write() as tx:
        from hub.store import leases

        assert leases.take(tx, f"grant:{connection_id}", "a worker that was killed", 1)
    began = time.monotonic()
    call(shop.store, connection_id)
    assert 0.5 < time.monotonic() - began < 10
    assert platform.refreshes == 1


def test_early_renewals_hold_nobody_up(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=60, renew_at=-30)
    with shop.store.write() as tx:
        from hub.store import leases

        leases.take(tx, f"grant:{connection_id}", "a worker that is at it", 30)
    call(shop.store, connection_id)
    assert (platform.refreshes, len(platform.received)) == (0, 1)


def test_a_slower_renewal_does_not_undo_a_new_grant(shop: Shop, platform: Vendor) -> None:
    platform.slowness, platform.rotates = 0.5, False
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    renewing = threading.Thread(target=call, args=(shop.store, connection_id))
    renewing.start()
    time.sleep(0.2)
    told = platform.issue()
    with shop.store.write() as tx:
        tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
        ends = now() + timedelta(hours=1)
        stored.put(tx, now(), connection_id, "", {"tokens": tokens, "renew_at": ends, "expires_at": ends})
    renewing.join()
    assert grant_of(shop.store, connection_id)["access"] == told["access_token"]
    assert platform.received[-1][0] == f"Bearer {told['access_token']}"


def test_a_refusal_counts_only_if_nobody_has_renewed_since(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    told = platform.issue()

    def somebody_else_is_faster(asked: Call) -> Reply:
        with shop.store.write() as tx:
            ends = now() + timedelta(hours=1)
            tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
            stored.put(tx, now(), connection_id, "", {"tokens": tokens, "renew_at": ends, "expires_at": ends})
        return Reply(400, Headers(), b'{"error": "invalid_grant"}')

    headers: dict[str, str] = {}
    connected = opened(shop.store, connection_id)
    grants.authorize(Cloud.auth, Call.get(platform.url), connected, headers, {}, b"", somebody_else_is_faster)
    assert headers == {"Authorization": f"Bearer {told['access_token']}"}
    assert grant_of(shop.store, connection_id)["broken_at"] is None


def test_new_tokens_survive_a_short_absence_of_the_database(
    shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    troubles = [OperationalError("UPDATE", {}, Exception("the connection was lost"))]
    really = stored.renew

    def renew(*given: Any) -> bool:
        if troubles:
            raise troubles.pop()
        return really(*given)

    monkeypatch.setattr(stored, "renew", renew)
    call(shop.store, connection_id)
    assert (platform.refreshes, len(platform.received)) == (1, 1)
    assert f"Bearer {grant_of(shop.store, connection_id)['access']}" == platform.received[0][0]


def test_what_was_refused_is_not_asked_again_at_once_but_a_new_grant_counts_at_once(
    shop: Shop, platform: Vendor
) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    platform.ended = True
    for _ in range(3):
        with pytest.raises(BadCredentials):
            call(shop.store, connection_id)
    assert platform.refreshes == 1
    told = platform.issue()
    with shop.store.write() as tx:
        tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
        stored.put(tx, now(), connection_id, "", {"tokens": tokens, "renew_at": None, "expires_at": None})
    call(shop.store, connection_id)
    assert len(platform.received) == 1

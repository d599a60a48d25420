"""Tokens: got, kept, renewed by one worker at a time, and given up with a sentence. Against a platform over real HTTP."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from granted import installed
from granted.cloud.destination import Cloud
from shop import Shop
from sqlalchemy import update
from vendor import CLIENT, SECRET, Vendor, vendor

from hub import journey, vault
from hub.connected import Connected
from hub.contract.errors import BadCredentials, TryLater
from hub.deliver import grants, oauth
from hub.deliver.sender import Sender
from hub.settings import settings
from hub.steer import connections as steer
from hub.store import Store, connections, deliveries, now
from hub.store import grants as stored
from hub.store.own import close_own


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


def connect(shop: Shop, platform: Vendor, *, granted: bool = True, **columns: Any) -> str:
    """A destination at the platform; with a grant from two minutes ago. ``columns`` of the grant: seconds from now."""
    with shop.store.write() as tx:
        connection_id = steer.connect(
            tx, now(), shop.workspace_id, connector="cloud", role="destination", name="Cloud",
            settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
        )  # fmt: skip
        if granted:
            told, at = platform.issue(), now() - timedelta(minutes=2)
            tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
            ends = {"expires_at": 3600.0, "renew_at": 3510.0} | columns
            moments = {name: None if ends[name] is None else now() + timedelta(seconds=ends[name]) for name in ends}
            stored.put(tx, at, connection_id, "", {"tokens": tokens, **moments})
            connections.set_state(tx, connection_id, now(), connections.ACTIVE)
    return connection_id


def opened(store: Store, connection_id: str) -> Connected:
    with store.read() as tx:
        return steer.opened(tx, connection_id)


def grant_of(store: Store, connection_id: str) -> dict[str, Any]:
    with store.read() as tx:
        row = stored.get(tx, connection_id)
    assert row is not None
    return dict(row) | vault.unseal(row["tokens"])


def call(store: Store, connection_id: str) -> None:
    """One call of the connection's, as a lane makes them."""
    connected = opened(store, connection_id)
    sender, recipe = Sender(), connected.connector.check(connected.settings)
    assert recipe is not None
    try:
        sender.run(connected, recipe)
    finally:
        sender.close()


def test_a_live_token_is_used_as_it_is(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform)
    call(shop.store, connection_id)
    assert platform.received == [(f"Bearer {grant_of(shop.store, connection_id)['access']}", None)]
    assert platform.asked == []


def test_a_token_about_to_end_is_renewed_first_and_the_rotated_refresh_token_is_kept(
    shop: Shop, platform: Vendor
) -> None:
    connection_id = connect(shop, platform, expires_at=60, renew_at=-30)
    before = grant_of(shop.store, connection_id)
    call(shop.store, connection_id)
    after = grant_of(shop.store, connection_id)
    assert platform.refreshes == 1
    assert after["access"] != before["access"]
    assert after["refresh"] not in ("", before["refresh"])
    assert platform.received[0][0] == f"Bearer {after['access']}"
    assert 3500 < (after["expires_at"] - now()).total_seconds() <= 3600
    assert after["granted_at"] == before["granted_at"]
    assert after["renew_at"] == after["expires_at"] - timedelta(seconds=grants.EARLY)


def test_a_refresh_token_that_does_not_rotate_stays(shop: Shop, platform: Vendor) -> None:
    platform.rotates = False
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    before = grant_of(shop.store, connection_id)
    call(shop.store, connection_id)
    after = grant_of(shop.store, connection_id)
    assert after["refresh"] == before["refresh"]
    assert after["access"] != before["access"]


def test_a_401_under_a_live_token_renews_once_and_tries_once_more(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform)
    platform.expire_access_tokens()
    call(shop.store, connection_id)
    assert (platform.refused, platform.refreshes, len(platform.received)) == (1, 1, 1)


def test_a_second_401_is_the_answer(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform)
    platform.life = -1  # what it gives is worth nothing
    platform.expire_access_tokens()
    with pytest.raises(BadCredentials) as caught:
        call(shop.store, connection_id)
    assert caught.value.reason == "credentials_refused"
    assert (platform.refused, platform.refreshes) == (2, 1)


@pytest.mark.parametrize(
    "trouble", [(500, {}), (503, {"error": "temporarily_unavailable"}), (429, {}), (400, {"error": "slow_down"})]
)
def test_a_token_endpoint_in_trouble_is_asked_again_later(
    shop: Shop, platform: Vendor, trouble: tuple[int, dict[str, Any]]
) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    platform.troubles = [trouble]
    with pytest.raises(TryLater) as caught:
        call(shop.store, connection_id)
    assert caught.value.whole_connection
    call(shop.store, connection_id)
    assert platform.refreshes == 2


def test_while_it_is_in_trouble_a_token_that_has_not_ended_is_still_used(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=60, renew_at=-30)
    platform.troubles = [(500, {})]
    call(shop.store, connection_id)
    assert len(platform.received) == 1


def test_a_token_endpoint_that_cannot_be_reached_is_a_passing_failure(shop: Shop) -> None:
    with vendor() as gone:
        connection_id = connect(shop, gone, expires_at=-5, renew_at=-95)
    with pytest.raises(TryLater):
        call(shop.store, connection_id)


def test_a_broken_grant_says_how_to_connect_again_and_tells_no_token(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    refresh = grant_of(shop.store, connection_id)["refresh"]
    platform.ended = True
    with pytest.raises(BadCredentials) as caught:
        call(shop.store, connection_id)
    assert caught.value.reason == "grant_broken"
    assert "press Connect again" in caught.value.message
    assert "Token *** was revoked" in caught.value.detail
    assert refresh not in caught.value.detail
    assert grant_of(shop.store, connection_id)["broken_at"] is not None


def test_an_access_that_cannot_be_renewed_lives_to_its_end(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=60, renew_at=None)
    call(shop.store, connection_id)
    with shop.store.write() as tx:
        ended = {"expires_at": now(), "tokens": vault.seal({"access": "at-1", "refresh": ""})}
        tx.execute(update(stored.grant).values(**ended))
    grants.forget(connection_id)
    with pytest.raises(BadCredentials) as caught:
        call(shop.store, connection_id)
    assert caught.value.reason == "grant_broken"
    assert platform.asked == []


def test_a_wrong_client_secret_is_not_taken_for_a_broken_grant(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    with shop.store.write() as tx:
        steer.change(tx, now(), connection_id, settings={"client_secret": "another"})
    with pytest.raises(BadCredentials) as caught:
        call(shop.store, connection_id)
    assert caught.value.reason == "credentials_refused"
    assert grant_of(shop.store, connection_id)["broken_at"] is None
    with shop.store.write() as tx:
        steer.change(tx, now(), connection_id, settings={"client_secret": SECRET})
    grants.forget(connection_id)  # or a few seconds later
    call(shop.store, connection_id)


def test_members_that_come_with_a_renewed_token_become_settings(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    platform.more = {"account": "moved"}
    call(shop.store, connection_id)
    assert opened(shop.store, connection_id).settings["account"] == "moved"
    assert opened(shop.store, connection_id).settings["client_secret"] == SECRET


def test_tokens_are_stored_encrypted_and_shown_nowhere(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform)
    tokens = grant_of(shop.store, connection_id)
    with shop.store.read() as tx:
        row = stored.get(tx, connection_id)
        shown = str(steer.shown(steer.get(tx, connection_id)))
    assert row is not None
    assert tokens["access"].encode() not in bytes(row["tokens"])
    assert tokens["access"] not in shown


@pytest.mark.parametrize("wrong", ["{}/elsewhere?x=", "https://evil.example.com#", "https://user@example.com", "x y"])
def test_a_setting_in_an_address_is_a_host_and_nothing_more(shop: Shop, platform: Vendor, wrong: str) -> None:
    connection_id = connect(shop, platform)
    with shop.store.write() as tx:
        steer.change(tx, now(), connection_id, settings={"login": wrong.format(platform.url)})
    connected = opened(shop.store, connection_id)
    with pytest.raises(BadCredentials, match="cannot be part of an address"):
        oauth.refresh(Cloud.auth, connected, "rt-1")
    with pytest.raises(BadCredentials, match="cannot be part of an address"):
        oauth.authorization_url(Cloud.auth, connected, "https://hub.example.com/oauth/callback", "s", "v")


# -- what a lane makes of it -------------------------------------------------------------------------------------------


def deliver(shop: Shop, connection_id: str) -> None:
    journey.deliver(shop.store, connection_id, 5)
    grants.forget(connection_id)  # every turn of a lane is a process of its own


def test_deliveries_wait_until_access_is_granted_and_after_it_was_withdrawn(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, granted=False)
    with shop.store.read() as tx:
        assert steer.get(tx, connection_id)["state_reason"] == "grant_missing"
    shop.hit()
    deliver(shop, connection_id)
    assert waiting(shop, connection_id) == 1

    with shop.store.write() as tx:
        steer.resume(tx, now(), connection_id)  # too early
    deliver(shop, connection_id)
    with shop.store.read() as tx:
        row = steer.get(tx, connection_id)
    assert (row["state"], row["state_reason"]) == (connections.NEEDS_YOU, "grant_missing")
    assert waiting(shop, connection_id) == 1

    with shop.store.write() as tx:
        told = platform.issue()
        tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
        stored.put(tx, now(), connection_id, "", {"tokens": tokens, "renew_at": now(), "expires_at": None})
        steer.resume(tx, now(), connection_id)
    platform.ended = True
    deliver(shop, connection_id)
    with shop.store.read() as tx:
        row = steer.get(tx, connection_id)
    assert (row["state"], row["state_reason"]) == (connections.NEEDS_YOU, "grant_broken")
    assert "press Connect again" in row["state_detail"]
    assert waiting(shop, connection_id) == 1

    platform.ended = False
    with shop.store.write() as tx:
        told = platform.issue()
        tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
        stored.put(tx, now(), connection_id, "", {"tokens": tokens, "renew_at": None, "expires_at": None})
        steer.resume(tx, now(), connection_id)
    deliver(shop, connection_id)
    assert waiting(shop, connection_id) == 0
    assert [body for _, body in platform.received] == [{"email": "anna@example.com"}]


def waiting(shop: Shop, connection_id: str) -> int:
    with shop.store.read() as tx:
        return len(deliveries.waiting_of(tx, connection_id))


# -- one renewal at a time ---------------------------------------------------------------------------------------------


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
    others = [spawn.Process(target=_another_worker, args=(dict(os.environ), connection_id)) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0, 0]
    assert (platform.refreshes, len(platform.received), platform.refused) == (1, 9, 0)


def _another_worker(environment: dict[str, str], connection_id: str) -> None:
    os.environ.update(environment)
    store = Store(settings().database_url)
    with installed(), ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: call(store, connection_id), range(3)))
    close_own()
    store.close()


def test_a_renewal_that_died_is_taken_over(shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "LEASE", 1)
    connection_id = connect(shop, platform, expires_at=-5, renew_at=-95)
    with shop.store.write() as tx:
        from hub.store import leases

        assert leases.take(tx, f"grant:{connection_id}", "a worker that was killed", now(), 1)
    began = time.monotonic()
    call(shop.store, connection_id)
    assert 0.5 < time.monotonic() - began < 10
    assert platform.refreshes == 1


def test_early_renewals_hold_nobody_up(shop: Shop, platform: Vendor) -> None:
    connection_id = connect(shop, platform, expires_at=60, renew_at=-30)
    with shop.store.write() as tx:
        from hub.store import leases

        leases.take(tx, f"grant:{connection_id}", "a worker that is at it", now(), 30)
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

"""Tokens: got, kept, renewed by one worker at a time, and given up with a sentence. Against a platform over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from granted import installed
from granted.cloud.destination import Cloud
from granting import call, connect, grant_of, opened
from shop import Shop
from sqlalchemy import update
from vendor import SECRET, Vendor, vendor

from hub.connecting import vault
from hub.contract.errors import BadCredentials, TryLater
from hub.outgoing import grants, oauth
from hub.run import lanes
from hub.steer import connections as steer
from hub.store import Store, connections, deliveries, now
from hub.store import grants as stored


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


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what is asked of the database is tested on both in test_grants_at_once.py."""
    (tmp_path / "data").mkdir(exist_ok=True)
    return f"sqlite:///{tmp_path / 'data' / 'hub.db'}"


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
    lanes.deliver(shop.store, connection_id, 5)
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

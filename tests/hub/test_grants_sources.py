"""A source that must be granted access to ask for what its messages leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from granted import installed
from shop import Shop
from vendor import CLIENT, SECRET, Vendor, vendor

from hub.connecting import vault
from hub.outgoing import grants
from hub.steer import connections as steer
from hub.steer import grants as granting
from hub.store import Store, connections, inbound, now
from hub.store import grants as stored


@pytest.fixture(autouse=True)
def _cloud() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def platform() -> Iterator[Vendor]:
    with vendor() as running:
        yield running


def test_what_has_to_be_asked_for_waits_for_access_and_the_rest_goes_on(store: Store, platform: Vendor) -> None:
    shop = Shop(store)
    with store.write() as tx:
        source_id = steer.connect(
            tx,
            now(),
            shop.workspace_id,
            connector="cloud",
            role="source",
            name="Cloud",
            settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
        )
    arrive(shop, source_id, {"id": "1"})
    arrive(shop, source_id, {"id": "2", "email": "told@example.com"})
    assert seen(shop) == {"1": ("parked", "grant_missing"), "2": ("done", "new_conversion")}

    give_access(store, platform, source_id)
    arrive(shop, source_id, {"id": "3"})
    assert seen(shop)["3"] == ("done", "new_conversion")
    assert state(store, source_id) == (connections.ACTIVE, "")

    platform.ended = True
    platform.expire_access_tokens()
    age(store, source_id)
    arrive(shop, source_id, {"id": "4"})
    assert seen(shop)["4"] == ("parked", "grant_broken")
    assert state(store, source_id) == (connections.NEEDS_YOU, "grant_broken")
    arrive(shop, source_id, {"id": "5", "email": "also@example.com"})
    assert seen(shop)["5"] == ("done", "new_conversion")


def test_once_access_is_granted_what_was_set_aside_is_read(store: Store, platform: Vendor) -> None:
    shop = Shop(store)
    platform.redirect_uri = granting.redirect_uri()
    with store.write() as tx:
        source_id = steer.connect(
            tx,
            now(),
            shop.workspace_id,
            connector="cloud",
            role="source",
            name="Cloud",
            settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
        )
    arrive(shop, source_id, {"id": "1"})
    with store.write() as tx:
        asked = granting.begin(tx, now(), steer.opened(tx, source_id), "user", "browser")
    back = platform.authorize(query_of(asked))
    granting.complete(
        store, query_of(back), workspace_id=shop.workspace_id, user_id="user", browser="browser", author="me"
    )
    shop.read()
    assert seen(shop) == {"1": ("done", "new_conversion")}
    assert state(store, source_id) == (connections.ACTIVE, "")


def query_of(url: str) -> dict[str, str]:
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(url).query))


def arrive(shop: Shop, source_id: str, body: dict[str, Any]) -> None:
    shop.hit("", connection_id=source_id, method="POST", path="/in/x", body=json.dumps(body).encode())
    grants.forget(source_id)


def seen(shop: Shop) -> dict[str, tuple[str, str]]:
    with shop.store.read() as tx:
        rows = [inbound.get(tx, row["id"]) for row in inbound.latest(tx, shop.workspace_id)]
    return {json.loads(row["body"])["id"]: (row["state"], row["reason"]) for row in rows if row is not None}


def state(store: Store, source_id: str) -> tuple[str, str]:
    with store.read() as tx:
        row = steer.get(tx, source_id)
    return row["state"], row["state_reason"]


def give_access(store: Store, platform: Vendor, source_id: str) -> None:
    told = platform.issue()
    with store.write() as tx:
        tokens = vault.seal({"access": told["access_token"], "refresh": told["refresh_token"]})
        stored.put(tx, now(), source_id, "", {"tokens": tokens, "renew_at": None, "expires_at": None})
        steer.resume(tx, now(), source_id)
    grants.forget(source_id)


def age(store: Store, source_id: str) -> None:
    """The token was not given just now."""
    with store.write() as tx:
        tx.execute(stored.grant.update().values(renewed_at=now().replace(year=2020)))
    grants.forget(source_id)

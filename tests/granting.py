"""Connections to the platform of tests/vendor.py, and calls over them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shop import Shop
from vendor import CLIENT, SECRET, Vendor

from hub.connecting import vault
from hub.connecting.connected import Connected
from hub.outgoing.sender import Sender
from hub.steer import connections as steer
from hub.store import Store, connections, now
from hub.store import grants as stored
from hub.store.base import columns_of


def connect(shop: Shop, platform: Vendor, *, granted: bool = True, **columns: Any) -> str:
    """A destination at the platform; with a grant from two minutes ago. ``columns`` of the grant: seconds from now."""
    with shop.store.write() as tx:
        connection_id = steer.connect(
            tx,
            now(),
            shop.workspace_id,
            connector="cloud",
            role="destination",
            name="Cloud",
            settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
        )
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
    return columns_of(row) | vault.unseal(row.tokens)


def call(store: Store, connection_id: str) -> None:
    """One call of the connection's, as a lane makes them."""
    connected = opened(store, connection_id)
    sender, recipe = Sender(), connected.connector.check(connected.settings)
    assert recipe is not None
    try:
        sender.run(connected, recipe)
    finally:
        sender.close()

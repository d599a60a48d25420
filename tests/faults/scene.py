"""A running hub with a signed source, a pixel, and three receivers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from receivers import SECRET, Receivers, Shop
from running_hub import RunningHub, running_hub, until
from sqlalchemy import func, select

from hub.steer import connections as steer
from hub.store import Store, accounts, connections, deliveries, inbound, now

NAMES = ("one", "two", "three")


@dataclass
class Scene:
    """A hub that runs, its database seen from outside, and both ends of the journey."""

    hub: RunningHub
    store: Store
    receivers: Receivers
    shop: Shop

    def unfinished(self) -> int:
        """Messages not yet read, and deliveries not yet over."""
        with self.store.read() as tx:
            unread = tx.scalar(select(func.count()).where(inbound.inbound.c.state == inbound.RECEIVED)) or 0
            waiting = tx.scalar(select(func.count()).where(deliveries.delivery.c.state == deliveries.WAITING)) or 0
        return int(unread) + int(waiting)

    def wait_until_all_is_done(self, seconds: float) -> None:
        until(lambda: self.unfinished() == 0, seconds, lambda: f"{self.unfinished()} wait.\n{self.hub.said()}")


@contextmanager
def running_scene(data: Path, database_url: str) -> Iterator[Scene]:
    """A hub that is up and set up, and is gone afterwards."""
    with running_hub(data, DATABASE_URL=database_url) as hub:
        store, receivers = Store(database_url), Receivers()
        try:
            yield Scene(hub, store, receivers, Shop(hub.port, connect(store, receivers)))
        finally:
            receivers.close()
            store.close()


def connect(store: Store, receivers: Receivers) -> str:
    """A signed source, a pixel and a destination for each receiver; returns the source's address."""
    source = {"scheme": "hmac_hex", "header": "X-Signature", "secret": [SECRET]}
    with store.write() as tx:
        workspace = accounts.first_workspace(tx)
        assert workspace is not None
        wanted = [("webhook", "source", source), ("pixel", "source", {})]
        wanted += [("webhook", "destination", {"url": receivers.url(name)}) for name in NAMES]
        made = [
            steer.connect(tx, now(), workspace["id"], connector=connector, role=role, name=connector, settings=chosen)
            for connector, role, chosen in wanted
        ]
        row = connections.get_connection(tx, made[0])
        assert row is not None
        return str(row["address"])

"""A small shop for tests: a pixel that was hit, and a destination that is to hear of it. Nothing is sent anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.run import asking
from hub.run.reader import read_messages
from hub.steer import connections
from hub.store import Store, accounts, conversions, deliveries, inbound, new_id, now, routes
from hub.store.base import Row, insert

SALE = "email=anna%40example.com&orderId=1001&amount=49.99&currency=EUR&webinarId=3&offer=spring-launch"
URL = "https://example.com/hook"


@dataclass
class Shop:
    """One workspace with a source, a destination and the route to it."""

    store: Store
    name: str = "Shop"
    workspace_id: str = field(init=False)
    source_id: str = field(init=False)
    destination_id: str = field(init=False)

    def __post_init__(self) -> None:
        with self.store.write() as tx:
            self.workspace_id = accounts.add_workspace(tx, now(), name=self.name)
            self.source_id = connections.connect(
                tx, now(), self.workspace_id, connector="pixel", role="source", name="Pixel", settings={}
            )
            self.destination_id = connections.connect(
                tx,
                now(),
                self.workspace_id,
                connector="webhook",
                role="destination",
                name="Hook",
                settings={"url": URL},
            )

    def hit(self, query: str = SALE, **columns: Any) -> str:
        """A hit of the pixel arrives and is read; returns the message's id."""
        message_id, at = new_id(), now()
        row = inbound.NEW_ROW | {
            "id": message_id,
            "workspace_id": self.workspace_id,
            "connection_id": self.source_id,
            "received_at": at,
            "due_at": at,
            "method": "GET",
            "path": "/v1/conversion/pixel/1",
            "query": query,
            "headers": {},
            "body": b"",
        }
        with self.store.write() as tx:
            insert(tx, inbound.inbound, [row | columns])
        self.read()
        return message_id

    def read(self) -> None:
        """Let the reader, and whoever asks senders beside it, do what is due."""
        read_messages(self.store, self.workspace_id, 5)
        if asking.may_be_asked(self.store, self.workspace_id):
            asking.ask_senders(self.store, self.workspace_id, 5)
            read_messages(self.store, self.workspace_id, 5)

    def fail(self, delivery_id: str) -> None:
        """The delivery was tried once, and refused for good."""
        at, exchange_id = now(), new_id()
        calls = [{"call": {"method": "POST", "url": URL, "headers": {}, "body": "{}"}, "reply": {"status": 422}}]
        exchange = {"id": exchange_id, "connection_id": self.destination_id, "at": at, "milliseconds": 12, "records": 1}
        verdict = {
            "id": delivery_id,
            "number": 1,
            "state": deliveries.FAILED,
            "reason": "refused_by_destination",
            "detail": "no such field",
            "due_at": at,
            "done_at": at,
            "mapping_id": self.route["mapping_id"],
            "result": "refused",
            "exchange_id": exchange_id,
            "ticket": None,
            "ticket_at": None,
            "uncounted": 0,
        }
        with self.store.write() as tx:
            deliveries.record(tx, at, [verdict], [exchange | {"calls": calls}])

    @property
    def route(self) -> Row:
        with self.store.read() as tx:
            return routes.routes_of(tx, self.workspace_id, connection_id=self.destination_id)[0]

    @property
    def conversions(self) -> list[Row]:
        with self.store.read() as tx:
            return list(conversions.latest(tx, self.workspace_id))

    @property
    def deliveries(self) -> list[Row]:
        with self.store.read() as tx:
            return deliveries.latest(tx, self.workspace_id)

    def message(self, message_id: str) -> Row:
        with self.store.read() as tx:
            row = inbound.get(tx, message_id)
        assert row is not None
        return row

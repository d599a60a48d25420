"""Settings count from the moment they are saved, in every process: a hit that comes right after is judged by them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hub.contract.signing import make_hmac
from journey.world import World, world

from hub import doors
from hub.demo import sample_sale
from hub.doors.intake import Hub
from hub.receive import Receiver
from hub.run import reader
from hub.steer import connections as steer
from hub.store import Store, inbound, now

OLD, NEW = "the old secret of this source", "the new secret of this source"


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


@pytest.fixture
def elsewhere(hub: World) -> Iterator[FlaskClient]:
    """Another web process with a database connection of its own."""
    store = Store(hub.store.url)
    writer = Receiver(store, lambda _: None)
    app = Flask("elsewhere")
    app.extensions["hub"] = Hub(store, writer, lambda *_: None)
    doors.register(app)
    yield app.test_client()
    writer.close()
    store.close()


def test_a_test_sale_right_after_a_new_secret_was_saved_is_taken(hub: World) -> None:
    made = hub.connect("webhook", "source", scheme="hmac_hex", header="X-Signature", secret=[OLD])
    for secret in (NEW, OLD, NEW):
        with hub.store.write() as tx:
            steer.change(tx, now(), made.id, settings={"secret": [secret]})
        with hub.store.read() as tx:
            connected = steer.opened_source(tx, made.id, hub.workspace_id)
        kept = sample_sale.send(hub.client.application.wsgi_app, hub.store, connected, now())
        with hub.store.read() as tx:
            row = inbound.get(tx, kept)
        assert row is not None
        assert (row["state"], row["trust"]) == (inbound.RECEIVED, "proven")


def test_the_old_secret_is_refused_at_once_in_every_process(hub: World, elsewhere: FlaskClient) -> None:
    made = hub.connect("webhook", "source", scheme="hmac_hex", header="X-Signature", secret=[OLD])
    for client in (hub.client, elsewhere):
        assert post(client, made.address, OLD, "1") == 200
        assert post(client, made.address, NEW, "2") == 401
    with hub.store.write() as tx:
        steer.change(tx, now(), made.id, settings={"secret": [NEW]})
    for client in (hub.client, elsewhere):
        assert post(client, made.address, OLD, "3") == 401
        assert post(client, made.address, NEW, "4") == 200


def test_a_pixel_that_was_just_added_or_removed_is_known_at_once(hub: World, elsewhere: FlaskClient) -> None:
    for client in (hub.client, elsewhere):
        assert client.get("/v1/conversion/pixel/1?orderId=1").status_code == 404
    made = hub.connect("pixel", "source")
    for client in (hub.client, elsewhere):
        assert client.get("/v1/conversion/pixel/1?orderId=1").status_code == 200
    with hub.store.write() as tx:
        steer.remove(tx, now(), made.id)
    for client in (hub.client, elsewhere):
        assert client.get("/v1/conversion/pixel/1?orderId=1").status_code == 404


def test_a_source_that_is_paused_while_a_reader_is_at_work_is_paused_at_once(hub: World) -> None:
    made = hub.connect("webhook", "source", scheme="secret_address")
    told: list[str] = []

    def stay() -> bool:  # called when nothing waits: the reader is in the middle of its turn
        if len(told) == 2:
            return False
        told.append("paused" if told else "read")
        if len(told) == 2:
            with hub.store.write() as tx:
                steer.pause(tx, now(), made.id)
        body: dict[str, Any] = {"event": "purchase", "order_id": str(len(told)), "email": "anna@example.com"}
        assert hub.client.post(f"/in/{made.address}", json=body).status_code == 200
        return True

    reader.read_messages(hub.store, hub.workspace_id, 5, stay=stay)
    with hub.store.read() as tx:
        reasons = [row.reason for row in reversed(inbound.latest(tx, hub.workspace_id))]
    assert reasons == ["order_added", "source_paused"]


def post(client: FlaskClient, address: str, secret: str, order: str) -> int:
    body = json.dumps({"event": "purchase", "order_id": order, "email": "anna@example.com"}).encode()
    headers = {"X-Signature": make_hmac(body, secret), "Content-Type": "application/json"}
    return client.post(f"/in/{address}", data=body, headers=headers).status_code

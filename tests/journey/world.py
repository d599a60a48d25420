"""A hub without its processes: doors on a test client, jobs run by hand, a real local receiver."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from hub import doors
from hub.doors.intake import Hub
from hub.receive import Receiver
from hub.run import asking, lanes, reader
from hub.steer import connections as steer
from hub.store import Store, accounts, connections, deliveries, inbound, now


class LocalReceiver:
    """An HTTP server on this machine that keeps what it is sent and answers as told."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answers: list[int] = []
        outer = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.received.append({"path": self.path, "headers": dict(self.headers), "body": body})
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def bodies(self) -> list[Any]:
        return [json.loads(one["body"]) for one in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """One workspace in one store, driven synchronously."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.receiver = LocalReceiver()
        with store.write() as tx:
            self.workspace_id = accounts.add_workspace(tx, now(), name="Atelier", currency="EUR")
        app = Flask("world")
        self._writer = Receiver(store, lambda _: None)
        app.extensions["hub"] = Hub(store, self._writer, lambda *_: None)
        doors.register(app)
        self.client: FlaskClient = app.test_client()

    def source(self, connector: str, **settings: Any) -> str:
        """Connect a source; returns the address to send to."""
        return str(self.connect(connector, "source", **settings)["address"])

    def destination(self, connector: str, **settings: Any) -> str:
        """Connect a destination with its first route; returns its id."""
        return str(self.connect(connector, "destination", **settings)["id"])

    def connect(self, connector: str, role: str, **settings: Any) -> Any:
        with self.store.write() as tx:
            made = steer.connect(
                tx, now(), self.workspace_id, connector=connector, role=role, name=connector, settings=settings
            )
            return connections.get_connection(tx, made)

    def work(self) -> None:
        """Run every job there is work for, until there is none."""
        for _ in range(20):
            woken, _ = reader.read_messages(self.store, self.workspace_id, 10)
            asking.ask_senders(self.store, self.workspace_id, 10)
            with self.store.read() as tx:
                due = set(deliveries.connections_due(tx, now())) | woken
                waiting = inbound.waiting(tx, self.workspace_id, now(), 1)
            for connection_id in due:
                lanes.deliver(self.store, connection_id, 10)
            if not due and not waiting:
                return

    def close(self) -> None:
        self._writer.close()
        self.receiver.close()


@contextmanager
def world(store: Store) -> Iterator[World]:
    made = World(store)
    try:
        yield made
    finally:
        made.close()

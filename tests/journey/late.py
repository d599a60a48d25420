"""A platform that takes records under a ticket and judges them later, with a connector of its own for it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub.connecting.registry import GROUP, registry

CONNECTOR = """
from hub.contract import Batch, Call, Category, Destination, Kind, Outcome, Result, SettingsSchema, Text, Url


class Settings(SettingsSchema):
    url = Url(Text("Address", "Adresse"), required=True)


class Late(Destination):
    slug, name, category, Settings = "late_acme", "Late Acme", Category.ADS, Settings
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND})
    amends = frozenset({Kind.REFUND})
    default_mapping = {"order": {"from": "order_id"}}
    batch = Batch(max_records=100)

    def deliver(self, records, settings):
        sent = [{"id": record.id, "order": record.values["order"]} for record in records]
        reply = yield Call.post(settings["url"] + "/records", json=sent)
        return self.preset_outcomes(records, Outcome.pending(reply.json()["ticket"], 1))

    def poll(self, ticket, settings):
        reply = yield Call.post(settings["url"] + "/verdict", json={"ticket": ticket})
        told = reply.json()
        if told == "not yet":
            return Outcome.pending(ticket, 1)
        return {name: Outcome(Result(said), detail="said late") for name, said in told.items()}
"""


class LatePlatform:
    """Keeps what it is sent; says "not yet" until ``verdicts`` has something for an order, or answers ``status``."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []  # orders, call by call
        self.asked: list[str] = []  # tickets
        self.verdicts: dict[str, str] = {}  # order: result
        self.status = 200
        self._ids: dict[str, dict[str, str]] = {}
        outer = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(outer._answer(self.path, body)).encode()
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, path: str, body: Any) -> Any:
        if path == "/records":
            ticket = f"t{len(self.sent)}"
            self.sent.append([one["order"] for one in body])
            self._ids[ticket] = {one["order"]: one["id"] for one in body}
            return {"ticket": ticket}
        self.asked.append(body["ticket"])
        ids = self._ids[body["ticket"]]
        if not self.verdicts.keys() & ids.keys():
            return "not yet"
        return {ids[order]: self.verdicts.get(order, "pending") for order in ids}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def late_connector(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connector ``late_acme`` is installed, as a stranger's package would be."""
    package = folder / "late_acme"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "destination.py").write_text(CONNECTOR)
    info = folder / "late_acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nlate_acme = late_acme\n")
    monkeypatch.syspath_prepend(str(folder))
    registry.cache_clear()
    yield
    registry.cache_clear()
    for module in [name for name in sys.modules if name.startswith("late_acme")]:
        del sys.modules[module]

"""The guided demo: connectors' own sample messages go through the hub's doors over HTTP, and come out at a local receiver.

A connector takes part by a file ``samples/demo.json``: ``{"settings": {…}, "messages": [names in samples/in]}`` for a
source, ``{"settings": {…}}`` for a destination, where ``{receiver}`` stands for the local receiver's address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from hub.connecting.connected import open_connection
from hub.connecting.registry import Entry, registry
from hub.contract.errors import ConfigError
from hub.demo import sample_sale
from hub.outgoing import local
from hub.settings import Settings
from hub.steer import connections as steer
from hub.store import Store, accounts, connections, conversions, deliveries, inbound, now
from hub.store.base import Values
from hub.store.connections import ConnectionRow
from hub.store.inbound import InboundHead

RECEIVED = "demo-received.jsonl"
PLAN = "demo.json"
PATIENCE = 90  # seconds until the demo says what did not arrive


@dataclass(slots=True)
class Arrival:
    """One delivery of the demo: where to, how it stands, and what the local receiver got."""

    destination: str
    state: str
    reason: str
    body: str = ""


@dataclass(slots=True)
class Step:
    """One sample message and what became of it. ``conversions`` are short dicts: stage, kind, value, order, e-mail."""

    source: str
    message: str
    inbound_id: str
    state: str
    reason: str
    conversions: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def arrived(self) -> bool:
        """Whether the message was read, and everything that was to be sent has come out at the receiver."""
        return self.state == inbound.DONE and bool(self.arrivals) and all(one.body for one in self.arrivals)


def run(store: Store, chosen: Settings) -> None:
    """Connect the demo's sources and destinations, then send every sample message. Does nothing when it was done before."""
    plan_file = chosen.data_dir / PLAN
    if plan_file.exists():
        return
    plan: list[Values] = []
    receiver = f"http://127.0.0.1:{receiver_port(chosen)}"
    for entry, role, told in _taking_part():
        values = {
            **_sample_settings(entry, role),
            **json.loads(json.dumps(told["settings"]).replace("{receiver}", receiver)),
        }
        with store.write() as tx:
            workspace = accounts.first_workspace(tx)
            if workspace is None:
                raise ConfigError("There is no workspace yet: start with “hub up”.")
            connection_id = steer.connect(
                tx,
                now(),
                workspace.id,
                connector=entry.slug,
                role=role,
                name=f"Demo · {entry.name}",
                settings=values,
            )
            row = connections.get_connection(tx, connection_id)
        plan.append({"entry": entry, "row": row, "messages": told.get("messages", [])})
    sent = []
    for one in plan:
        for name in one["messages"]:
            status = _send(chosen, one["row"], name)
            sent.append(
                {"connection": one["row"]["id"], "source": one["entry"].name, "message": name, "status": status}
            )
    plan_file.write_text(json.dumps(sent, indent=1))


def steps(store: Store, chosen: Settings) -> list[Step]:
    """How the demo stands; empty when there is none."""
    try:
        sent = json.loads((chosen.data_dir / PLAN).read_text())
    except (FileNotFoundError, ValueError):
        return []
    received = _received(chosen)
    with store.read() as tx:
        names: dict[str, list[str]] = {}
        for one in sent:
            names.setdefault(one["connection"], []).append(one["message"])
        found = []
        for connection_id, messages in names.items():
            row = connections.get_connection(tx, connection_id)
            if row is not None:
                rows = inbound.latest(tx, row.workspace_id, limit=len(messages), connection_id=connection_id)
                # Sent one after the other, so the stored ids are in the order of the plan.
                for name, message in zip(messages, reversed(rows), strict=False):
                    found.append(_step(tx, row, name, message, received))
    return found


def wait(store: Store, chosen: Settings, *, seconds: float = PATIENCE) -> list[Step]:
    """The steps as soon as everything has arrived, or after ``seconds``."""
    until = time.monotonic() + seconds
    while True:
        found = steps(store, chosen)
        if (found and all(step.arrived for step in found)) or time.monotonic() > until:
            return found
        time.sleep(0.3)


def receiver_port(chosen: Settings) -> int:
    """The demo's receiver listens beside the hub."""
    return chosen.port + 1


def serve_receiver(chosen: Settings) -> None:
    """Keep whatever is posted, as lines of JSON in the data folder, and answer 200."""
    file = chosen.data_dir / RECEIVED

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8", "replace")
            with file.open("a") as lines:
                lines.write(json.dumps({"path": self.path, "body": body}) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Nothing: what arrives is shown on the demo's page."""

    ThreadingHTTPServer(("127.0.0.1", receiver_port(chosen)), Endpoint).serve_forever()


def _taking_part() -> Iterator[tuple[Entry, Any, dict[str, Any]]]:
    parts = []
    for entry in registry().all():
        file = entry.folder / "samples" / "demo.json"
        if entry.broken is None and file.exists():
            told = json.loads(file.read_text())
            parts += [(entry, role, told[role]) for role in ("destination", "source") if role in told]
    return iter(sorted(parts, key=lambda part: part[1] == "source"))  # routes must stand before the first sale


def _sample_settings(entry: Entry, role: str) -> dict[str, Any]:
    for name in (f"settings.{role}.json", "settings.json"):
        file = entry.folder / "samples" / name
        if file.exists():
            loaded: dict[str, Any] = json.loads(file.read_text())
            return loaded
    return {}


def _send(chosen: Settings, row: ConnectionRow, name: str) -> int:
    """Send a sample message to its source's own door, signed as its sender would sign it now."""
    connected = open_connection(row)
    message = sample_sale.signed(connected, sample_sale.sample_of(connected, name), now())
    if message is None:
        raise ConfigError(f"{row.connector} takes part in the demo, so its source needs a rehearse method.")
    path = f"{message.path}?{message.query}" if message.query else message.path
    return local.call(chosen, message.method, path, headers=message.headers, body=message.body)


def _received(chosen: Settings) -> dict[tuple[str, str], str]:
    """By (path, event id): the body the receiver got."""
    found: dict[tuple[str, str], str] = {}
    try:
        lines = (chosen.data_dir / RECEIVED).read_text().splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        got = json.loads(line)
        body = json.loads(got["body"])
        event_id = body.get("event_id") or body.get("data", {}).get("id") or body.get("id", "")
        found[(got["path"], str(event_id))] = got["body"]
    return found


def _step(
    tx: Any, source: ConnectionRow, name: str, message: InboundHead, received: dict[tuple[str, str], str]
) -> Step:
    step = Step(source.name, name, message.id, message.state, message.reason)
    told = conversions.of_inbound(tx, message.id)
    own = conversions.by_ids(tx, [one.conversion_id for one in told if one.conversion_id])
    for row in own.values():
        step.conversions.append(
            {
                "stage": row.stage,
                "kind": row.kind,
                "value": row.value,
                "currency": row.currency,
                "order": row.data["order_id"],
                "email": row.data["contact"].get("email"),
            }
        )
    places = connections.connections_of(tx, message.workspace_id, "destination")
    targets = {row.id: row for row in places}
    for (conversion_id, _), sent in deliveries.of_conversions(tx, list(own)).items():
        target = targets[sent.connection_id]
        settings_of = steer.opened(tx, target.id).settings
        address = str(settings_of.get("url") or settings_of.get("hook_url") or "")
        body = received.get((urlsplit(address).path, own[conversion_id].event_id), "")
        step.arrivals.append(Arrival(target.name, sent.state, sent.reason, body))
    return step

"""What is recorded through the REST API: kept and read like a message of a source, with the API key as its proof.

The hub names no connector: a source that says ``takes_records`` stands for the tool that calls, and is set up by the
first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.attribute.orders import normal_id
from hub.connecting.connected import Connected, open_connection
from hub.connecting.registry import registry
from hub.contract.calls import dump_json
from hub.contract.connector import Source
from hub.contract.conversion import Conversion, iso
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Kind, Trust
from hub.normalize import read_message
from hub.steer import connections, hooks
from hub.steer.errors import in_both, invalid
from hub.store import connections as store
from hub.store import inbound, new_id, orders
from hub.store.base import alone, insert_new
from hub.verify import event_key

CALL = "/api/v1/conversions"


def record(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    fields: Mapping[str, Any],
    *,
    connector: str = "",
    author: str = "",
) -> tuple[str, Conversion]:
    """Keep one flat record (:mod:`hub.toolkit.flat_form`); returns its message's id and what it is understood to say.

    The same record again is kept once. ``connector`` names the tool that tells it. Raises Invalid.
    """
    if fields.get("stage") == Kind.CONTACT and not fields.get("occurred_at"):
        fields = {**fields, "occurred_at": iso(at)}  # someone's details may change to what they were before
    connected = _source(tx, at, workspace_id, connector, author)
    headers = {"content-type": "application/json"}
    message = Inbound(dump_json(fields), Headers(headers), at, path=CALL)
    try:
        conversion = next(iter(read_message(connected.source, message, connected.settings)), None)
    except NotUnderstood as error:
        raise invalid("record", *in_both(error)) from None
    if conversion is None:
        raise invalid("stage", "There is no such stage or kind.", "Cette étape ou nature n'existe pas.")
    row = inbound.NEW_ROW | {
        "id": new_id(),
        "workspace_id": workspace_id,
        "connection_id": connected.id,
        "received_at": at,
        "due_at": at,
        "method": message.method,
        "path": CALL,
        "query": "",
        "headers": headers,
        "body": message.body,
        "trust": Trust.PROVEN.value,
        "event_key": event_key(message, connected),
    }
    if insert_new(tx, inbound.inbound, [row], "connection_id", "event_key"):
        return row["id"], conversion
    kept = inbound.existing_keys(tx, [(connected.id, row["event_key"])])
    return kept[connected.id, row["event_key"]], conversion


def recorders() -> dict[str, Source]:
    """The sources that records may come in by."""
    entries = [entry for entry in registry().all() if "source" in entry.roles and not entry.broken]
    return {one.slug: one for entry in entries if (one := registry().source(entry.slug)).takes_records}


def order_named(tx: Connection, workspace_id: str, name: str) -> str | None:
    """The order that a sender calls ``name``; of several shops' orders of that name, the newest."""
    scopes = {"", *(row.order_scope for row in store.connections_of(tx, workspace_id, "source"))}
    names = [f"{scope}{normal}" for scope in scopes if (normal := normal_id(name))]
    return max(orders.aliases(tx, workspace_id, names).values(), default=None)


def _source(tx: Connection, at: datetime, workspace_id: str, connector: str, author: str) -> Connected:
    known = recorders()
    source = known.get(connector or hooks.subscriber().slug)
    if source is None:
        raise invalid("connector", f"One of: {', '.join(known)}.", f"L'un de : {', '.join(known)}.")
    alone(tx, f"recorder:{workspace_id}")
    rows = store.connections_of(tx, workspace_id, "source")
    row = next((one for one in rows if one.connector == source.slug), None)
    if row is None:
        made = connections.connect(
            tx,
            at,
            workspace_id,
            connector=source.slug,
            role="source",
            name=f"{source.name} (API)",
            settings={},
            author=author,
        )
        row = connections.get(tx, made)
    return open_connection(row)

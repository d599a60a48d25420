"""Where files come in: each row of a CSV becomes one message of a source, kept and read like any other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from hub.connected import Connected
from hub.contract.calls import dump_json
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Trust
from hub.store import inbound, new_id
from hub.store.base import Values, chunks, insert_new
from hub.verify import event_key

MOST_ROWS = 1_000_000


def import_rows(tx: Connection, at: datetime, connected: Connected, file: Path) -> int:
    """Keep every row of ``file`` as a message with trust *imported*; returns how many rows there were.

    The first line names the columns. Comma, semicolon and tab are recognized, and a byte order mark is passed over. A
    row that was imported before is kept once. Raises NotUnderstood when the file is not a table.
    """
    number = 0
    for some in chunks(_rows(file), 500):
        insert_new(tx, inbound.inbound, [_message(row, at, connected) for row in some], "connection_id", "event_key")
        number += len(some)
    return number


def _rows(file: Path) -> Iterator[dict[str, str]]:
    text = _decoded(file.read_bytes())
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=separator)
    names = [name.strip() for name in reader.fieldnames or []]
    if len(names) < 2 or len(set(names)) != len(names):
        raise NotUnderstood("The first line must name the columns, each once: email, amount, currency, order_id …")
    reader.fieldnames = names
    for position, row in enumerate(reader):
        if position >= MOST_ROWS:
            raise NotUnderstood(f"A file may have at most {MOST_ROWS} rows: split it.")
        if None in row:
            raise NotUnderstood(f"Line {position + 2} has more cells than the first line has columns.")
        yield {name: (value or "").strip() for name, value in row.items()}


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", "replace")  # what spreadsheets write where they do not write UTF-8


def _message(row: dict[str, str], at: datetime, connected: Connected) -> Values:
    body = dump_json({name: value for name, value in row.items() if value})
    headers = {"content-type": "application/json"}
    message = Inbound(body=body, headers=Headers(headers), received_at=at, method="FILE", path="/import")
    return inbound.NEW_ROW | {
        "id": new_id(), "workspace_id": connected.workspace_id, "connection_id": connected.id, "received_at": at,
        "due_at": at, "method": message.method, "path": message.path, "query": "", "headers": headers, "body": body,
        "trust": Trust.IMPORTED.value, "event_key": event_key(message, connected),
    }  # fmt: skip

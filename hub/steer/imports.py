"""Where files come in: each row of a CSV becomes one message of a source, kept and read like any other.

A row that cannot be read is not kept: it is reported with its line, so that it can be put right and imported again. Rows
that were imported before are kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from hub.connecting.connected import Connected
from hub.contract.calls import dump_json
from hub.contract.conversion import Conversion
from hub.contract.errors import ConnectorBroken, NotUnderstood
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Trust
from hub.normalize import read_message
from hub.store import Store, inbound, new_id
from hub.store.base import Values
from hub.store.bulk import insert_new
from hub.toolkit.csv_tables import Row, read_table
from hub.verify import event_key

MOST_ROWS = 1_000_000
AT_ONCE = 500  # rows in one transaction
MOST_SHOWN = 200  # bad lines told one by one
FIRST_ROWS = 5  # shown as they are read


@dataclass
class Imported:
    """What became of a file. ``bad`` holds (line, what is wrong) of the first rows that could not be read."""

    columns: list[str]
    rows: int = 0  # in the file, empty ones not counted
    kept: int = 0  # new to this source
    unused: int = 0  # read, and meaning nothing here
    refused: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    first: list[tuple[int, Conversion]] = field(default_factory=list)

    @property
    def known(self) -> int:
        """Rows that had been imported before."""
        return self.rows - self.kept - self.unused - self.refused


def import_rows(store: Store, at: datetime, connected: Connected, raw: bytes) -> Imported:
    """Keep every row of ``raw`` that can be read as a message with trust *imported*.

    Some hundred rows a transaction, so that the doors need not wait for a whole file; a file that was cut off on the way is
    simply imported again. Raises NotUnderstood when the file is no table.
    """
    columns, rows = read_table(raw)
    report = Imported(columns)
    messages = _readable(rows, at, connected, report)
    while some := [_stored(message, connected) for message in islice(messages, AT_ONCE)]:
        with store.write() as tx:
            report.kept += insert_new(tx, inbound.inbound, some, "connection_id", "event_key")
    return report


def check_rows(at: datetime, connected: Connected, raw: bytes) -> Imported:
    """What :func:`import_rows` would report, as far as that is known without the store; nothing is kept."""
    columns, rows = read_table(raw)
    report = Imported(columns)
    report.kept = sum(1 for _ in _readable(rows, at, connected, report))
    return report


def _readable(rows: Iterator[Row], at: datetime, connected: Connected, report: Imported) -> Iterator[Inbound]:
    for row in rows:
        report.rows += 1
        message = _message(row, at)
        problem = row.problem or (
            "" if report.rows <= MOST_ROWS else f"a file may have at most {MOST_ROWS} rows: split it"
        )
        found: list[Conversion] = []
        if not problem:
            try:
                found = read_message(connected.source, message, connected.settings)
            except (NotUnderstood, ConnectorBroken) as error:
                problem = error.message
        if problem:
            report.refused += 1
            report.bad += [(row.line, problem)] if len(report.bad) < MOST_SHOWN else []
        elif not found:
            report.unused += 1
        else:
            report.first += [(row.line, found[0])] if len(report.first) < FIRST_ROWS else []
            yield message


def _message(row: Row, at: datetime) -> Inbound:
    body = dump_json({name: value for name, value in row.cells.items() if value})
    return Inbound(body, Headers({"content-type": "application/json"}), at, "FILE", "/import")


def _stored(message: Inbound, connected: Connected) -> Values:
    return inbound.NEW_ROW | {
        "id": new_id(),
        "workspace_id": connected.workspace_id,
        "connection_id": connected.id,
        "received_at": message.received_at,
        "due_at": message.received_at,
        "method": message.method,
        "path": message.path,
        "query": "",
        "headers": dict(message.headers),
        "body": message.body,
        "trust": Trust.IMPORTED.value,
        "event_key": event_key(message, connected),
    }

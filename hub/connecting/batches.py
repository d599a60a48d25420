"""Which records may travel together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.contract import Destination, Record


def batches(destination: Destination, records: Sequence[Record], settings: Mapping[str, Any]) -> Iterator[list[Record]]:
    """``records`` as they may travel together: one by one, or by group and never more than the platform takes."""
    if destination.batch is None:
        yield from ([record] for record in records)
        return
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(destination.group(record, settings), []).append(record)
    size = destination.batch.max_records
    for group in groups.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))

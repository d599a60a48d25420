"""Which records may travel together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.contract import Destination, Record


def batches(
    destination: Destination,
    records: Sequence[Record],
    settings: Mapping[str, Any],
    failed: Callable[[Record, Exception], None] | None = None,
) -> Iterator[list[Record]]:
    """``records`` as they may travel together: one by one, or by group and never more than the platform takes.

    ``failed`` is told of a record for which the connector's ``group`` raises; without it, that comes out here.
    """
    if destination.batch is None:
        yield from ([record] for record in records)
        return
    groups: dict[str, list[Record]] = {}
    for record in records:
        try:
            name = str(destination.group(record, settings))
        except Exception as error:
            if failed is None:
                raise
            failed(record, error)
            continue
        groups.setdefault(name, []).append(record)
    size = destination.batch.max_records
    for group in groups.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))

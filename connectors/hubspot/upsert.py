"""One batch upsert: the inputs, and HubSpot's answer sorted out record by record.

Sources: developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/batch/upsert-contacts (``results``,
``errors``, ``objectWriteTraceId``), and recorded answers of other users: a 2xx with no results has written nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from hub.contract import BadMapping, Call, Outcome, Outcomes, Record, Reply, Result
from hub.toolkit.paths import dig, text

from .properties import written

_LIFECYCLE = "lifecyclestage"
_BAD_PROPERTY = re.compile(r'"name":\s*"(\w+)"|Property \\*"?(\w+)\\*"? does not exist')


def upsert(
    url: str,
    id_property: str,
    records: Sequence[Record],
    key_of: Callable[[Record], str],
    outcomes: Outcomes,
    prefix: str = "",
) -> Generator[Call, Reply, dict[str, str]]:
    """Write one object per key, and fill ``outcomes``. Returns HubSpot's id for each record that was written.

    HubSpot refuses a call that names a key twice, so records of one key become one object: the latest value wins.
    """
    properties: dict[str, dict[str, str]] = {}
    for record in sorted(records, key=lambda record: record.occurred_at):
        of_key = properties.setdefault(key_of(record), {})
        of_key.update(written(record.values, prefix))
        of_key.pop(id_property, None)  # the id says it; written again, a second address would replace the first
    inputs = [
        {"id": key, "idProperty": id_property, "properties": properties[key], "objectWriteTraceId": key}
        for key in properties
    ]
    try:
        reply = yield Call.post(f"{url}/batch/upsert", json={"inputs": inputs})
    except BadMapping as error:
        raise BadMapping(prefix + error.field, error.message, status=error.status, detail=error.detail) from error
    ids: dict[str, str] = {}
    answer = _Answer(reply.json(), id_property, list(properties))
    for record in records:
        key = key_of(record)
        outcomes[record.id] = answer.outcome(key, properties[key], prefix)
        if key in answer.written:
            ids[record.id] = str(answer.written[key]["id"])
    return ids


class _Answer:
    """A batch answer, sorted out by the trace id that each input carried (here: its key), never by position."""

    def __init__(self, body: Any, id_property: str, keys: list[str]) -> None:
        body = body if isinstance(body, dict) else {}
        only = keys[0] if len(keys) == 1 else None
        self.written: dict[str, Any] = {}
        for result in body.get("results") or []:
            key = dig(result, "objectWriteTraceId") or dig(result, f"properties.{id_property}") or only
            if key and dig(result, "id"):
                self.written[key] = result
        self.errors: dict[str, Any] = {}
        self.unclaimed = ""
        for error in body.get("errors") or []:
            traces = dig(error, "context.objectWriteTraceId") or []
            self.errors |= dict.fromkeys(traces, error)
            self.unclaimed = self.unclaimed or ("" if traces else said(error))

    def outcome(self, key: str, properties: Mapping[str, str], prefix: str) -> Outcome:
        if key in self.written:
            kept = dig(self.written[key], f"properties.{_LIFECYCLE}")
            wanted = properties.get(_LIFECYCLE)
            moved = kept is None or wanted is None or kept == wanted
            return Outcome.delivered("" if moved else f"HubSpot kept {_LIFECYCLE} {kept}: it never moves backward.")
        words = said(self.errors[key]) if key in self.errors else self.unclaimed
        if name := bad_property(words):
            return Outcome(Result.BAD_MAPPING, "refused_by_destination", words, field=prefix + name)
        return Outcome.refused(words or "HubSpot answered without an error, but did not write this record.")


def said(body: Any) -> str:
    """HubSpot's own words: ``VALIDATION_ERROR: …``."""
    parts = (text(dig(body, "category")), text(dig(body, "message")))
    return ": ".join(part for part in parts if part)


def bad_property(words: str) -> str | None:
    match = _BAD_PROPERTY.search(words)
    return match[1] or match[2] if match else None

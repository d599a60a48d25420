"""One conversion, mapped, as the Record a destination is given. The same function for delivery, preview and samples."""

from __future__ import annotations

from hub.contract.calls import Record
from hub.contract.conversion import Json, parse_iso
from hub.contract.vocabulary import Kind, Stage
from hub.mapping.problems import Problem
from hub.mapping.rules import CompiledMapping


def make_record(mapping: CompiledMapping, data: Json, record_id: str) -> tuple[Record, list[Problem]]:
    """The record of ``data`` (:func:`hub.mapping.facts.facts`), and what could not be made.

    It must not be sent when one of the problems is ``blocking``.
    """
    mapped = mapping.apply(data)
    record = Record(
        id=record_id,
        event_id=data["event_id"],
        kind=Kind(data.get("kind") or Kind.CONVERSION),
        stage=Stage(data["stage"]) if data.get("stage") else None,
        occurred_at=parse_iso(data["occurred_at"]),
        values=mapped.values,
        test=bool(data.get("test")),
        write=mapping.write,
    )
    return record, mapped.problems

"""A platform that answers from a list, read as the hub reads answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.connecting.rehearsal import drive
from hub.contract import Call, Destination, Headers, Kind, Record, Reply, Stage
from hub.contract.calls import dump_json
from hub.outgoing.answers import judge

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Platform:
    """Answers in order, then 200 and ``{}``; keeps the calls it was asked."""

    def __init__(self, destination: Destination, settings: Mapping[str, Any], *answers: tuple[int, Any]) -> None:
        self.destination = destination
        self.settings = destination.Settings().load(dict(settings))
        self.answers = list(answers)
        self.calls: list[Call] = []

    def deliver(self, record: Record | list[Record]) -> Any:
        return drive(self.destination.deliver(record, self.settings), self.answer)

    def ask(self, question: str) -> Any:
        """Run ``check``, ``discover`` or ``prepare``."""
        return drive(getattr(self.destination, question)(self.settings), self.answer)

    def answer(self, call: Call) -> Reply:
        self.calls.append(call)
        status, body = self.answers.pop(0) if self.answers else (200, {})
        reply = Reply(status, Headers({"Content-Type": "application/json"}), dump_json(body))
        judge(self.destination, reply, NOW)
        return reply

    @property
    def sent(self) -> list[Any]:
        """The JSON bodies of the calls that had one."""
        return [json.loads(call.content()[0]) for call in self.calls if call.json is not None]

    @property
    def paths(self) -> list[str]:
        """The calls as ``POST /path``."""
        return [f"{call.method} /{call.url.split('/', 3)[3]}" for call in self.calls]


def record(
    values: dict[str, Any],
    *,
    id: str = "r1",
    kind: Kind = Kind.CONVERSION,
    stage: Stage | None = Stage.PURCHASE,
    minute: int = 0,
) -> Record:
    """A mapped conversion that happened ``minute`` minutes past noon."""
    return Record(id, f"event-{id}", kind, stage, NOW.replace(minute=minute), values)

"""A sender's message, verified and read as the hub does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.connecting.rehearsal import drive
from hub.contract import Call, Conversion, Headers, Inbound, Reply, Source, Trust
from hub.contract.calls import dump_json
from hub.normalize import needs_fetch, read_back, read_message
from hub.store.base import from_json, to_json
from hub.verify import prove

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
VECTORS = Path(__file__).parent / "vectors"

Answer = Callable[[Call], Reply]


def vector(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_bytes())
    return found


def message(
    body: bytes | str | dict[str, Any], headers: Mapping[str, str] | None = None, at: datetime = NOW
) -> Inbound:
    raw = dump_json(body) if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return Inbound(raw, Headers(headers or {}), at)


def no_call(call: Call) -> Reply:
    raise AssertionError(f"nothing should be asked, but {call.method} {call.url} was")


def trust(source: Source, inbound: Inbound, settings: Mapping[str, Any], answer: Answer = no_call) -> Trust:
    """How far the hub believes the message. Raises NotVerified."""
    loaded = source.Settings().load(dict(settings))
    return Trust(drive(prove(source, inbound, loaded), answer))


def read(source: Source, inbound: Inbound, settings: Mapping[str, Any] | None = None) -> list[Conversion]:
    return read_message(source, inbound, source.Settings().load(dict(settings or {})))


def read_back_and_read(
    source: Source, inbound: Inbound, settings: Mapping[str, Any], answer: Answer
) -> list[Conversion]:
    """As the hub does it when the source wants something read back."""
    loaded = source.Settings().load(dict(settings))
    assert needs_fetch(source, inbound, loaded)
    inbound.fetched = from_json(to_json(drive(read_back(source, inbound, loaded), answer)))  # as the hub keeps it
    return read_message(source, inbound, loaded)


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, Headers(), body if isinstance(body, bytes) else dump_json(body))

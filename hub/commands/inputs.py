"""Reading what the offline commands are given: settings, headers, messages. Mistakes become a sentence and exit 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError, fields

from hub.connecting.registry import Role, UnknownConnector, registry
from hub.contract import Connector, ConnectorBroken, Destination, Headers, Inbound, Source
from hub.contract.calls import dump_json
from hub.contract.conversion import parse_iso
from hub.contract.settings import Secrets

SETTINGS = "JSON file with the connection's settings; otherwise, for a sample of the connector, its settings sample."
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


class Mistake(click.ClickException):
    """What the person gave cannot be used; the text says what and why."""

    exit_code = 2


def source(slug: str) -> Source:
    """The source of that name. Raises Mistake."""
    try:
        return registry().source(slug)
    except (UnknownConnector, ConnectorBroken) as error:
        raise Mistake(str(error)) from None


def destination(slug: str) -> Destination:
    """The destination of that name. Raises Mistake."""
    try:
        return registry().destination(slug)
    except (UnknownConnector, ConnectorBroken) as error:
        raise Mistake(str(error)) from None


def sample_settings(slug: str, role: Role, file: Path) -> Path | None:
    """The settings sample of the connector, when ``file`` is one of its own samples."""
    samples = registry().entry(slug).folder.resolve() / "samples"
    if not file.resolve().is_relative_to(samples):
        return None
    beside = (samples / f"settings.{role}.json", samples / "settings.json")
    return next((path for path in beside if path.is_file()), None)


def settings_for(connector: Connector, path: Path | None) -> dict[str, Any]:
    """The settings in the JSON file ``path``, loaded. What is missing has its default, or is empty. Raises Mistake."""
    given = read_json(path) if path else {}
    if not isinstance(given, dict):
        raise Mistake(f"{path} must hold a JSON object of settings.")
    schema = connector.Settings()
    absent = {name: field for name, field in schema.fields.items() if field.required and name not in given}
    try:
        loaded = dict(schema.load(given, partial=tuple(absent)))
    except ValidationError as error:
        raise Mistake(f"The settings of {connector.slug} cannot be used: {_sentences(error.messages)}") from None
    except (KeyError, TypeError):  # a rule about several settings, of which one is absent
        known = {name: field for name, field in schema.fields.items() if name in given}
        loaded = {name: field.deserialize(given[name]) for name, field in known.items()}
    return {**{name: _empty(field) for name, field in schema.fields.items()}, **loaded}


def headers_in(path: Path | None) -> list[tuple[str, str]]:
    """The headers in ``path``: a JSON object, or lines such as ``Name: value``. Raises Mistake."""
    if path is None:
        return []
    text = path.read_text("utf-8", "replace")
    if not text.lstrip().startswith("{"):
        return [_header(line, path) for line in text.splitlines() if line.strip()]
    given = read_json(path)
    return [
        (str(name), str(one))
        for name, value in given.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def message_in(path: Path, headers: list[tuple[str, str]], url: str = "", now: datetime | None = None) -> Inbound:
    """The raw message in ``path``: a whole request (``.http``, or ``.request.json`` with ``headers`` and ``body``), an
    address or query (a GET hit), or a body.

    ``headers`` are added to those of a whole request. It arrived at ``now``, else when the file says
    (``X-Sample-Received-At``), else this moment. Raises Mistake.
    """
    raw, clock = path.read_bytes(), datetime.now(UTC)
    if path.suffix == ".http":
        inbound = _whole_request(raw, path, clock)
        inbound = replace(inbound, headers=Headers({**inbound.headers, **Headers(headers)}))
    elif path.name.endswith(".request.json") and _is_request(told := read_json(path)):
        inbound = Inbound(told["body"].encode(), Headers({**told["headers"], **Headers(headers)}), clock)
    elif path.suffix == ".url" or raw.lstrip()[:8].lower().startswith((b"http://", b"https://", b"?")):
        address = raw.decode("utf-8", "surrogateescape").strip()
        query = address.partition("?")[2].partition("#")[0]
        inbound = Inbound(b"", Headers(headers), clock, "GET", "/", query, url=address)
    else:
        inbound = Inbound(raw, Headers(headers), clock)
    return replace(inbound, received_at=now or inbound.received_at, url=url or inbound.url)


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time, UTC unless it says otherwise. Raises Mistake."""
    if text is None:
        return None
    try:
        given = parse_iso(text)
    except ValueError:
        raise Mistake(f"“{text}” is not a time such as 2026-11-21T12:00:00Z.") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def read_json(path: Path) -> Any:
    """The file's JSON. Raises Mistake."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{path} is not valid JSON: {error}") from None


def say(value: Mapping[str, Any]) -> None:
    """One JSON line, in UTF-8 whatever the terminal's encoding."""
    click.echo(dump_json(value).decode("utf-8", "replace").encode())


def _is_request(told: Any) -> bool:
    return isinstance(told, dict) and isinstance(told.get("headers"), dict) and isinstance(told.get("body"), str)


def _whole_request(raw: bytes, path: Path, arrival: datetime) -> Inbound:
    from hub.testing.samples import SampleError, parse_request

    try:
        return parse_request(raw, str(path), arrival)
    except SampleError as error:
        raise Mistake(str(error)) from None


def _header(line: str, path: Path) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise Mistake(f"{path}: “{line[:60]}” is no header; write “Name: value” lines, or a JSON object.")
    return name.strip(), value.strip()


def _empty(field: fields.Field[Any]) -> Any:
    return [] if isinstance(field, Secrets) else "" if isinstance(field, fields.String) else None


def _sentences(messages: Any) -> str:
    if isinstance(messages, dict):
        return " ".join(f"{name}: {_sentences(inner)}" for name, inner in messages.items())
    return " ".join(str(each) for each in messages) if isinstance(messages, list) else str(messages)

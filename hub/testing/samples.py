"""Reading a connector's ``samples`` folder. A sample is a pair of files: what comes in, and what must come out.

``in/NAME.http``          a raw request: ``POST /in/sample?query``, header lines, an empty line, the body byte for byte.
                          ``X-Sample-Received-At`` gives the time of arrival (else 2026-11-21T12:00:00Z),
                          ``X-Sample-Url`` the public address; neither is part of the message.
``in/NAME.json``          the conversions it must give, empty values left out.
``in/NAME.fetched.json``  what :meth:`Source.fetch` read back, when the message leaves something out.
``in/NAME.replies.json``  what the servers answer while the message is verified (``in/replies.json``: for all of them).
``out/NAME.json``         one conversion, or a list of them for one batch.
``out/NAME.http``         the calls they must give through the default mapping, separated by a line ``###``.
``out/NAME.replies.json`` what the platform answers, in order; without it every answer is 200 and ``{}``.
``out/NAME.outcomes.json`` ``{record's event id: "refused"}`` where those answers do not mean success.
``out/judge.json``        the vendor's table of answers: a list of ``{"why", "status", "headers", "body", "outcome": {…}}``,
                          its outcome as ``{"result", "after", "reason"}`` (what is given is compared).
``settings.json``         settings for both roles, or ``settings.source.json`` and ``settings.destination.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.contract import Headers, Inbound, Reply
from hub.contract.calls import dump_json
from hub.contract.conversion import parse_iso

RECEIVED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SEPARATOR = b"###"
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


class SampleError(Exception):
    """A sample is missing or cannot be read; the text says which file, and what to write there."""


@dataclass(frozen=True)
class Incoming:
    """One sample of a source. ``expected`` is None while nobody has written the expectation."""

    name: str
    inbound: Inbound
    expected: list[dict[str, Any]] | None
    replies: list[Reply]


@dataclass(frozen=True)
class Outgoing:
    """One sample of a destination. ``expected`` is the text of the calls, None while it is not written."""

    name: str
    conversions: list[dict[str, Any]]
    expected: list[ExpectedCall] | None
    replies: list[Reply]
    outcomes: dict[str, str]


@dataclass(frozen=True)
class Judgment:
    """One row of ``out/judge.json``: what is the matter, what the platform answers, what the hub must make of it."""

    why: str
    reply: Reply
    outcome: dict[str, Any]


@dataclass(frozen=True)
class ExpectedCall:
    """One request of an ``out/NAME.http`` file. ``headers`` keep their spelling; ``body`` without its last newline."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def incoming(folder: Path) -> list[Incoming]:
    """The samples of a source, from ``folder`` (its ``samples/in``). Raises SampleError."""
    shared = _replies(folder / "replies.json")
    return [_incoming(path, shared) for path in sorted(folder.glob("*.http"))]


def outgoing(folder: Path) -> list[Outgoing]:
    """The samples of a destination, from ``folder`` (its ``samples/out``). Raises SampleError."""
    names = [path.stem for path in sorted(folder.glob("*.json")) if not path.stem.endswith((".replies", ".outcomes"))]
    return [_outgoing(folder, name) for name in names if name != "judge"]


def judgments(folder: Path) -> list[Judgment]:
    """The rows of ``judge.json`` in ``folder`` (a connector's ``samples/out``)."""
    path = folder / "judge.json"
    rows = read_json(path) if path.is_file() else []
    return [Judgment(row.get("why", ""), _reply(row), row["outcome"]) for row in rows]


def parse_request(raw: bytes, where: str = "the file", arrival: datetime = RECEIVED_AT) -> Inbound:
    """A request in the kit's format. ``arrival`` is its time unless it says one. Raises SampleError when it is none."""
    first, headers, body = _split(raw, where)
    words = first.split(" ")
    if len(words) < 2 or not words[1].startswith("/"):
        raise SampleError(f"{where} must begin with a line such as “POST /in/sample”, it begins with “{first[:60]}”.")
    pairs = [(name, value) for name, value in headers if not name.lower().startswith("x-sample-")]
    notes = {name.lower(): value for name, value in headers if name.lower().startswith("x-sample-")}
    path, _, query = words[1].partition("?")
    return Inbound(
        body=body,
        headers=Headers(pairs),
        received_at=_moment(notes.get("x-sample-received-at"), where) or arrival,
        method=words[0].upper(),
        path=path,
        query=query,
        url=notes.get("x-sample-url", f"https://hub.example{words[1]}"),
    )


def split_request(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, empty line and body. Lines end with LF or CRLF; the body is whatever follows the first empty line."""
    ends = [(raw.find(mark), mark) for mark in (b"\r\n\r\n", b"\n\n")]
    position, mark = min(((at, mark) for at, mark in ends if at >= 0), default=(len(raw), b""))
    return raw[:position], mark, raw[position + len(mark) :]


def parse_calls(raw: bytes, where: str) -> list[ExpectedCall]:
    """The calls of an ``out/NAME.http`` file. Raises SampleError."""
    return [_expected_call(chunk, where) for chunk in _chunks(raw) if chunk.strip()]


def prune(value: Any) -> Any:
    """``value`` without what is empty, at every depth; at the top also without the default kind."""
    pruned = _prune(value)
    return {k: v for k, v in pruned.items() if (k, v) != ("kind", "conversion")} if isinstance(pruned, dict) else pruned


def read_json(path: Path) -> Any:
    """The file's JSON, numbers exact. Raises SampleError when it is absent or no JSON."""
    try:
        return json.loads(path.read_bytes(), parse_float=Decimal)
    except FileNotFoundError:
        raise SampleError(f"{_short(path)} is missing.") from None
    except ValueError as error:
        raise SampleError(f"{_short(path)} is not JSON: {error}") from None


def _incoming(path: Path, shared: list[Reply]) -> Incoming:
    inbound = parse_request(path.read_bytes(), _short(path))
    fetched = path.with_suffix(".fetched.json")
    if fetched.is_file():
        inbound.fetched = read_json(fetched)
    expectation = path.with_suffix(".json")
    expected = read_json(expectation) if expectation.is_file() else None
    if expected is not None and not isinstance(expected, list):
        raise SampleError(f"{_short(expectation)} must be a list of conversions ([] for none).")
    replies = _replies(path.with_suffix(".replies.json")) or shared
    return Incoming(path.stem, inbound, None if expected is None else [prune(each) for each in expected], replies)


def _outgoing(folder: Path, name: str) -> Outgoing:
    given = read_json(folder / f"{name}.json")
    calls, outcomes = folder / f"{name}.http", folder / f"{name}.outcomes.json"
    return Outgoing(
        name=name,
        conversions=given if isinstance(given, list) else [given],
        expected=parse_calls(calls.read_bytes(), _short(calls)) if calls.is_file() else None,
        replies=_replies(folder / f"{name}.replies.json"),
        outcomes=read_json(outcomes) if outcomes.is_file() else {},
    )


def _replies(path: Path) -> list[Reply]:
    if not path.is_file():
        return []
    listed = read_json(path)
    if not isinstance(listed, list):
        raise SampleError(f'{_short(path)} must be a list of answers such as {{"status": 200, "body": {{}}}}.')
    return [_reply(each) for each in listed]


def _reply(given: dict[str, Any]) -> Reply:
    body = given.get("body", {})
    content = body.encode() if isinstance(body, str) else dump_json(body)
    return Reply(int(given.get("status", 200)), Headers(given.get("headers") or {}), content)


def _split(raw: bytes, where: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """First line, headers and body."""
    head, _, body = split_request(raw)
    lines = head.decode("latin-1").splitlines()
    if not lines:
        raise SampleError(f"{where} is empty: it must hold one whole HTTP request.")
    pairs = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SampleError(f"{where}: “{line[:60]}” is no header; an empty line must stand before the body.")
        pairs.append((name.strip(), value.strip()))
    return lines[0].strip(), pairs, body


def _chunks(raw: bytes) -> Iterator[bytes]:
    chunk: list[bytes] = []
    for line in raw.splitlines(keepends=True):
        if line.strip() == SEPARATOR:
            yield b"".join(chunk)
            chunk = []
        else:
            chunk.append(line)
    yield b"".join(chunk)


def _expected_call(chunk: bytes, where: str) -> ExpectedCall:
    first, headers, body = _split(chunk.lstrip(b"\r\n"), where)
    method, _, url = first.partition(" ")
    if not url.startswith(("https://", "http://", "mailto:")):
        raise SampleError(f"{where}: a call begins with a line such as “POST https://…”, this one with “{first[:60]}”.")
    return ExpectedCall(method.upper(), url.strip(), dict(headers), body.rstrip(b"\r\n"))


def _moment(text: str | None, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parse_iso(text)
    except ValueError:
        raise SampleError(f"{where}: X-Sample-Received-At must be a time such as 2026-11-21T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _prune(value: Any) -> Any:
    if isinstance(value, dict):
        pruned = {key: _prune(part) for key, part in value.items()}
        return {key: part for key, part in pruned.items() if not _empty(part)}
    if isinstance(value, list):
        return [_prune(part) for part in value]
    return value


def _empty(value: Any) -> bool:
    return any(value is each or (type(value) is type(each) and value == each) for each in _EMPTY)


def _short(path: Path) -> str:
    """From the samples folder on: what a person looks for."""
    parts = path.parts
    return "/".join(parts[parts.index("samples") :]) if "samples" in parts else path.name

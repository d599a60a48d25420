"""What a connector asks the hub to do for it: calls, replies, records, outcomes."""

from __future__ import annotations

import json as _json
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import msgspec

from hub.contract.inbound import Headers
from hub.contract.vocabulary import Kind, Stage

MOST_CALLS = 200
"""How many calls one recipe may make. It is ended then: more is an endless loop."""


@dataclass(slots=True)
class Call:
    """One HTTP request to make. At most one of ``json``, ``form`` and ``body`` is given.

    A Call never holds a secret: the sender applies the connector's ``auth``. ``cache_seconds`` lets the hub answer from
    an earlier 2xx reply to the same call with the same credentials (certificates, field lists); ten minutes at most.
    ``timeout`` (seconds) holds for connecting and for each silence of the other side; all of a call takes at most twice
    as long.
    """

    method: str
    url: str
    json: Any = None
    form: Mapping[str, str] | None = None
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    timeout: float = 10.0
    cache_seconds: int = 0
    authenticate: bool = True  # False: send without the connection's credentials

    @classmethod
    def get(cls, url: str, **rest: Any) -> Call:
        return cls("GET", url, **rest)

    @classmethod
    def post(cls, url: str, **rest: Any) -> Call:
        return cls("POST", url, **rest)

    @classmethod
    def put(cls, url: str, **rest: Any) -> Call:
        return cls("PUT", url, **rest)

    @classmethod
    def patch(cls, url: str, **rest: Any) -> Call:
        return cls("PATCH", url, **rest)

    @classmethod
    def delete(cls, url: str, **rest: Any) -> Call:
        return cls("DELETE", url, **rest)

    def content(self) -> tuple[bytes, str | None]:
        """The body's bytes, exactly as they go out, and its content type (None: no body, or the headers say it)."""
        if self.json is not None:
            return dump_json(self.json), "application/json"
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        return self.body or b"", None


@dataclass(slots=True)
class Reply:
    """What a server answered. ``body`` is cut at 128 KiB, that of a GET at 4 MiB: lists of an account's fields are long."""

    status: int
    headers: Headers
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON."""
        with suppress(msgspec.MsgspecError, ValueError, RecursionError):
            return _READ.decode(self.body)
        with suppress(ValueError, RecursionError):  # a byte order mark, another encoding
            return _json.loads(self.body, parse_float=Decimal)
        return None


_READ = msgspec.json.Decoder(float_hook=Decimal)


Recipe = Generator[Call, Reply, Any]
"""Yields at most MOST_CALLS Calls, is sent Replies, has DeliveryErrors raised at its yields. Its return value is the
recipe's result."""


class Result(StrEnum):
    """How one record fared in one attempt."""

    DELIVERED = "delivered"
    DELIVERED_WITH_WARNING = "delivered_with_warning"
    ACCEPTED_UNVERIFIED = "accepted_unverified"  # the platform answers 2xx whatever we send
    PENDING = "pending"  # taken, verdict to be asked for later
    DUPLICATE = "duplicate"  # the destination had it already: as good as delivered
    TRY_LATER = "try_later"
    REFUSED = "refused"
    BAD_CREDENTIALS = "bad_credentials"
    BAD_MAPPING = "bad_mapping"
    SKIPPED = "skipped"
    EXPIRED = "expired"  # too old for this destination


@dataclass(slots=True)
class Outcome:
    """The verdict on one record. ``reason`` is from the closed list, ``detail`` is the destination's own words."""

    result: Result
    reason: str = ""
    detail: str = ""
    after: float | None = None  # seconds, with TRY_LATER
    field: str | None = None  # the destination's field, with BAD_MAPPING
    ticket: str = ""  # with PENDING: what Destination.poll is asked with

    @classmethod
    def delivered(cls, warning: str = "") -> Outcome:
        return cls(Result.DELIVERED_WITH_WARNING, detail=warning) if warning else cls(Result.DELIVERED)

    @classmethod
    def skipped(cls, reason: str, detail: str = "") -> Outcome:
        return cls(Result.SKIPPED, reason, detail)

    @classmethod
    def pending(cls, ticket: str, after: float) -> Outcome:
        """Taken, but judged later: :meth:`Destination.poll` asks under ``ticket``, first in ``after`` seconds."""
        return cls(Result.PENDING, "verdict_awaited", ticket=ticket, after=after)

    @classmethod
    def refused(cls, detail: str, reason: str = "refused_by_destination") -> Outcome:
        return cls(Result.REFUSED, reason, detail)


@dataclass(slots=True)
class Record:
    """One conversion, mapped, on its way to one destination.

    ``id`` names it in the outcomes. ``values`` are the destination's own fields, made by the mapping. ``event_id`` is the
    hub's stable id of the conversion (the same for all tries and replays): send it wherever the platform deduplicates.
    ``write`` says of a field that it is not to be simply set: "if_empty" or "append", where the connector has that.
    """

    id: str
    event_id: str
    kind: Kind
    stage: Stage | None
    occurred_at: datetime
    values: dict[str, Any]
    test: bool = False
    write: Mapping[str, str] = field(default_factory=dict)


Outcomes = dict[str, Outcome]


def with_params(url: str, params: Mapping[str, str] | None, *, safe: str = "") -> str:
    """``url`` with ``params`` added to its query, URL-encoded; ``safe``: characters that stay as they are."""
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, safe=safe)}"


def dump_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; a Decimal becomes a number with all its digits."""
    return _WRITE.encode(value)


_WRITE = msgspec.json.Encoder(decimal_format="number")

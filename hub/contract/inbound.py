"""The raw message as it arrived."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from hub.contract.errors import NotUnderstood

MAX_DEPTH = 100  # deepest JSON nesting any known sender uses is below 20
MAX_INFLATED = 10 * 1024 * 1024  # a gzip body may not unpack to more than this


class Headers(Mapping[str, str]):
    """Case-blind, read-only headers. A header sent twice keeps both values, joined with a comma."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | list[tuple[str, str]] | None = None) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items or []
        self._items: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._items[key] = f"{self._items[key]},{value}" if key in self._items else value

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


@dataclass(slots=True)
class Inbound:
    """One HTTP request as received, byte for byte.

    ``url`` is the public address as the sender was given it (some senders sign it). ``received_at`` is an aware UTC time
    and the only clock a connector has. ``fetched`` holds what :meth:`Source.fetch` read back, by name.
    """

    body: bytes
    headers: Headers
    received_at: datetime
    method: str = "POST"
    path: str = "/"
    query: str = ""
    url: str = ""
    remote_ip: str = ""
    fetched: dict[str, Any] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON: floats become Decimal, integers keep every digit.

        Raises NotUnderstood when the body is empty, not JSON, or nested deeper than any sender nests.
        """
        body = self.content()
        if not body.strip():
            raise NotUnderstood("The message was empty.", detail="0 bytes of JSON")
        try:
            return json.loads(body, parse_float=Decimal)
        except RecursionError:
            raise NotUnderstood("The message is nested too deeply to be read.") from None
        except (ValueError, UnicodeDecodeError) as error:
            raise NotUnderstood("The message is not valid JSON.", detail=str(error)[:200]) from None

    def form(self, encoding: str = "utf-8") -> dict[str, str]:
        """The body as form fields (last value wins), decoded with ``encoding``; undecodable bytes are replaced."""
        try:
            text = self.content().decode("latin-1")
            return dict(parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace", max_num_fields=2000))
        except (ValueError, LookupError) as error:
            raise NotUnderstood("The form in the message cannot be read.", detail=str(error)[:200]) from None

    def content(self) -> bytes:
        """The body, unpacked if the sender compressed it. Signatures cover ``body``, never this."""
        if self.headers.get("content-encoding", "").lower() != "gzip":
            return self.body
        try:
            unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            unpacked = unpacker.decompress(self.body, MAX_INFLATED)
        except (zlib.error, gzip.BadGzipFile) as error:
            raise NotUnderstood("The message says it is gzip-compressed but is not.", detail=str(error)) from None
        if unpacker.unconsumed_tail:
            raise NotUnderstood("The compressed message unpacks to more than 10 MB.")
        return unpacked

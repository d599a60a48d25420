"""The raw message as it arrived."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hub.contract.errors import NotUnderstood

MAX_DEPTH = 100  # deepest JSON nesting any known sender uses is below 20
MAX_INFLATED = 10 * 1024 * 1024  # a gzip body may not unpack to more than this


class Headers(Mapping[str, str]):
    """Case-blind, read-only headers. A header sent twice keeps both values, joined with a comma."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | list[tuple[str, str]] | None = None) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items or []
        known: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            known[key] = f"{known[key]},{value}" if key in known else value
        self._items = known

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    # Mapping would make the same of the above, only more slowly, and the doors ask with every hit.

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def items(self) -> ItemsView[str, str]:
        return self._items.items()


@dataclass(slots=True)
class Inbound:
    """One HTTP request as received, byte for byte.

    ``url`` is the public address as the sender was given it (some senders sign it). ``received_at`` is an aware UTC
    time and the only clock a connector has. ``fetched`` holds what :meth:`Source.fetch` read back, by name.
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
        """The body as JSON: floats become Decimal, integers keep every digit, the last of two equal keys counts.

        Characters that no text store takes (NUL, halves of a surrogate pair) are taken out of the texts.
        Raises NotUnderstood when the body is empty, not JSON, or nested deeper than any sender nests.
        """
        body = self.content()
        try:
            data, odd = _QUICK.decode(body), b"\\u0000" in body  # a NUL can only come as an escape
        except (msgspec.MsgspecError, ValueError, RecursionError):
            data, odd = self._odd_json(body), True
        if odd or body.count(b"{") + body.count(b"[") > MAX_DEPTH:
            _refuse_depth(data)
        return _storable(data) if odd else data

    def _odd_json(self, body: bytes) -> Any:
        """JSON in another encoding than UTF-8, or with halves of surrogate pairs; or the reason why it is none."""
        if not body.strip():
            raise NotUnderstood("The message was empty.", detail="0 bytes of JSON")
        try:
            return json.loads(self._text(body), parse_float=_decimal, parse_constant=_refuse_constant)
        except RecursionError:
            raise NotUnderstood("The message is nested too deeply to be read.") from None
        except ValueError as error:
            raise NotUnderstood("The message is not valid JSON.", detail=str(error)[:200]) from None

    def form(self, encoding: str = "utf-8") -> dict[str, str]:
        """The body as form fields (last value wins), decoded with ``encoding``; undecodable bytes are replaced."""
        try:
            # Bytes that should have been encoded are, so that they too are read in the asked-for encoding.
            text = _HIGH_BYTE.sub(lambda byte: b"%%%02X" % byte[0][0], self.content()).decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace", max_num_fields=2000)
        except (ValueError, LookupError) as error:
            raise NotUnderstood("The form in the message cannot be read.", detail=str(error)[:200]) from None
        return {name.replace("\0", ""): value.replace("\0", "") for name, value in pairs}

    def content(self) -> bytes:
        """The body, unpacked if the sender compressed it. Signatures cover ``body``, never this."""
        if self.headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip"):
            return self.body
        try:
            unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            unpacked = unpacker.decompress(self.body, MAX_INFLATED)
        except zlib.error as error:
            raise NotUnderstood("The message says it is gzip-compressed but is not.", detail=str(error)) from None
        if unpacker.unconsumed_tail:
            raise NotUnderstood("The compressed message unpacks to more than 10 MB.")
        if not unpacker.eof:
            raise NotUnderstood("The compressed message was cut short on the way.", detail=f"{len(self.body)} bytes")
        return unpacked

    def _text(self, body: bytes) -> str:
        """UTF-8 (or UTF-16, UTF-32) whatever the header says, else its charset; ValueError when neither fits."""
        try:
            return body.decode(json.detect_encoding(body))
        except UnicodeDecodeError:
            declared = _CHARSET.search(self.headers.get("content-type", ""))
            if declared is None:
                raise
        try:
            return body.decode(declared[1])
        except LookupError as error:
            raise ValueError(str(error)) from None


_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a number: {text[:40]}") from None


_QUICK = msgspec.json.Decoder(float_hook=_decimal)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(data: Any) -> None:
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        parts = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for part in parts for inner in part if isinstance(inner, dict | list)]
    if level:
        raise NotUnderstood("The message is nested too deeply to be read.")


def _storable(data: Any) -> Any:
    if isinstance(data, str):
        return _SURROGATE.sub("\ufffd", data.replace("\0", ""))
    if isinstance(data, dict):
        return {_storable(key): _storable(value) for key, value in data.items()}
    return [_storable(element) for element in data] if isinstance(data, list) else data

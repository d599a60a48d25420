"""Query strings as they reach a public address: whatever page editors, templates and browsers did to them on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from hub.contract.inbound import Inbound

MAX_FIELDS = 2000  # a 64 kB query of empty fields has more; what follows them is not read


def raw_text(inbound: Inbound) -> str:
    """All that was sent, query first, then a form body: what is read, and what a signature must cover."""
    body = inbound.content().decode("latin-1") if inbound.body else ""
    return "&".join(part for part in (inbound.query.lstrip("?"), body) if part)


def as_sent(text: str) -> bytes:
    """The bytes behind a query string: WSGI servers hand raw bytes on as Latin-1."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def read_pairs(text: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each field in a query string or form body; the name :func:`squeezed`, the value as it was sent.

    ``&amp;`` and its repetitions, and a query encoded as a whole, are understood. Never raises.
    """
    text = _CURRENCY_SIGN.sub("&currency=", _AMPERSAND.sub("&", text))
    if "=" not in text and "%3d" in text.lower():
        text = decoded(text)
    for pair in text.lstrip("?").split("&", MAX_FIELDS)[:MAX_FIELDS]:
        name, equals, value = pair.partition("=")
        if equals:
            yield squeezed(decoded(name)), value


def squeezed(name: str) -> str:
    """A field's name in small letters and digits: ``order_id``, ``orderId`` and ``Order-ID`` are one."""
    return _NOISE_IN_NAMES.sub("", name.lower())


def decoded(text: str) -> str:
    """Percent-decoded, twice where it was encoded twice; UTF-8, or Latin-1 where it is not that."""
    text = _once(text.replace("+", " "), lambda raw: raw.decode("cp1252", "replace"))
    for _ in range(2):
        if not _HEX.search(text):
            break
        again = _once(text, lambda _: "")
        if not again:  # not an encoding of text after all: "50%AD" was meant
            break
        text = again
    return text


# &amp; and its repetitions; and "&curren", which HTML writes as a sign when a page editor forgets that "cy" follows.
_AMPERSAND = re.compile(r"&(?:amp;|#0{0,4}38;|#[xX]26;)+")
_CURRENCY_SIGN = re.compile(r"(?:¤|\xc2\xa4|%C2%A4|%A4)cy=", re.IGNORECASE)
_NOISE_IN_NAMES = re.compile(r"[^a-z0-9]")
_HEX = re.compile(r"%[0-9A-Fa-f]{2}")


def _once(text: str, otherwise: Callable[[bytes], str]) -> str:
    raw = unquote_to_bytes(as_sent(text))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return otherwise(raw)

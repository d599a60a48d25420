"""A pixel's fields, whatever page editors, templates and browsers did to them on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from hub.contract import Inbound
from hub.contract.intake import CLICK_IDS, UTM_NAMES, clean_text, unreplaced_placeholder

MAX_FIELDS = 2000  # a 64 kB query of empty fields has more; what follows them is not read
PLACEHOLDER = "placeholder_not_replaced"

_NAMES = (
    "webinarId", "tag", "email", "amount", "currency", "orderId", "productId", "productName", "stage", "firstName",
    "lastName", "phone", "coupon", "externalId", "offer", "consent", "test", "time", "ip", "userAgent", "pageUrl",
    "referrer", "ts", "sig",
)  # fmt: skip
_SAME = {
    "webinar": "webinarId",
    "campaign": "webinarId",
    "campaignId": "webinarId",
    "offerId": "offer",
    "order": "orderId",
}


@dataclass
class Fields:
    """The values of each known field, in order, cleaned; empty ones left out.

    ``placeholders`` are those nobody filled in, as (field, text sent, name of the syntax).
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    placeholders: list[tuple[str, str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The different values of ``name``."""
        return list(dict.fromkeys(self.values.get(name, ())))

    def one(self, name: str) -> str:
        """The first value of ``name``, or an empty text."""
        return next(iter(self.values.get(name, ())), "")

    def firsts(self) -> dict[str, str]:
        """Every field with its first value."""
        return {name: values[0] for name, values in self.values.items()}


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


def read_fields(text: str) -> Fields:
    """The fields in a query string or form body. Never raises."""
    fields = Fields()
    text = _CURRENCY_SIGN.sub("&currency=", _AMPERSAND.sub("&", text))
    if "=" not in text and "%3d" in text.lower():
        text = _decoded(text)
    for pair in text.lstrip("?").split("&", MAX_FIELDS)[:MAX_FIELDS]:
        key, equals, raw = pair.partition("=")
        name = _KNOWN.get(_NOISE_IN_NAMES.sub("", _decoded(key).lower()))
        if name and equals:
            _add(fields, name, raw)
    return fields


# &amp; and its repetitions; and "&curren", which HTML writes as a sign when a page editor forgets that "cy" follows.
_AMPERSAND = re.compile(r"&(?:amp;|#0{0,4}38;|#[xX]26;)+")
_CURRENCY_SIGN = re.compile(r"(?:¤|\xc2\xa4|%C2%A4|%A4)cy=", re.IGNORECASE)
_NOISE_IN_NAMES = re.compile(r"[^a-z0-9]")
_HEX = re.compile(r"%[0-9A-Fa-f]{2}")


def _squeeze(name: str) -> str:
    return name.lower().replace("_", "")


_KNOWN: dict[str, str] = (
    {_squeeze(name): name for name in _NAMES}
    | {_squeeze(name): same for name, same in _SAME.items()}
    | {_squeeze(name): name for name in (*CLICK_IDS, *(f"utm_{part}" for part in UTM_NAMES))}
)


def _add(fields: Fields, name: str, raw: str) -> None:
    value = clean_text(_decoded(raw), 2000)
    # A placeholder such as %ADDRESS% begins like an escape, so the raw text is asked as well.
    for text in (raw, value):
        syntax = unreplaced_placeholder(text)
        if syntax:
            fields.placeholders.append((name, clean_text(text, 80), syntax))
            return
    if value:
        fields.values.setdefault(name, []).append(value)


def _decoded(text: str) -> str:
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


def _once(text: str, otherwise: Callable[[bytes], str]) -> str:
    raw = unquote_to_bytes(as_sent(text))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return otherwise(raw)

"""Reads query strings as they reach a public address, after page editors, templates and browsers have changed them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote_to_bytes

from hub.contract.errors import NotUnderstood, NotVerified
from hub.contract.inbound import Inbound
from hub.toolkit.cleaning import clean_text, unreplaced_placeholder
from hub.toolkit.dates import DATE_REPLACED, first_time, parse_time
from hub.toolkit.signing import check_hmac, check_timestamp

MAX_FIELDS = 2000  # a 64 kB query of empty fields has more; what follows them is not read
PLACEHOLDER = "placeholder_not_replaced"
"""The flag of a conversion, and the reason of a refusal, where a template was not filled in."""


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

    def only(self, name: str, reason: str) -> str:
        """The value of ``name``, or an empty text. Raises NotUnderstood with ``reason`` when two different ones were sent.

        Capital and small letters do not make a difference.
        """
        found = {value.upper(): value for value in reversed(self.all(name))}
        if len(found) > 1:
            first, second, *_ = self.all(name)
            raise NotUnderstood(
                f"The hit gave two values of {name}, {first[:40]} and {second[:40]}. Send one.", reason=reason
            )
        return self.one(name)

    def firsts(self) -> dict[str, str]:
        """Every field with its first value."""
        return {name: values[0] for name, values in self.values.items()}

    def refuse_placeholders(self, *names: str) -> None:
        """Raise NotUnderstood, for people, when one of ``names`` came as a placeholder that nobody filled in."""
        for name, text, syntax in self.placeholders:
            if name in names:
                raise NotUnderstood(
                    f"The page sent the text {text} as {name}: this looks like template syntax ({syntax}) on a page "
                    "that does not know it. Use the placeholder of your checkout, or the script variant.",
                    reason=PLACEHOLDER,
                )


def spellings(names: Iterable[str], also: Mapping[str, str] | None = None) -> dict[str, str]:
    """The table that :func:`read_fields` reads by: ``names``, and other names → the one of ``names`` that is meant."""
    return {squeezed(name): meant for name, meant in {**{name: name for name in names}, **(also or {})}.items()}


def read_fields(text: str, known: Mapping[str, str]) -> Fields:
    """The fields in a query string or form body that are ``known`` (:func:`spellings`); others are ignored.

    Values are decoded and cleaned, 2000 characters at most. Never raises.
    """
    fields = Fields()
    for name, raw in read_pairs(text):
        if name in known:
            _add(fields, known[name], raw)
    return fields


def is_signed(text: str, secrets: Sequence[str]) -> bool:
    """Whether ``text`` (:func:`raw_text`) carries a signature, and there are ``secrets`` to hold it against."""
    return bool(secrets) and _SIGNATURE in text


def check_signed(text: str, secrets: Sequence[str], now: datetime) -> None:
    """Raise NotVerified unless ``text`` (:func:`raw_text`) ends with a good ``&ts=<Unix time>…&sig=<hex HMAC-SHA256>``.

    How a backend may prove its call of a public address. The HMAC covers all that stands before ``&sig=``, so nothing
    may follow it; the time may be as far from ``now`` as :func:`~hub.toolkit.signing.check_timestamp` allows.
    """
    signed, _, signature = text.rpartition(_SIGNATURE)
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", signature):
        raise NotVerified("The signature must be the last parameter: 64 hexadecimal digits, and nothing after it.")
    check_hmac(as_sent(signed), [signature], secrets)
    check_timestamp(read_fields(signed, {"ts": "ts"}).one("ts"), now)


def read_moment(said: str, received_at: datetime) -> tuple[datetime, list[str]]:
    """When it happened, as a query's decoded field says, and the flag ``date_replaced`` where ``received_at`` stands in.

    That is where nothing can be read, or a time more than a day ahead. Empty text is ``received_at`` without a flag.
    """
    if parse_time(said) is None:  # the + of an offset reads as a space unless it was encoded
        said = re.sub(r" (\d\d:?\d\d)$", r"+\1", said)
    moment, flags = first_time(said, fallback=received_at)
    return (received_at, [DATE_REPLACED]) if moment > received_at + timedelta(days=1) else (moment, flags)


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


_SIGNATURE = "&sig="
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


def _add(fields: Fields, name: str, raw: str) -> None:
    value = clean_text(decoded(raw), 2000)
    # A placeholder such as %ADDRESS% begins like an escape, so the raw text is asked as well.
    for text in (raw, value):
        syntax = unreplaced_placeholder(text)
        if syntax:
            fields.placeholders.append((name, clean_text(text, 80), syntax))
            return
    if value:
        fields.values.setdefault(name, []).append(value)

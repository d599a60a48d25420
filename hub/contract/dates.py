"""Times as senders write them. A bad date is never fatal: the next best time is taken, and a flag says so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no sender of ours existed before
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
DATE_REPLACED = "date_replaced"

# PayPal writes Pacific time with its American abbreviation; fixed offsets are all that these names mean.
_ZONES = {
    "PST": "-08:00",
    "PDT": "-07:00",
    "EST": "-05:00",
    "EDT": "-04:00",
    "UTC": "+00:00",
    "GMT": "+00:00",
    "Z": "+00:00",
}
_PAYPAL_IPN = re.compile(r"^(\d{1,2}:\d{2}:\d{2}) (\w{3})\.? (\d{1,2}), (\d{4}) (\w{2,4})$")
_NAMED_ZONE = re.compile(r"^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?) ?([A-Z]{3,4})$")


def parse_time(value: Any) -> datetime | None:
    """An aware UTC time out of ISO 8601, Unix seconds, milliseconds or microseconds, RFC 2822 or PayPal's forms.

    None when it cannot be read or lies outside 2000–2100. A time without a zone is taken as UTC.
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        moment = _from_number(float(value)) if _is_number(value) else _from_text(str(value).strip())
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def first_time(*candidates: Any, fallback: datetime) -> tuple[datetime, list[str]]:
    """The first readable time and no flag; a later one, or ``fallback``, and the flag ``date_replaced``.

    Give the candidates best first. A candidate that is missing (None or "") is passed over without a flag.
    """
    flags: list[str] = []
    for candidate in candidates:
        if candidate is None or candidate == "":
            continue
        moment = parse_time(candidate)
        if moment is not None:
            return moment, flags
        flags = [DATE_REPLACED]
    return fallback, flags


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{9,16}(\.\d+)?", value.strip()))


def _from_number(number: float) -> datetime:
    for divisor in (1, 1_000, 1_000_000):
        if number / divisor < LATEST.timestamp():
            return datetime.fromtimestamp(number / divisor, UTC)
    raise ValueError(number)


def _from_text(text: str) -> datetime | None:
    if len(text) > 64:
        return None
    ipn = _PAYPAL_IPN.match(text)
    if ipn:
        clock, month, day, year, zone = ipn.groups()
        offset = _ZONES.get(zone.upper())
        return datetime.strptime(f"{day} {month} {year} {clock} {offset}", "%d %b %Y %H:%M:%S %z") if offset else None
    named = _NAMED_ZONE.match(text)
    if named:
        day, clock, zone = named.groups()
        return datetime.fromisoformat(f"{day}T{clock}{_ZONES[zone]}") if zone in _ZONES else None
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))  # nine fraction digits are seen in the wild
    except ValueError:
        return parsedate_to_datetime(text)

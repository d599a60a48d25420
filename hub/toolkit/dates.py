"""Reads times as senders write them. A bad date loses no sale: the next best time is taken, and a flag says so."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

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
_WRITTEN = re.compile(
    r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})(?:[ T,à]+(\d{1,2})[h:](\d{2})?(?::(\d{2}))?)?\s*(am|pm)?",
    re.IGNORECASE,
)
_SPREADSHEET_DAYS = re.compile(r"(?:3[6-9]|[4-6]\d|7[0-2])\d{3}(?:[.,]\d+)?")  # from 1998 to 2099
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


def written_time(said: str, zone: str, *, day_first: bool) -> datetime | None:
    """An aware UTC time out of what people and spreadsheets write: ``31/12/2026 18h05``, ``12/31/26 6:05 PM``, ``46387``.

    ``zone`` names the one of times that have none (Europe/Paris; empty: UTC). ``day_first`` decides what ``03/04/2026``
    is. A spreadsheet counts days since 1899. Else as :func:`parse_time`.
    """
    said, local = said.strip(), ZoneInfo(zone or "UTC")
    written, days = _WRITTEN.fullmatch(said), _SPREADSHEET_DAYS.fullmatch(said)
    try:
        if days:
            seconds = round(float(days[0].replace(",", ".")) * 86400)
            moment = datetime(1899, 12, 30, tzinfo=local) + timedelta(seconds=seconds)
        elif written:
            moment = _from_parts(written, local, day_first)
        else:
            moment = datetime.fromisoformat(said)
    except (ValueError, OverflowError):
        return None if written or days else parse_time(said)
    return parse_time((moment if moment.tzinfo else moment.replace(tzinfo=local)).isoformat())


def _from_parts(written: re.Match[str], zone: tzinfo, day_first: bool) -> datetime:
    day, month, year, hour, minute, second = (int(part or 0) for part in written.groups()[:6])
    day, month = (day, month) if day_first else (month, day)
    if written[7]:
        hour = hour % 12 + (12 if written[7].lower() == "pm" else 0)
    return datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second, tzinfo=zone)


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

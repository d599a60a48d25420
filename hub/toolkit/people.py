"""People as ad platforms know them: identifiers are normalized and hashed in this one place.

Every function takes what a mapping made (text, a number, None, or nonsense). It returns None for what no platform could
match: an empty identifier is left out, it is never hashed. A value that is a SHA-256 digest already is only lower-cased.

Sources: Meta, "Customer information parameters" and "fbp and fbc parameters"
(developers.facebook.com/documentation/ads-commerce/conversions-api/parameters); Google, "Send user-provided data"
(developers.google.com/analytics/devguides/collection/ga4/uid-data).
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from hub.toolkit.countries import country_by_name, state_by_name
from hub.toolkit.paths import text

_NAMESPACE = uuid5(NAMESPACE_URL, "conversion-hub")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # base 32 without I, L, O and U
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NOT_IN_PLACES = re.compile(r"[0-9.\s\-()]+")
_FB_COOKIE = re.compile(r"fb\.[0-9]\.[0-9]{10,16}\.([^.\s]+)(?:\.[^\s]+)?")
# A zero after the country code is nearly always the national prefix of "+44 (0) …": the library decides on those.
_E164 = re.compile(
    r"""\+(?!
        (?: 2[07] | 3[0-469] | 4[013-9] | 5[1-8] | 6[0-6] | 8[1246] | 9[0-58] ) 0
      | (?: 2[1-689] | 3[578] | 42 | 5[09] | 6[789] | 8[0578] | 9[679] ) [0-9] 0
    ) [1-9][0-9]{7,14}""",
    re.VERBOSE,
)


def digest(value: str | None) -> str | None:
    """The SHA-256 of a normalized value's UTF-8, as lower-case hex. A digest is not hashed again."""
    if not value:
        return None
    if len(value) == 64 and _DIGEST.fullmatch(value):
        return value.lower()
    try:
        return sha256(value.encode()).hexdigest()
    except UnicodeEncodeError:  # half of a surrogate pair, out of someone's broken JSON
        return sha256(value.encode("utf-8", "replace")).hexdigest()


def email(value: Any) -> str | None:
    """Trimmed and lower-cased; None for what is not an address. Dots and ``+suffix`` stay (Meta and most others)."""
    plain = _plain(value)
    return plain if _EMAIL.fullmatch(plain) or _is_digest(plain) else None


def google_email(value: Any, *, drop_suffix: bool = True) -> str | None:
    """As :func:`email`, and for gmail.com and googlemail.com without dots and, if ``drop_suffix``, without ``+suffix``.

    Google Analytics keeps the suffix, Google's Data Manager drops it.
    """
    plain = email(value)
    if plain is None or not plain.endswith(("@gmail.com", "@googlemail.com")):
        return plain
    local, _, domain = plain.partition("@")
    if drop_suffix:
        local = local.partition("+")[0]
    local = local.replace(".", "")
    return f"{local}@{domain}" if local else None


def phone(value: Any, country: str | None = None) -> str | None:
    """E.164 with its ``+`` (Meta, Pinterest and Snap want it without: ``lstrip("+")``).

    None unless the number is in international form, or national and ``country`` (any name or code) says which nation:
    no hash of a number without its country code can ever match.
    """
    number = value.strip() if isinstance(value, str) else text(value) or ""
    if _E164.fullmatch(number):
        return number
    if not number:
        return None
    return number.lower() if _is_digest(number) else _parse_phone(number, country)


def name(value: Any) -> str | None:
    """A first or last name, trimmed and lower-cased; punctuation stays, as in Meta's Python SDK."""
    return _plain(value) or None


def city(value: Any) -> str | None:
    """Lower case without digits, spaces, dots, hyphens and brackets; accents stay ("sãopaulo")."""
    plain = _plain(value)
    return (plain if plain.isalpha() or _is_digest(plain) else _NOT_IN_PLACES.sub("", plain)) or None


def region(value: Any, country: str | None = None) -> str | None:
    """The two-letter code in lower case for the US and Canada, also from a name or ``US-CA``; elsewhere as a city."""
    return _region(_plain(value), _country(country) if country else None)


def postal_code(value: Any) -> str | None:
    """Lower case, without spaces, and the part before a hyphen, as in Meta's SDK ("94035-1234" → "94035")."""
    return "".join(_plain(value).split()).partition("-")[0] or None


def country(value: Any) -> str | None:
    """ISO 3166 alpha-2 in upper case, from alpha-2, alpha-3 or a name in English, French or its own language."""
    return _country(value if isinstance(value, str) else text(value) or "")


def fbc(fbclid: str, first_seen: datetime, index: int = 1) -> str:
    """Meta's click cookie for a click id, which is case-sensitive and stays as it is.

    ``first_seen`` is when the click was first seen, not the event. ``index`` counts the dots of the cookie's domain
    (1 for example.com, also when no cookie is set).
    """
    return f"fb.{index}.{_milliseconds(first_seen)}.{fbclid}"


def fbp(first_seen: datetime, number: int, index: int = 1) -> str:
    """Meta's browser cookie for a visitor seen first at ``first_seen``; ``number`` is random, made once."""
    return f"fb.{index}.{_milliseconds(first_seen)}.{number}"


def fb_cookie(value: Any) -> str | None:
    """A ``_fbc`` or ``_fbp`` cookie unchanged (newer ones carry a fifth part); None when it is not one."""
    cookie = value.strip() if isinstance(value, str) else ""
    return cookie if _FB_COOKIE.fullmatch(cookie) else None


def current_fbc(cookie: Any, fbclid: Any, first_seen: datetime, index: int = 1) -> str | None:
    """The cookie, unless the address brings another click id: that one wins, as in Meta's parameter builder."""
    kept = fb_cookie(cookie)
    click = fbclid.strip() if isinstance(fbclid, str) else ""
    if not click or (kept and kept.split(".", 4)[3] == click):
        return kept
    return fbc(click, first_seen, index)


def stable_uuid(*parts: str) -> UUID:
    """The same UUID (version 5) for the same parts, on every machine and in every year."""
    return uuid5(_NAMESPACE, "\x1f".join(parts))


def stable_ulid(moment: datetime, *parts: str) -> str:
    """The same ULID (github.com/ulid/spec) for the same parts; its time is ``moment``."""
    number = (_milliseconds(moment) << 80) | (stable_uuid(*parts).int & ((1 << 80) - 1))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def _plain(value: Any) -> str:
    """Trimmed lower-case text; "" for what holds none."""
    if isinstance(value, str):
        return value.strip().lower()
    return (text(value) or "").lower()


def _is_digest(value: str) -> bool:
    return len(value) == 64 and _DIGEST.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _region(plain: str, country: str | None) -> str | None:
    if country in (None, "US", "CA") and not _is_digest(plain):
        prefix, _, rest = plain.partition("-")
        written = state_by_name(rest, prefix.upper()) if prefix in ("us", "ca") else None
        found = written or state_by_name(plain, country)
        if found:
            return found.lower()
    return city(plain)


@lru_cache(maxsize=4096)
def _country(value: str) -> str | None:
    plain = value.strip()
    return plain.lower() if _is_digest(plain) else country_by_name(plain)


def _parse_phone(number: str, country: str | None) -> str | None:
    import phonenumbers  # 60 ms to load, and most numbers arrive in E.164

    number = number.lstrip("( ")
    if number.startswith("00"):
        number = "+" + number[2:]
    international = number.startswith("+")
    nation = _country(country) if country and not international else None
    if not (international or nation):
        return None
    try:
        parsed = phonenumbers.parse(number, nation)
    except phonenumbers.NumberParseException:
        return None
    # A guessed nation must be confirmed by a number that exists there; a written one is taken at its word.
    good = phonenumbers.is_possible_number if international else phonenumbers.is_valid_number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if good(parsed) else None


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

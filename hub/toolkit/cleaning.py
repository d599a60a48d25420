"""Cleans texts as people, pages and checkouts send them: e-mail addresses, order ids, names, words of consent.

Nothing here raises. A value that cannot be used becomes None, and where it matters a sentence says why.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from hub.contract.conversion import Consent

MAX_ORDER_ID = 255  # characters; the longest ids in use (cart tokens, Stripe sessions) stay below 100
MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_LOCAL = 64  # RFC 5321, section 4.5.3.1.1
UTM_NAMES = ("source", "medium", "campaign", "term", "content", "id")
CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "fbp",
    "fbc",
    "ttclid",
    "ttp",
    "msclkid",
    "li_fat_id",
    "epik",
    "twclid",
    "sccid",
    "rdt_cid",
    "dclid",
    "yclid",
    "ga_client_id",
    "ga_session_id",
)
PURPOSES = ("ads", "email", "analytics")


def clean_text(value: str, limit: int = 500) -> str:
    """``value`` without control, zero-width and direction characters, HTML entities, and the markup glued to its ends.

    At most ``limit`` characters; NFC, so that equal texts are equal.
    """
    if _CLEAN.fullmatch(value):
        return value.strip()[:limit]
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), value)
    if not text.isprintable():
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    text = unicodedata.normalize("NFC", text).strip()
    text = text if "<" in text else _GLUED_END.sub("", text).strip()
    for quote in "\"'":
        if text.startswith(quote) and text.endswith(quote) and len(text) > 1:
            text = text[1:-1].strip()
        elif text.endswith(quote) and text.count(quote) == 1:
            text = text[:-1].rstrip()
    return text[:limit]


def clean_email(value: str, *, plus_became_space: bool = False) -> tuple[str | None, str | None]:
    """(the address in lower case, None), or (None, what is wrong with it). Empty text is (None, None).

    An international domain is given in its ASCII form. ``plus_became_space``: the text came out of a query string,
    where the ``+`` of ``jane+shop@…`` reads as a space unless it was encoded.
    """
    text = clean_text(value, 2000)
    if not text:
        return None, None
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :].split("?")[0].strip()
    named = re.fullmatch(r"[^<>]*<([^<>]+)>", text)
    text = named[1].strip() if named else text
    if text.count("@") > 1 and not text.startswith('"'):
        addresses = {part.lower() for part in re.split(r"[\s,;]+", text) if part}
        if len(addresses) > 1:
            return None, "it holds several addresses: the buyer must be one person"
        text = addresses.pop()
    if plus_became_space and text.count("@") == 1:
        text = re.sub(r"(?<=[\w.-]) (?=[\w.+-]+@)", "+", text)
    return _checked_email(text)


def split_name(name: str | None) -> tuple[str | None, str | None]:
    """("Ada", "King Lovelace") out of "Ada King Lovelace", for senders that know only a whole name."""
    first, _, last = " ".join((name or "").split()).partition(" ")
    return first or None, last or None


def clean_order_id(value: str) -> str | None:
    """The id without quotes and without the ``#`` in front (``#1001`` → ``1001``); case and leading zeros stay.

    None when nothing is left, or when it is longer than any order id is.
    """
    text = clean_text(value, MAX_ORDER_ID + 1).lstrip("#").strip()
    return text if 0 < len(text) <= MAX_ORDER_ID else None


def unreplaced_placeholder(value: str) -> str | None:
    """The name of the template syntax when ``value`` is a placeholder that nobody filled in, else None."""
    text = value.strip()
    if len(text) > 500 or not _SUSPECT.search(text):
        return None
    return next((name for name, pattern in _PLACEHOLDERS if pattern.search(text)), None)


def read_consent(value: Any) -> Consent:
    """The consent in ``1``, ``0``, ``ads,email``, a list, or an object of purposes. A list refuses what it leaves out."""
    if isinstance(value, Mapping):
        return Consent(**{purpose: _yes_or_no(value.get(purpose)) for purpose in PURPOSES})
    whole = _yes_or_no(value)
    if whole is not None:
        return Consent(ads=whole, email=whole, analytics=whole)
    parts: Iterable[Any] = value if isinstance(value, list) else re.split(r"[\s,;|+]+", str(value or ""))
    named = {_PURPOSE_WORDS.get(str(part).strip().lower()) for part in parts} - {None}
    if not named:
        return Consent()
    return Consent(**{purpose: purpose in named for purpose in PURPOSES})


def read_flag(value: Any) -> bool:
    """Whether ``value`` says yes: true, 1, yes, on, oui."""
    return _yes_or_no(value) is True


def read_touch(fields: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """(utm by its short name, click ids) found in ``fields`` under their usual names (``utm_source``, ``gclid``)."""
    found = {
        name: clean_text(value)
        for name, value in fields.items()
        if isinstance(value, str) and value and not unreplaced_placeholder(value)
    }
    utm = {name: found[f"utm_{name}"] for name in UTM_NAMES if found.get(f"utm_{name}")}
    return utm, {name: found[name] for name in CLICK_IDS if found.get(name)}


_CLEAN = re.compile(r"[A-Za-z0-9 @.,:;_+*#%=?!()-]*")  # nearly every value: nothing in it to take off
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
# The end of the img tag, or the quote of the src attribute, when a page's author forgot one of them.
_GLUED_END = re.compile(r"""(?:["']\s*)?/?>$|["']\s*/$""")
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]+|\"[^\"\s\\]+\"")
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_SUSPECT = re.compile(r"[{<%#\[*$]|__|^(?:[A-Z_]+|undefined|null|NaN|None)$")  # what every pattern below has one of
_PLACEHOLDERS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("Liquid or Handlebars, {{…}}", r"\{\{[^{}]*\}\}|\{%[^{}]*%\}"),
        ("JavaScript template, ${…}", r"[$#]\{[^{}]*\}"),
        ("single braces, {…}", r"\{[A-Za-z_][\w .|:\-]*\}"),
        ("Mailchimp merge tag, *|…|*", r"\*\|[^|]*\|\*"),
        ("server template, <…>", r"<[%?].*|^<[A-Z][A-Z0-9_ -]*>$"),
        ("underscores, __…__", r"^__[A-Za-z][A-Za-z0-9_]*__$"),
        ("percent signs, %…%", r"^%{1,2}[A-Za-z][\w.\-]*%{1,2}$"),
        ("number signs, ##…##", r"^#{1,2}[A-Za-z][\w.\-]*#{1,2}$"),
        ("square brackets, […]", r"^\[{1,2}[A-Za-z][\w .\-]*\]{1,2}$"),
        ("shell variable, $…", r"^\$[A-Z][A-Z_]{2,}$"),
        ("a word to replace", r"^(?:REPLACE|OPTIONAL|REPLACE_ME|REPLACEME|CHANGE_ME|YOUR_[A-Z_]+)$"),
        ("an empty value of a program", r"^(?:undefined|null|NaN|None|\[object \w+\])$"),
    )
)

_PURPOSE_WORDS = {
    "ads": "ads",
    "ad": "ads",
    "advertising": "ads",
    "marketing": "ads",
    "email": "email",
    "e-mail": "email",
    "newsletter": "email",
    "analytics": "analytics",
    "statistics": "analytics",
    "measurement": "analytics",
}
_YES = ("1", "true", "yes", "y", "on", "all", "oui", "granted")
_NO = ("0", "false", "no", "n", "off", "none", "non", "denied")


def _is_visible(char: str) -> bool:
    # Cc: control characters, NUL among them. Cf: zero-width and direction marks. Cs: halves of a surrogate pair.
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def _checked_email(text: str) -> tuple[str | None, str | None]:
    local, at, domain = text.rpartition("@")
    if not at:
        return None, "it has no @"
    if len(text) > MAX_EMAIL or len(local) > MAX_LOCAL:
        return None, f"it is longer than an address can be ({len(text)} characters)"
    try:
        domain = domain.strip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None, "its domain is not one"
    if not _LOCAL.fullmatch(local) or "•" in local or "***" in local:
        return None, "the part before the @ is not one that mail systems take"
    if not _DOMAIN.fullmatch(domain):
        return None, "its domain is not one"
    return f"{local.lower()}@{domain}", None


def _yes_or_no(value: Any) -> bool | None:
    if value is None:  # nothing was said, which the word "none" would be
        return None
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else None

"""Who is it? The names a person goes by in one conversion, strongest first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

# E-mail, then external id, then our first-party cookie, then a click id: the order of design and of requirement R34.
EMAIL, EXTERNAL_ID, COOKIE, CLICK_ID = "email", "external_id", "cookie", "click_id"
CONFIDENCE = {EMAIL: 1.0, EXTERNAL_ID: 0.9, "order": 0.9, COOKIE: 0.6, CLICK_ID: 0.4, "none": 0.0}
"""How sure each way of recognizing a person is, 0 to 1."""

_STRENGTH = (EMAIL, EXTERNAL_ID, COOKIE, CLICK_ID)
_CLICK_IDS = ("gclid", "gbraid", "wbraid", "fbclid", "ttclid", "msclkid", "twclid", "li_fat_id", "epik", "rdt_cid")

Key = tuple[str, str]


def keys_of(data: dict[str, Any], connection_scope: str = "") -> list[Key]:
    """The (type, value) pairs in a conversion's JSON, strongest first.

    An external id is only unique at its sender, so it is kept within ``connection_scope``.
    """
    contact, context = data["contact"], data["context"]
    keys: list[Key] = []
    email = normal_email(contact.get("email"))
    if email:
        keys.append((EMAIL, email))
    if contact.get("external_id"):
        keys.append((EXTERNAL_ID, f"{connection_scope}:{contact['external_id']}"[:400]))
    if context.get("cookie"):
        keys.append((COOKIE, str(context["cookie"])[:400]))
    clicks = context.get("click_ids") or {}
    keys += [(CLICK_ID, f"{name}:{clicks[name]}"[:400]) for name in _CLICK_IDS if clicks.get(name)]
    return keys


def strongest(keys: Iterable[Key]) -> Key | None:
    """The surest of ``keys``; among equally sure ones always the same, whatever their order."""
    return min(keys, key=lambda key: (_STRENGTH.index(key[0]), key[1]), default=None)


def normal_email(text: Any) -> str | None:
    """Trimmed, NFC, lower-case: the key of a person. None when there is none."""
    if not text:
        return None
    return unicodedata.normalize("NFC", str(text)).strip().lower()[:320] or None

"""``from``: reading the conversion by a path, compiled once to a closure that costs a fraction of a microsecond."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hub.contract.conversion import Campaigns, Consent, Contact, Context, Conversion, Item, Json
from hub.mapping.problems import Malformed
from hub.toolkit.paths import dig, parse_path

Maker = Callable[[Json], Any]
"""Makes a value out of the mapping's input; None means missing."""

ORDER_KEYS = ("id", "gross", "refunded", "net", "currency", "status")
CUSTOMER_KEYS = ("summary", "lifetime_value", "orders", "first_purchase_at", "last_purchase_at", "currency")

# What a path may begin with, and go on with where that is a closed list. A typing error is told when saving.
_KNOWN: dict[str, tuple[str, ...] | None] = {
    **dict.fromkeys(Conversion.__slots__),
    "contact": tuple(Contact.__slots__),
    "items": tuple(Item.__slots__),
    "campaigns": tuple(Campaigns.__slots__),
    "context": tuple(Context.__slots__),
    "consent": tuple(Consent.__slots__),
    "order": ORDER_KEYS,
    "customer": CUSTOMER_KEYS,
    "campaign_names": None,
    "trust": None,
    "unsubscribe_url": None,
}
ROOTS = frozenset(_KNOWN)

_WELL_FORMED = re.compile(r"[^.\[\]]+(?:\[(?:-?\d{1,4}|\*)?\])*(?:\.[^.\[\]]+(?:\[(?:-?\d{1,4}|\*)?\])*)*")


def reach(path: str) -> Maker:
    """A function from the mapping's input to the value at ``path``, None when it is missing or empty.

    Same meaning as :func:`hub.toolkit.paths.dig`; "$" is the whole input.
    """
    if path == "$":
        return lambda data: data
    parts = parse_path(path)
    if not all(isinstance(part, str) and not part.isdigit() for part in parts):
        if len(parts) == 3 and isinstance(parts[0], str) and type(parts[1]) is int and isinstance(parts[2], str):
            return _of_one(parts[0], parts[1], parts[2])
        return lambda data: present(dig(data, path))
    if len(parts) == 1:
        return _one_deep(path)
    keys = tuple(str(part) for part in parts)
    return _two_deep(*keys) if len(keys) == 2 else _deep(keys)


def present(value: Any) -> Any:
    """``value``, or None when it is empty text, an empty list or an empty object. Zero and false are values."""
    if value or value is False:
        return value
    return None if value is None or isinstance(value, str | list | dict) else value


def check_path(path: str) -> None:
    """Malformed when ``path`` cannot lead anywhere in the mapping's input."""
    if path == "$":
        return
    if not _WELL_FORMED.fullmatch(path):
        raise Malformed(f'"{path[:60]}" is not a path such as contact.email.', f"« {path[:60]} » n'est pas un chemin.")
    keys = [part for part in parse_path(path) if isinstance(part, str)]
    known = _KNOWN.get(keys[0], ())
    if keys[0] not in _KNOWN or (known and len(keys) > 1 and keys[1] not in known):
        raise Malformed(
            f'A conversion has no field "{path[:60]}".', f"Une conversion n'a pas de champ « {path[:60]} »."
        )


def _one_deep(key: str) -> Maker:
    def read(data: Json) -> Any:
        value = data.get(key)
        return value if value or value is None else present(value)

    return read


def _two_deep(key: str, inner: str) -> Maker:
    def read(data: Json) -> Any:
        part = data.get(key)
        if type(part) is not dict:
            return None
        value = part.get(inner)
        return value if value or value is None else present(value)

    return read


def _of_one(key: str, index: int, inner: str) -> Maker:
    def read(data: Json) -> Any:
        elements = data.get(key)
        if type(elements) is not list or not -len(elements) <= index < len(elements):
            return None
        element = elements[index]
        return present(element.get(inner)) if type(element) is dict else present(dig(element, inner))

    return read


def _deep(keys: tuple[str, ...]) -> Maker:
    def read(data: Any) -> Any:
        for key in keys:
            if type(data) is not dict:
                return None
            data = data.get(key)
        return data if data or data is None else present(data)

    return read

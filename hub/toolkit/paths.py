"""Reading nested data by a path such as ``customer.emails[0].value``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hub.contract.errors import NotUnderstood

_PART = re.compile(r"([^.\[\]]+)|\[(-?\d+|\*)?\]")


@lru_cache(maxsize=4096)
def parse_path(path: str) -> tuple[str | int | None, ...]:
    """Keys, indexes, and None for ``[]`` / ``[*]`` (every element)."""
    parts: list[str | int | None] = []
    for match in _PART.finditer(path):
        key, index = match.groups()
        parts.append(key if key is not None else None if index in (None, "*") else int(index))
    return tuple(parts)


def dig(data: Any, path: str) -> Any:
    """The value at ``path``, or None when any step is missing. With ``[]`` in it: a list of what was found."""
    return _walk(data, parse_path(path))


def all_at(data: Any, *paths: str) -> list[Any]:
    """Everything that stands at ``paths``, in the order of the paths. Nested lists become one flat list; None is left out."""
    return [one for path in paths for one in _flat(dig(data, path))]


def _flat(found: Any) -> list[Any]:
    parts = found if isinstance(found, list) else [found]
    return [one for part in parts for one in (_flat(part) if isinstance(part, list) else [part]) if one is not None]


def _walk(data: Any, parts: tuple[str | int | None, ...]) -> Any:
    for position, part in enumerate(parts):
        if isinstance(data, dict):
            data = data.get(part if isinstance(part, str) else str(part))
        elif isinstance(data, list) and part is None:
            found = (_walk(element, parts[position + 1 :]) for element in data)
            return [value for value in found if value is not None]
        elif isinstance(data, list):
            data = _element(data, part)
        else:
            return None
    return data


def _element(data: list[Any], part: str | int | None) -> Any:
    try:
        return data[int(part)]  # type: ignore[arg-type]  # the caller looked that it is a number
    except (ValueError, IndexError):
        return None


def text(value: Any) -> str | None:
    """``value`` as stripped text; None for missing and empty. Numbers keep every digit, true and objects are no text."""
    if isinstance(value, str):  # nearly every value, and this is asked of dozens for each message
        return value.strip() or None
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def required_text(data: Any, path: str) -> str:
    """The text at ``path``, for what must be there: ids above all. A number becomes text with every digit kept.

    Raises NotUnderstood, which names ``path``, when it is missing, null, empty, or no text. (``str(None)`` would be an id
    that unrelated sales share.)
    """
    found = text(dig(data, path))
    if found is None:
        raise NotUnderstood(
            f"The message has no usable “{path}”, which this sender was expected to send. Look at it, update the "
            "connector if the sender changed, then replay."
        )
    return found


def nested(form: Mapping[str, str]) -> dict[str, Any]:
    """``customer[email]=…`` becomes {"customer": {"email": …}}, as PHP and Rails senders mean it."""
    record: dict[str, Any] = {}
    for key, value in form.items():
        parts = [part for part in re.split(r"[\[\]]+", key) if part] or [key]
        place = record
        for part in parts[:-1][:20]:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[parts[-1]] = value
    return record

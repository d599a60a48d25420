"""Fields as the body of a request: nested JSON, a form, or XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from hub.contract.calls import dump_json

_NOT_IN_NAMES = re.compile(r"[^\w.-]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, section 2.2


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``{"buyer.email": …}`` becomes ``{"buyer": {"email": …}}``. Where a key stands in the way of another, dots stay."""
    whole: dict[str, Any] = {}
    for key, value in fields.items():
        *outer, last = key.split(".")
        place = whole
        for name in outer:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                place, last = whole, key
                break
            place = inner
        place[last] = value
    return whole


def form_body(fields: Mapping[str, Any]) -> dict[str, str]:
    """One text for each field; lists and objects as JSON."""
    return {key: plain_text(value) for key, value in fields.items()}


def plain_text(value: Any) -> str:
    """The value as text; "" when there is none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dump_json(value).decode()


def xml_body(root: str, fields: Mapping[str, Any]) -> bytes:
    """An element for each field; a list is one element that holds an ``item`` for each of its parts."""
    body: bytes = ElementTree.tostring(_element(root, fields), encoding="utf-8", xml_declaration=True)
    return body


def _element(name: str, value: Any) -> ElementTree.Element:
    plain = _NOT_IN_NAMES.sub("_", name)
    made = ElementTree.Element(plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}")
    if isinstance(value, Mapping):
        made.extend(_element(str(key), part) for key, part in value.items())
    elif isinstance(value, list):
        made.extend(_element("item", part) for part in value)
    else:
        made.text = _NOT_IN_XML.sub("", plain_text(value))
    return made

"""A connector's settings as a form: what is drawn, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from hub.connecting.masking import MASK

PREFIX = "set."  # apart from the page's own fields (name, csrf_token)
EMPTY_ROWS = 3  # of a table, so that it can be filled in without JavaScript

Fields = Sequence[Mapping[str, Any]]


def draw(
    fields: Fields, values: Mapping[str, Any], problems: Mapping[str, list[str]] | None = None
) -> list[dict[str, Any]]:
    """Each field with its ``id``, the ``value`` to show (never a secret), ``rows`` (tables) and ``problems``."""
    drawn = []
    for field in fields:
        value = values.get(field["name"], field["default"])
        extra = {"id": PREFIX + field["name"], "value": value, "problems": (problems or {}).get(field["name"], [])}
        extra["is_set"] = field["secret"] and value not in (None, "", [], {})
        if field["secret"]:
            extra["value"] = ""
        if field["widget"] in ("table", "paths"):
            extra["rows"] = _rows(field, value if isinstance(value, dict) else {})
        drawn.append({**field, **extra})
    return drawn


def read(fields: Fields, form: MultiDict[str, str]) -> dict[str, Any]:
    """What was filled in, in the form that ``hub.steer.connections`` takes. An empty secret is left out: it stays."""
    values: dict[str, Any] = {}
    for field in fields:
        name = PREFIX + field["name"]
        if field["widget"] == "switch":
            values[field["name"]] = name in form
        elif field["widget"] in ("table", "paths"):
            pairs = zip(form.getlist(f"{name}.left"), form.getlist(f"{name}.right"), strict=False)
            values[field["name"]] = {
                left.strip(): right.strip() for left, right in pairs if left.strip() and right.strip()
            }
        elif field["secret"]:
            values |= _secret(field, form)
        else:
            values[field["name"]] = form.get(name, "")
    return values


def _secret(field: Mapping[str, Any], form: MultiDict[str, str]) -> dict[str, Any]:
    name = PREFIX + field["name"]
    given = form.get(name, "").strip()
    if f"{name}.remove" in form:
        return {field["name"]: given or None}
    if not given:
        return {}
    # A further secret stands beside the present one, so that a rotation loses nothing.
    keep = field["widget"] == "secrets" and f"{name}.keep" in form
    return {field["name"]: f"{given}\n{MASK}" if keep else given}


def _rows(field: Mapping[str, Any], value: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(left, its label, right): every offered name once where the names are a closed list, else what is there."""
    rows = [(left, "", right) for left, right in value.items()]
    if field["widget"] == "paths" and field["names"]:
        offered = [(name["value"], name["label"], value.get(name["value"], "")) for name in field["names"]]
        known = {left for left, _, _ in offered}
        return offered + [row for row in rows if row[0] not in known]
    return rows + [("", "", "")] * EMPTY_ROWS

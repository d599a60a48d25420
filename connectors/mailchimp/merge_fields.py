"""Mailchimp's merge fields: reading an audience's list of them, and filling them.

Source, under mailchimp.com/developer/marketing: api/list-merges, docs/merge-fields (an address needs street, city,
state and postal code).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.contract import Field, Text
from hub.toolkit.paths import dig, text

MERGE_TAG = re.compile(r"[A-Z][A-Z0-9_]{0,9}")  # what Mailchimp allows as the key of a merge field
ADDRESS_PARTS = ("addr1", "city", "state", "zip")  # without all of them Mailchimp refuses the member
GROUP = "Merge fields"


def fields_of(merge: Mapping[str, Any]) -> list[Field]:
    """One entry of the audience's list as fields to map; an address gives one for each of its parts."""
    tag, name = merge["tag"], text(merge.get("name")) or merge["tag"]
    if merge.get("type") == "address":
        parts = (*ADDRESS_PARTS, "addr2", "country")
        return [Field(f"{tag}.{part}", Text(f"{name}: {part}", f"{name} : {part}"), group=GROUP) for part in parts]
    kinds: dict[str, Any] = {"number": "number", "date": "datetime", "phone": "phone"}
    options = tuple((choice, choice) for choice in dig(merge, "options.choices") or [])
    return [
        Field(
            tag,
            Text(name, name),
            kinds.get(merge["type"], "text"),
            required=bool(merge.get("required")),
            group=GROUP,
            options=options,
        )
    ]


def merge_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The merge fields, and a warning when an address had to stay out because a part of it is missing."""
    merge: dict[str, Any] = {}
    for key, value in values.items():
        tag, _, part = key.partition(".")
        if not MERGE_TAG.fullmatch(tag) or value in (None, "", {}, []):
            continue
        if part and isinstance(merge.setdefault(tag, {}), dict):
            merge[tag][part] = value
        elif not part:
            merge[tag] = value if isinstance(value, dict) else _plain(value)
    partial = [
        tag for tag, value in merge.items() if isinstance(value, dict) and not all(map(value.get, ADDRESS_PARTS))
    ]
    whole = {tag: value for tag, value in merge.items() if tag not in partial}
    return whole, f"{', '.join(partial)} left out: an address needs {', '.join(ADDRESS_PARTS)}." if partial else ""


def _plain(value: Any) -> Any:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else value

"""Finds out where a sale came from, when the shop wrote it into a processor's free fields (metadata, custom ids)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from hub.contract.conversion import Conversion
from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES, read_touch
from hub.toolkit.paths import text

_CAMPAIGNS = frozenset({"webinarid", "webinar_id", "campaignid", "campaign_id"})
_TAGS = frozenset({"tag", "tags"})
_TOUCHES = frozenset(CLICK_IDS) | {f"utm_{name}" for name in UTM_NAMES}
_PAGE = {"page_url": "page_url", "landing_page": "page_url", "referrer": "referrer", "user_agent": "user_agent"}


def read_tracking(conversion: Conversion, pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Put campaign ids, tags, UTM values, click ids and page facts where they belong; returns the pairs left over.

    Key names are case-blind, and Meta's cookies may keep their own names (``_fbp``). Several campaigns or tags may
    stand in one value, separated by commas. Empty values are dropped.
    """
    touches: dict[str, str] = {}
    left: dict[str, Any] = {}
    for name, value in pairs.items():
        key, said = name.lower().strip().removeprefix("_"), text(value)
        if said is not None and key in _TOUCHES:
            touches[key] = said
        elif said is None or not _take(conversion, key, said):
            left |= {name: value} if value not in (None, "", {}, []) else {}
    utm, click_ids = read_touch(touches)
    conversion.context.utm |= utm
    conversion.context.click_ids |= click_ids
    return left


def tracking_pairs(value: Any) -> dict[str, Any]:
    """The pairs in one free text field: a JSON object, or ``a=1&b=2``. Empty when it is neither."""
    said = text(value) or ""
    try:
        if said.startswith("{"):
            found = json.loads(said)
            return found if isinstance(found, dict) else {}
        return dict(parse_qsl(said.removeprefix("?"), max_num_fields=100))
    except (ValueError, RecursionError):
        return {}


def _take(conversion: Conversion, key: str, said: str) -> bool:
    if key in _CAMPAIGNS:
        conversion.campaigns.ids += _new_ones(conversion.campaigns.ids, said)
    elif key in _TAGS:
        conversion.campaigns.tags += _new_ones(conversion.campaigns.tags, said)
    elif key in _PAGE:
        setattr(conversion.context, _PAGE[key], said)
    else:
        return False
    return True


def _new_ones(known: list[str], said: str) -> list[str]:
    return [part for part in dict.fromkeys(part.strip() for part in said.split(",")) if part and part not in known]

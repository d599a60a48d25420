"""Transforms of dates and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import COERCIONS
from hub.mapping.transforms.shape import Argument, Step, Transform

# A closed list: free patterns are where date formats go wrong, and strftime widths can be made to eat memory.
PATTERNS: dict[str, str] = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "YYYYMMDD": "%Y%m%d",
    "YYYY-MM": "%Y-%m",
    "YYYY": "%Y",
    "HH:mm": "%H:%M",
    "YYYY-MM-DD HH:mm": "%Y-%m-%d %H:%M",
    "YYYY-MM-DD HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "DD/MM/YYYY HH:mm": "%d/%m/%Y %H:%M",
    "MM/DD/YYYY HH:mm": "%m/%d/%Y %H:%M",
    "YYYY-MM-DDTHH:mm:ss": "%Y-%m-%dT%H:%M:%S",
}


def format_time(moment: datetime, pattern: str, zone: str | None = None) -> str:
    """``moment`` in ``zone`` (IANA name, None: UTC) as one of PATTERNS, or ISO 8601 with its offset for "ISO"."""
    local = moment.astimezone(ZoneInfo(zone) if zone else UTC)
    return local.isoformat() if pattern == "ISO" else local.strftime(PATTERNS[pattern])


def _format_date(pattern: str, zone: str | None) -> Step:
    return lambda value, _data: format_time(value, pattern, zone)


def _date_only(zone: str | None) -> Step:
    return lambda value, _data: format_time(value, "YYYY-MM-DD", zone)


def _as_coerced(name: str) -> Step:
    coerce = COERCIONS[name]

    def step(value: Any, data: Json) -> Any:
        return coerce(value, data)

    return step


_ZONE = Argument("time_zone", Text("Time zone (empty: UTC)", "Fuseau horaire (vide : UTC)"), "time_zone")

DATE_TRANSFORMS = (
    Transform(
        "format_date",
        Text("Write as a date", "Écrire comme une date"),
        Text(
            "One of the listed patterns; ISO keeps the zone's offset.",
            "L'un des modèles listés ; ISO garde le décalage du fuseau.",
        ),
        "time",
        _format_date,
        (Argument("pattern", Text("Pattern", "Modèle"), "choice", required=True, choices=(*PATTERNS, "ISO")), _ZONE),
    ),
    Transform(
        "date_only",
        Text("Date only", "Date seule"),
        Text("2026-11-20, the day in that zone.", "2026-11-20, le jour dans ce fuseau."),
        "time",
        _date_only,
        (_ZONE,),
    ),
    Transform(
        "unix",
        Text("Unix time", "Heure Unix"),
        Text("Seconds since 1970.", "Secondes depuis 1970."),
        "any",
        lambda: _as_coerced("unix"),
    ),
    Transform(
        "unix_ms",
        Text("Unix time in milliseconds", "Heure Unix en millisecondes"),
        Text("Milliseconds since 1970.", "Millisecondes depuis 1970."),
        "any",
        lambda: _as_coerced("unix_ms"),
    ),
)

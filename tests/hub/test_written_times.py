"""Dates as people and spreadsheets write them; more of them in tests/connectors/test_csv.py."""

import pytest
from marshmallow import ValidationError

from hub.contract import Text, TimeZone
from hub.contract.conversion import iso
from hub.toolkit.dates import written_time

WORDS = Text("Zone", "Fuseau")


@pytest.mark.parametrize(
    ("said", "zone", "day_first", "at"),
    [
        ("3/4/2026", "", True, "2026-04-03T00:00:00Z"),
        ("3/4/2026", "", False, "2026-03-04T00:00:00Z"),
        ("29/03/2026 03:30", "Europe/Paris", True, "2026-03-29T01:30:00Z"),
        ("12:05 AM", "", True, None),
        ("3/4/2026 12:05 am", "", True, "2026-04-03T00:05:00Z"),
        ("46115.75", "America/New_York", True, "2026-04-03T22:00:00Z"),
        ("2026-04-03T10:00:00Z", "Europe/Paris", True, "2026-04-03T10:00:00Z"),
        ("31/02/2026", "", True, None),
        ("Fri, 03 Apr 2026 10:00:00 +0200", "", True, "2026-04-03T08:00:00Z"),
        ("99/99/9999", "", True, None),
        ("", "", True, None),
    ],
)
def test_a_time_is_read_the_one_way_it_is_meant(said: str, zone: str, day_first: bool, at: str | None) -> None:
    moment = written_time(said, zone, day_first=day_first)
    assert (iso(moment) if moment else None) == at


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "/etc/passwd", "Europe"])
def test_a_time_zone_must_be_one(name: str) -> None:
    with pytest.raises(ValidationError):
        TimeZone(WORDS).deserialize(name)


def test_no_time_zone_is_utc() -> None:
    assert TimeZone(WORDS).deserialize(" ") == ""

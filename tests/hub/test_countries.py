"""Countries by the names and codes that senders write."""

from __future__ import annotations

import pytest

from hub.toolkit.countries import _country_index, country_by_name


def test_every_country_of_iso_3166_is_known_and_kosovo_but_no_other_territory() -> None:
    codes = set(_country_index().values())
    assert len(codes) == 249 + 1
    assert {country_by_name(code) for code in codes} == codes


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("fr", "FR"),
        ("FRA", "FR"),
        ("XKX", "XK"),
        ("UK", "GB"),
        ("Écosse", "GB"),
        ("usa", "US"),
        ("États-Unis d’Amérique", "US"),
        ("St. Lucia", "LC"),
        ("Saint Lucia", "LC"),
        ("Sainte-Lucie", "LC"),
        ("Bosnia & Herzegovina", "BA"),
        ("Bosnie-Herzégovine", "BA"),
        ("Cote d'Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Lituanie", "LT"),
        ("Lithuanie", "LT"),
        ("Deutschland", "DE"),
        ("Palestinian Territories", "PS"),
        ("Hong Kong", "HK"),
        ("Hong Kong SAR China", "HK"),
    ],
)
def test_a_country_is_known_by_many_names(written: str, code: str) -> None:
    assert country_by_name(written) == code


@pytest.mark.parametrize("written", ["", " ", "716", "EU", "MI", "CT", "ZZ", "ZAR", "YUG", "Atlantis", "World"])
def test_what_is_no_country_of_today_is_none(written: str) -> None:
    """Michigan and Connecticut once stood for islands in ISO 3166, and ZAR, the rand, for Zaire."""
    assert country_by_name(written) is None

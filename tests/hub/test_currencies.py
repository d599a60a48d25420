"""Which currencies the hub knows, and how many decimals each has."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.core import get_global

from hub.contract.money import EXPONENTS, currency_code, from_minor


def test_every_currency_that_is_tender_today_is_known() -> None:
    periods = [period for country in get_global("territory_currencies").values() for period in country]
    assert {code for code, _, end, is_tender in periods if is_tender and end is None} <= EXPONENTS.keys()


@pytest.mark.parametrize("code", ["HRK", "ANG", "SLL"])
def test_a_refund_may_name_a_currency_that_its_country_has_given_up(code: str) -> None:
    assert currency_code(code.lower()) == code


@pytest.mark.parametrize("code", ["", "BTC", "DEM", "FRF", "EURO", "XXX", "XAU", "XTS", "€"])
def test_what_no_shop_takes_is_no_currency(code: str) -> None:
    assert currency_code(code) is None


@pytest.mark.parametrize(
    ("minor", "code", "amount"),
    [
        (4900, "EUR", "49.00"),
        (4900, "JPY", "4900"),
        (4900, "KWD", "4.900"),
        (4900, "RSD", "49.00"),  # shown without decimals in Serbia, counted in cents by processors
        (4900, "LBP", "49.00"),
        (4900, "IQD", "4.900"),
    ],
)
def test_minor_units_are_those_of_iso_4217_not_those_that_prices_are_shown_in(
    minor: int, code: str, amount: str
) -> None:
    assert str(from_minor(minor, code)) == str(Decimal(amount))

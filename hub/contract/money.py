"""Money is Decimal in major units with its ISO 4217 currency. Amount and currency come from the same object."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from babel.core import get_global

# How many decimals a currency's minor unit has: ISO 4217 (SIX, list one), 2 unless it stands here. Babel's digits are
# not used for that: they say how prices are shown (no cents in Serbia or Lebanon), and processors count by ISO.
_ZERO = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_NOT_IN_SHOPS = ("SVC", "UYI", "VED")  # codes of ISO 4217 that Babel knows as no tender
_KNOWN_SINCE = 2020  # a refund may name the currency of a sale made before its country changed to another


def _tender() -> set[str]:
    """The currencies that are tender in some country, or were in this decade, by Babel's CLDR data."""
    periods = [period for country in get_global("territory_currencies").values() for period in country]
    return {code for code, _, end, is_tender in periods if is_tender and (end is None or end[0] >= _KNOWN_SINCE)}


EXPONENTS: dict[str, int] = {
    **dict.fromkeys(sorted({*_tender(), *_NOT_IN_SHOPS}), 2),
    **dict.fromkeys(_ZERO, 0),
    **dict.fromkeys(_THREE, 3),
}
"""Every currency the hub knows: ISO 4217 code → decimal places."""

STEP = Decimal("0.0001")
"""The books are kept in ten-thousandths: more than any currency has, so that an amount is rounded once and no more."""
MAX_AMOUNT = Decimal(10) ** 12  # beyond this an amount is a mistake, and would not fit the store


def currency_code(value: Any) -> str | None:
    """The upper-case ISO code, or None when ``value`` is not one (empty, a symbol, crypto, four letters)."""
    text = str(value).strip().upper() if value is not None else ""
    return text if text in EXPONENTS else None


def rounded(amount: Decimal) -> Decimal:
    """``amount`` to the four decimals of the books, half to even. One with fewer is left as it is written."""
    finer = int(amount.as_tuple().exponent) < -4
    return amount.quantize(STEP, ROUND_HALF_EVEN) if finer else amount


def exponent(currency: str | None) -> int:
    """Decimal places of ``currency``; 2 when it is unknown."""
    return EXPONENTS.get(currency or "", 2)


def from_minor(value: Any, currency: Any, exponents: dict[str, int] | None = None) -> Decimal | None:
    """4900 with EUR → 49.00; with JPY → 4900; with KWD → 4.900. None stays None.

    ``exponents`` overrides the ISO ones where a processor has rules of its own (Stripe: MGA is zero-decimal). Without
    any currency (None or "") there are two decimals.
    Raises ValueError when ``value`` is not a whole number, and when ``currency`` is given but unknown: how many decimals
    it has would be a guess.
    """
    if value is None or value == "":
        return None
    number = decimal(value)
    if number is None or number != number.to_integral_value():
        raise ValueError(f"not a whole number of minor units: {str(value)[:40]}")
    code = currency_code(currency)
    if code is None and currency not in (None, ""):
        raise ValueError(f"unknown currency: {str(currency)[:20]}")
    return number.scaleb(-(exponents or {}).get(code or "", exponent(code)))


def decimal(value: Any) -> Decimal | None:
    """A machine-written number ("49.99", 49.99, "-3") as Decimal. None when missing.

    Raises ValueError for anything else, for infinities, NaN and amounts beyond a million million.
    """
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"not a number: {str(value)[:40]}") from None
    if not number.is_finite() or abs(number) > MAX_AMOUNT or number.as_tuple().exponent < -18:  # type: ignore[operator]  # the exponent of a finite number is an int
        raise ValueError(f"not an amount: {str(value)[:40]}")
    return number

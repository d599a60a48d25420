"""Money is Decimal in major units with its ISO 4217 currency. Amount and currency come from the same object."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

# ISO 4217 active codes and their exponents (SIX list one); 2 unless listed below.
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a list of words reads better so
_THREE = "BHD IQD JOD KWD LYD OMR TND".split()  # noqa: SIM905 - a table of words reads better than a list of quotes
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD
KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU
UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""".split()  # noqa: SIM905 - a table of words reads better than a list of quotes
EXPONENTS: dict[str, int] = {**dict.fromkeys(_TWO, 2), **dict.fromkeys(_ZERO, 0), **dict.fromkeys(_THREE, 3)}

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

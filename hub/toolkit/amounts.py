"""Amounts as people and checkouts write them: ``49,99 €``, ``$1,234.56``, ``4 999``.

The rule, in order:

1. Spaces, invisible characters, a leading ``+``, a currency code or symbol at either end are taken off; digits of any
   script count as digits. Anything else but separators is refused: exponents, hexadecimal, a minus sign, ``Infinity``.
2. Two kinds of separator: the last one is the decimal mark, the other must group the digits (``1.234,56``).
   The same one several times groups (``1.234.567``).
3. One separator, followed by exactly three digits and preceded by one to three of which the first is not 0, could be
   either. It is decided by what can be paid: a currency with three decimals reads a point as decimal mark and refuses a
   comma; one with none reads a group; one with two reads a comma as a group (``1,234``: no program writes a price with
   a comma and three decimals), and **refuses a point** (``12.345`` is a machine's unrounded 12.35 as often as a German
   12 345: being wrong by a factor of a thousand is worse than asking).
4. Any other single separator is the decimal mark (``49,9``, ``.5``, ``5.``).
5. More decimals than the currency has are refused (``0.001`` EUR cannot be paid), unless they are zeros or what binary
   floating point leaves behind (``49.989999999999995`` → 49.99).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.contract.errors import NotUnderstood
from hub.contract.money import MAX_AMOUNT, currency_code, exponent
from hub.toolkit.cleaning import clean_text

MAX_LENGTH = 60  # characters; a longer text is no amount


def parse_amount(text: str, currency: str | None = None) -> Decimal:
    """The amount in major units, never negative. ``currency`` (ISO code) decides how many decimals there can be.

    A currency that the text itself names comes first. Raises ValueError, with a sentence for people, when the text
    cannot be read in exactly one way, or names another currency than ``currency``.
    """
    shown = _shown(text)
    number, named = _split(shown)
    if named is not None and currency and currency not in named:
        raise ValueError(f"The amount is written {shown}, but the currency given with it is {currency}.")
    return _number(number, shown, _only(named, currency))


def currencies_in(text: str) -> frozenset[str] | None:
    """The currencies that an amount's own text allows: one (``49.99 €``), many (``$49.99``), or None (a bare number).

    Raises ValueError when it names two.
    """
    return _split(_shown(text))[1]


def read_currency(text: Any) -> frozenset[str] | None:
    """The currencies that a code or a symbol stands for: ``usd``, ``US$``, ``$``. None when it stands for none."""
    word = clean_text(str(text), MAX_LENGTH).upper() if text is not None else ""
    code = currency_code(word)
    return frozenset({code}) if code else _SYMBOLS.get(word)


def read_money(amount: Any, currency: Any, default: str = "") -> tuple[Decimal | None, str | None]:
    """An amount and its currency, out of what a message says and the source's ``default`` currency.

    The message's own words come first. The default fills a gap or chooses among the dollars; it never replaces a
    currency that was given and is unknown. No amount: (None, None). A Decimal or an int is taken as it is.
    Raises NotUnderstood with the reason ``amount_not_readable`` or ``currency_unknown``.
    """
    if amount is None or str(amount).strip() == "":
        return None, None
    code = _only(_agreed(amount, currency), default)
    try:
        value = parse_amount(amount, code) if isinstance(amount, str) else _checked(amount, code)
    except ValueError as error:
        raise NotUnderstood(str(error), reason="amount_not_readable") from None
    if code is None:
        raise NotUnderstood(
            "The amount came without a currency, or with a sign that several currencies share. "
            "Send a three-letter code, or set the default currency of the source.",
            reason="currency_unknown",
        )
    return value, code


_DOLLARS = frozenset(
    {
        "USD",
        "CAD",
        "AUD",
        "NZD",
        "SGD",
        "HKD",
        "TWD",
        "MXN",
        "ARS",
        "CLP",
        "COP",
        "UYU",
        "BSD",
        "BBD",
        "BMD",
        "BZD",
        "JMD",
        "TTD",
        "XCD",
        "FJD",
        "LRD",
        "NAD",
    }
)
_CROWNS = frozenset({"SEK", "NOK", "DKK", "ISK"})
_YEN_OR_YUAN = frozenset({"JPY", "CNY"})
_ONE = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "₫": "VND",
    "₴": "UAH",
    "₦": "NGN",
    "₱": "PHP",
    "฿": "THB",
    "₡": "CRC",
    "₲": "PYG",
    "₸": "KZT",
    "₼": "AZN",
    "₾": "GEL",
    "US$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "NT$": "TWD",
    "MX$": "MXN",
    "R$": "BRL",
    "ZŁ": "PLN",
    "KČ": "CZK",
    "FT": "HUF",
}
_SYMBOLS: dict[str, frozenset[str]] = {
    **{symbol: frozenset({code}) for symbol, code in _ONE.items()},
    "$": _DOLLARS,
    "¥": _YEN_OR_YUAN,
    "￥": _YEN_OR_YUAN,
    "KR": _CROWNS,
    "KR.": _CROWNS,
}

_WORD_BEFORE = re.compile(r"^[^\d.,'+\- ]+\.?(?= *[\d.,+\-])")
_WORD_AFTER = re.compile(r"(?<=[\d.,\-]) *[^\d.,'+\- ]+\.?$")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?P<mark>[.,' ])\d{3}(?:(?P=mark)\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3}")
_TWO_WAYS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_SAME_MARK = {"\u066b": ".", "\u066c": ",", "，": ",", "．": ".", "’": "'", "ʼ": "'", "−": "-", "–": "-", "＋": "+"}
_REFUSED = (
    (re.compile(r"^\(.*\)$|-"), "is negative. A refund is not a sale with a minus: send it as a refund"),
    (re.compile(r"^0x", re.IGNORECASE), "is a hexadecimal number. Send a bare number such as 49.99"),
    (re.compile(r"^[\d.,]+e\+?\d+$", re.IGNORECASE), "is written with an exponent. Send a bare number such as 49.99"),
    (re.compile(r"^(inf|infinity|nan|∞)$", re.IGNORECASE), "is not a finite number. Send a bare number such as 49.99"),
)
_NOISE = Decimal("0.000001")  # what a page's arithmetic in binary floating point can be off by


def _shown(text: str) -> str:
    shown = clean_text(text[: 10 * MAX_LENGTH], MAX_LENGTH)
    if len(shown) == MAX_LENGTH:
        raise ValueError("The amount is too long to be one. Send a bare number such as 49.99.")
    return shown


def _agreed(amount: Any, currency: Any) -> frozenset[str] | None:
    """The currencies that both the currency field and the amount's own text allow; None when neither names one."""
    given = read_currency(currency)
    word = clean_text(str(currency or ""), 20)
    if given is None and word:
        raise NotUnderstood(
            f"{word} is not a currency the hub knows. Send a three-letter code such as EUR.", reason="currency_unknown"
        )
    try:
        named = currencies_in(amount) if isinstance(amount, str) else None
    except ValueError as error:
        raise NotUnderstood(str(error), reason="amount_not_readable") from None
    if given is None or named is None:
        return given or named
    if not given & named:
        raise NotUnderstood(
            f"The amount is written {clean_text(amount, 40)}, but the currency beside it is {word}. Send one currency.",
            reason="currency_unknown",
        )
    return given & named


def _only(codes: frozenset[str] | None, default: str | None) -> str | None:
    """The one code among ``codes``; of several, the default if it is one of them; with none named, the default."""
    if codes is None:
        return default or None
    if len(codes) == 1:
        return next(iter(codes))
    return default if default in codes else None


def _split(shown: str) -> tuple[str, frozenset[str] | None]:
    """The number in ASCII without its currency words, and the currencies that they allow."""
    ascii_digits = (str(unicodedata.decimal(char, char)) for char in shown)
    number = " ".join("".join(_SAME_MARK.get(char, char) for char in ascii_digits).split())
    named: frozenset[str] | None = None
    for pattern in (_WORD_BEFORE, _WORD_AFTER):
        found = pattern.search(number)
        codes = read_currency(found[0]) if found else None
        if found is None or codes is None:
            continue
        if named is not None and not named & codes:
            raise ValueError(f"The amount {shown} names two currencies.")
        named = codes if named is None else named & codes
        number = (number[: found.start()] + number[found.end() :]).strip()
    return number, named


def _number(text: str, shown: str, currency: str | None) -> Decimal:
    text = re.sub(r"(?<=\d)[.,]-{1,2}$", "", text.removeprefix("+").strip())  # "49,-" and "49.--": no cents
    for pattern, trouble in _REFUSED:
        if pattern.search(text):
            raise ValueError(f"The amount {shown} {trouble}.")
    if not re.fullmatch(r"[0-9.,' ]*[0-9][0-9.,' ]*", text):
        raise ValueError(f"The amount {shown} is not a number. Send a bare number such as 49.99.")
    whole, decimals = _halves(text, shown, exponent(currency))
    if not (whole.isdigit() or not whole or _GROUPED.fullmatch(whole)) or not (decimals.isdigit() or not decimals):
        raise ValueError(f"The amount {shown} groups its digits in no usual way. Send a bare number such as 49.99.")
    return _payable(Decimal(f"{re.sub('[^0-9]', '', whole) or 0}{'.' if decimals else ''}{decimals}"), shown, currency)


def _halves(text: str, shown: str, places: int) -> tuple[str, str]:
    """What stands before and after the decimal mark, by rules 2 to 4."""
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return text, ""
    whole, mark, decimals = text[:last], text[last], text[last + 1 :]
    if mark in whole:
        return text, ""
    if _TWO_WAYS.fullmatch(text):
        if places == 0 or (places == 2 and mark == ","):
            return text, ""
        if not (places == 3 and mark == "."):
            raise ValueError(
                f"The amount {shown} can be read in two ways, as {whole}{decimals} or as {whole}.{decimals}. "
                "Send it without grouping and with two decimals, such as 49.99."
            )
    return whole, decimals


def _payable(value: Decimal, shown: str, currency: str | None) -> Decimal:
    """Rule 5."""
    if value > MAX_AMOUNT:
        raise ValueError(f"The amount {shown} is too large to be one.")
    rounded = _without_noise(value, currency)
    if rounded is None:
        raise ValueError(f"The amount {shown} has more decimals than can be paid in {currency or 'most currencies'}.")
    return rounded


def _without_noise(value: Decimal, currency: str | None) -> Decimal | None:
    """``value`` within the decimals of ``currency``; None when that would change it."""
    rounded = value.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)
    if abs(rounded - value) > _NOISE:
        return None
    return value if -int(value.as_tuple().exponent) <= exponent(currency) else rounded


def _checked(value: Any, currency: str | None) -> Decimal:
    number = Decimal(str(value)) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal("NaN")
    if not number.is_finite() or abs(number) > MAX_AMOUNT:
        raise ValueError(f"The amount {clean_text(str(value), 40)} is not a number that can be paid.")
    if number < 0:
        raise ValueError(f"The amount {number} is negative. A refund is not a sale with a minus: send it as a refund.")
    rounded = _without_noise(number, currency)
    return number if rounded is None else rounded

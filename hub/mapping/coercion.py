"""``as``: what a value is turned into at the end of its rule, and the conversions that transforms share.

All of it is pure; what cannot be converted raises CannotMake. Results are plain JSON values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from hub.contract.calls import dump_json
from hub.contract.conversion import Json, iso, money_text
from hub.contract.money import decimal, exponent
from hub.contract.vocabulary import Text
from hub.mapping.problems import CannotMake
from hub.toolkit.dates import EARLIEST, LATEST, parse_time

Coercion = Callable[[Any, Json], Any]

MAX_TEXT = 10_000  # characters of one made text; a longer one is a mistake, no destination takes it

_YES = frozenset({"true", "yes", "y", "1", "on", "oui", "vrai"})
_NO = frozenset({"false", "no", "n", "0", "off", "non", "faux"})


def text_of(value: Any) -> str:
    """``value`` as text: numbers keep every digit, a list is joined with ", ", an object becomes JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(text_of(element) for element in value if element is not None)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal):
        return money_text(value) or ""
    return str(value) if isinstance(value, int) else json_text(value)


def json_text(value: Any) -> str:
    """``value`` as compact JSON."""
    return dump_json(value).decode()


def number_of(value: Any) -> Decimal:
    """``value`` as an exact number. CannotMake for true, false, lists, and what is not a machine's number."""
    try:
        number = decimal(value) if isinstance(value, str | int | float | Decimal) else None
    except ValueError:
        number = None
    if number is None:
        raise CannotMake("not_a_number", Text("The value is not a number.", "La valeur n'est pas un nombre."))
    return number


def plain_number(number: Decimal) -> int | float:
    """The JSON number: an integer when it is whole."""
    whole = int(number)
    return whole if whole == number else float(number)


def moment_of(value: Any) -> datetime:
    """``value`` as an aware UTC time, read as :func:`hub.toolkit.dates.parse_time` reads."""
    if type(value) is str and value[-1:] == "Z" and 20 <= len(value) <= 27:  # our own stored form, the usual case
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if EARLIEST <= moment < LATEST:
                return moment
    parsed = parse_time(value)
    if parsed is None:
        raise CannotMake(
            "not_a_time", Text("The value is not a date or time.", "La valeur n'est ni une date ni une heure.")
        )
    return parsed


def rounded(number: Decimal, places: int) -> Decimal:
    """``number`` to that many decimal places, halves away from zero as on an invoice. CannotMake beyond 28 digits."""
    try:
        return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    except InvalidOperation:
        raise CannotMake("not_a_number", Text("The number is too large.", "Le nombre est trop grand.")) from None


def check_length(text: str) -> str:
    """``text``, or CannotMake when it is longer than MAX_TEXT."""
    if len(text) > MAX_TEXT:
        raise CannotMake(
            "too_long",
            Text(f"The text is longer than {MAX_TEXT} characters.", f"Le texte dépasse {MAX_TEXT} caractères."),
        )
    return text


def _text(value: Any, _data: Json) -> str:
    return value if type(value) is str and len(value) <= MAX_TEXT else check_length(text_of(value))


_ORDINARY = re.compile(r"-?\d{1,12}(?:\.(\d{1,6}))?", re.ASCII)  # how the hub itself stores money


def _number(value: Any, _data: Json) -> int | float:
    if type(value) is str and _ORDINARY.fullmatch(value):
        return _short_number(value)
    return plain_number(number_of(value))


def _short_number(value: str) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _integer(value: Any, _data: Json) -> int:
    return int(rounded(number_of(value), 0))


def _money(value: Any, data: Json) -> int | float:
    if type(value) is str and (found := _ORDINARY.fullmatch(value)):
        decimals = found[1]
        if decimals is None or len(decimals) <= exponent(data.get("currency")):
            return _short_number(value)
    return plain_number(rounded(number_of(value), exponent(data.get("currency"))))


def _boolean(value: Any, _data: Json) -> bool:
    if isinstance(value, bool):
        return value
    word = text_of(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise CannotMake("not_yes_or_no", Text("The value is neither yes nor no.", "La valeur n'est ni oui ni non."))


def _date(value: Any, _data: Json) -> str:
    return moment_of(value).date().isoformat()


def _datetime(value: Any, _data: Json) -> str:
    return iso(moment_of(value))


def _unix(value: Any, _data: Json) -> int:
    return int(moment_of(value).timestamp())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _unix_ms(value: Any, _data: Json) -> int:
    since = moment_of(value) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _list(value: Any, _data: Json) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(value: Any, _data: Json) -> Any:
    if isinstance(value, dict):
        return value
    raise CannotMake("not_an_object", Text("The value is not an object.", "La valeur n'est pas un objet."))


COERCIONS: dict[str, Coercion] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "money": _money,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "unix": _unix,
    "unix_ms": _unix_ms,
    "list": _list,
    "object": _object,
}

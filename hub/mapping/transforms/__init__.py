"""``do``: the closed list of transforms, and how a chain of them is compiled.

A step of a chain is a name, or ``{name: argument}``, or ``{name: {argument: value, …}}``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hub.contract.conversion import Json
from hub.contract.money import currency_code
from hub.contract.vocabulary import Text
from hub.mapping.coercion import MAX_TEXT, check_length, moment_of, number_of, plain_number, text_of
from hub.mapping.problems import CannotMake, Malformed
from hub.mapping.reader import present
from hub.mapping.transforms.dates import DATE_TRANSFORMS
from hub.mapping.transforms.lists import LIST_TRANSFORMS
from hub.mapping.transforms.numbers import NUMBER_TRANSFORMS
from hub.mapping.transforms.shape import Argument, Step, Transform
from hub.mapping.transforms.text import TEXT_TRANSFORMS

__all__ = ["MAX_CHAIN", "TRANSFORMS", "Argument", "Transform", "compile_chain"]

TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (*TEXT_TRANSFORMS, *NUMBER_TRANSFORMS, *DATE_TRANSFORMS, *LIST_TRANSFORMS)
}
MAX_CHAIN = 10
MAX_ELEMENTS = 1000  # of a list that a chain works on


def compile_chain(chain: list[Any]) -> Step:
    """One function that does all of ``chain``. Given None it only does what ``default`` says. Raises Malformed."""
    if len(chain) > MAX_CHAIN:
        raise Malformed(
            f"A chain has at most {MAX_CHAIN} transforms.", f"Une chaîne a au plus {MAX_CHAIN} transformations."
        )
    steps = tuple(_compile_step(step) for step in chain)

    def run(value: Any, data: Json) -> Any:
        for step, for_missing in steps:
            if (value is None) is for_missing:
                value = step(value, data)
                if not value:
                    value = present(value)
                elif type(value) is str and len(value) > MAX_TEXT:
                    check_length(value)
        return value if type(value) is str else _plain(value)

    return run


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_number(value)
    return [_plain(element) for element in value] if isinstance(value, list) else value


def _compile_step(step: Any) -> tuple[Step, bool]:
    name, given = next(iter(step.items())) if isinstance(step, dict) and len(step) == 1 else (step, None)
    transform = TRANSFORMS.get(name) if isinstance(name, str) else None
    if transform is None:
        raise Malformed(
            f'There is no transform "{str(name)[:40]}". Known: {", ".join(TRANSFORMS)}.',
            f"La transformation « {str(name)[:40]} » n'existe pas. Connues : {', '.join(TRANSFORMS)}.",
        )
    function = transform.make(*_arguments(transform, given))
    return _typed(transform, function), transform.takes == "missing"


def _typed(transform: Transform, function: Step) -> Step:
    if transform.takes == "list":
        return lambda value, data: function(_short(value) if isinstance(value, list) else [value], data)
    if transform.takes in ("any", "missing"):
        return function
    read: Callable[[Any], Any] = {"text": _single_text, "number": number_of, "time": moment_of}[transform.takes]
    is_text = transform.takes == "text"

    def each_or_one(value: Any, data: Json) -> Any:
        if is_text and type(value) is str and len(value) <= MAX_TEXT:
            return function(value, data)
        if isinstance(value, list):
            made = (function(read(element), data) for element in _short(value) if element is not None)
            return [element for element in made if element is not None]
        return function(read(value), data)

    return each_or_one


def _single_text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise CannotMake(
            "not_text", Text("The value is an object, not a text.", "La valeur est un objet, pas un texte.")
        )
    return check_length(text_of(value))


def _short(value: list[Any]) -> list[Any]:
    if len(value) > MAX_ELEMENTS:
        raise CannotMake(
            "too_long",
            Text(f"The list has more than {MAX_ELEMENTS} elements.", f"La liste a plus de {MAX_ELEMENTS} éléments."),
        )
    return value


def _arguments(transform: Transform, given: Any) -> list[Any]:
    declared = {argument.name: argument for argument in transform.arguments}
    if not isinstance(given, dict):
        given = {} if given is None else {next(iter(declared), "?"): given}
    for name in given:
        if name not in declared:
            raise Malformed(
                f'"{transform.name}" takes no "{str(name)[:40]}".',
                f"« {transform.name} » n'a pas de « {str(name)[:40]} ».",
            )
    return [_argument(transform, argument, given.get(argument.name)) for argument in declared.values()]


def _argument(transform: Transform, argument: Argument, value: Any) -> Any:
    if value is None or (value == "" and argument.type not in ("text", "constant")):
        if argument.required:
            raise Malformed(
                f'"{transform.name}" needs its "{argument.name}".', f"« {transform.name} » demande « {argument.name} »."
            )
        return argument.default
    try:
        return _READERS[argument.type](argument, value)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError):
        shown, name = str(value)[:40], argument.name
        raise Malformed(
            f'"{transform.name}": "{shown}" does not fit "{name}"{_allowed(argument, "one of ")}.',
            f"« {transform.name} » : « {shown} » ne convient pas à « {name} »{_allowed(argument, 'parmi ')}.",
        ) from None


def _allowed(argument: Argument, word: str) -> str:
    if argument.choices:
        return f" ({word}{', '.join(argument.choices)})"
    return f" ({argument.least}–{argument.most})" if argument.type == "integer" else ""


def _read_constant(argument: Argument, value: Any) -> Any:
    if not isinstance(value, str | int | float) or len(str(value)) > argument.most:
        raise ValueError(value)
    return value


def _read_integer(argument: Argument, value: Any) -> int:
    if isinstance(value, bool) or not argument.least <= int(value) <= argument.most or int(value) != float(value):
        raise ValueError(value)
    return int(value)


def _read_number(_argument: Argument, value: Any) -> Decimal:
    number = Decimal(str(value))
    if isinstance(value, bool) or not number.is_finite() or abs(number) > Decimal(10) ** 9 or len(str(value)) > 20:
        raise ValueError(value)
    return number


def _read_choice(argument: Argument, value: Any) -> str:
    if value not in argument.choices:
        raise ValueError(value)
    return str(value)


def _read_currency(_argument: Argument, value: Any) -> str:
    code = currency_code(value)
    if code is None:
        raise ValueError(value)
    return code


_READERS: dict[str, Callable[[Argument, Any], Any]] = {
    "text": lambda argument, value: str(_read_constant(argument, value)),
    "constant": _read_constant,
    "integer": _read_integer,
    "number": _read_number,
    "choice": _read_choice,
    "currency": _read_currency,
    "time_zone": lambda _argument, value: ZoneInfo(value).key,
}

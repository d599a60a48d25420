"""The filter of a route, and the condition of ``if``: stored JSON, drawn as a form, compiled once.

A condition is ``{"path": …, "op": …, "value": …}``; conditions are joined by ``{"all": […]}`` or ``{"any": […]}``,
which may nest; a bare list means all. An empty filter lets everything through. Text is compared without regard to case;
a list passes when one of its elements does (for not_equals: when none is equal). There are no regular expressions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.contract.conversion import Json
from hub.contract.money import decimal
from hub.contract.vocabulary import Text
from hub.mapping.coercion import text_of
from hub.mapping.problems import Malformed, MappingError, Problem
from hub.mapping.reader import Maker, check_path, reach
from hub.toolkit.dates import parse_time

log = logging.getLogger(__name__)

Condition = Callable[[Json], bool]
"""Whether a conversion passes. Never raises."""

OPS: dict[str, Text] = {
    "equals": Text("is", "est"),
    "not_equals": Text("is not", "n'est pas"),
    "contains": Text("contains", "contient"),
    "starts_with": Text("starts with", "commence par"),
    "in": Text("is one of", "est l'un de"),
    "greater": Text("is more than", "est plus que"),
    "less": Text("is less than", "est moins que"),
    "present": Text("is there", "est renseigné"),
    "missing": Text("is missing", "est absent"),
}

MAX_DEPTH = 5
MAX_CONDITIONS = 200

# Stored as text with all their digits, but people compare them as numbers: 50 is 50.00.
_NUMBER_PATHS = frozenset(
    [
        "value",
        "order.gross",
        "order.refunded",
        "order.net",
        "customer.lifetime_value",
        "customer.orders",
        "items[].price",
        "items[].quantity",
    ]
)


def condition_of(stored: Any, route_id: str) -> Condition:
    """The condition of a stored route. A filter that is not in the language any more lets nothing pass.

    It was checked as it was saved, maybe by an older hub; what it was to hold back must not go out for that.
    """
    try:
        return compile_filter(stored or {})
    except MappingError as error:
        log.warning("the filter of route %s cannot be read, so it lets nothing pass: %s", route_id, error)
        return lambda _: False


def compile_filter(stored: Any) -> Condition:
    """The stored filter as a function. MappingError, naming each place, when it is not in the language."""
    compiler = _Compiler()
    condition = compiler.compile(stored, "filter", 0)
    if compiler.problems:
        raise MappingError(compiler.problems)
    return condition


def apply_filter(stored: Any, data: Json) -> bool:
    """Whether ``data`` passes the ``stored`` filter. MappingError when the filter is malformed."""
    return compile_filter(stored)(data)


class _Compiler:
    """Walks the stored JSON once, collecting every problem with the place where it stands."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def compile(self, stored: Any, place: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            return self.refuse(place, Malformed("Nested too deeply.", "Trop imbriqué."))
        if stored is None or stored == {} or stored == []:
            return _always
        if isinstance(stored, list):
            return self.group(stored, "all", place, depth)
        if isinstance(stored, dict) and len(stored) == 1 and ("all" in stored or "any" in stored):
            joiner = next(iter(stored))
            return self.group(stored[joiner], joiner, f"{place}.{joiner}", depth)
        try:
            return self.single(stored)
        except Malformed as error:
            return self.refuse(place, error)

    def group(self, stored: Any, joiner: str, place: str, depth: int) -> Condition:
        if not isinstance(stored, list):
            return self.refuse(
                place, Malformed("A list of conditions is expected.", "Une liste de conditions est attendue.")
            )
        parts = [self.compile(part, f"{place}[{index}]", depth + 1) for index, part in enumerate(stored)]
        if len(parts) == 1:
            return parts[0]
        if joiner == "all":
            return lambda data: all(part(data) for part in parts)
        return (lambda data: any(part(data) for part in parts)) if parts else _always

    def single(self, stored: Any) -> Condition:
        self.count += 1
        if self.count > MAX_CONDITIONS:
            raise Malformed(f"More than {MAX_CONDITIONS} conditions.", f"Plus de {MAX_CONDITIONS} conditions.")
        if not isinstance(stored, dict) or not {"path", "op"} <= set(stored) <= {"path", "op", "value"}:
            raise Malformed(
                'A condition is {"path": …, "op": …, "value": …}, "all" or "any".',
                "Une condition est {« path » : …, « op » : …, « value » : …}, « all » ou « any ».",
            )
        path, op, value = stored["path"], stored["op"], stored.get("value")
        if not isinstance(path, str) or not isinstance(op, str) or op not in OPS:
            raise Malformed(f"The op is one of {', '.join(OPS)}.", f"L'opérateur est l'un de {', '.join(OPS)}.")
        check_path(path)
        return _guarded(_condition(reach(path), op, value, path in _NUMBER_PATHS))

    def refuse(self, place: str, error: Malformed) -> Condition:
        self.problems.append(Problem(place, Text(str(error), error.said.fr), "malformed"))
        return _always


def _always(_data: Json) -> bool:
    return True


def _guarded(condition: Condition) -> Condition:
    def run(data: Json) -> bool:
        try:
            return condition(data)
        except Exception:  # noqa: BLE001 - total: an odd value does not pass, and stops nothing
            return False

    return run


def _condition(read: Maker, op: str, value: Any, is_number: bool) -> Condition:
    if op == "present":
        return lambda data: read(data) is not None
    if op == "missing":
        return lambda data: read(data) is None
    if op in ("greater", "less"):
        return _ordered(read, value, greater=op == "greater")
    if op == "in":
        wanted = value if isinstance(value, list) else [part.strip() for part in str(value or "").split(",")]
        tests = [_equality(one, is_number) for one in wanted]
        return lambda data: _some(read(data), lambda found: any(test(found) for test in tests))
    if isinstance(value, dict | list) or value is None:
        raise Malformed(f'"{op}" compares with one value.', f"« {op} » compare avec une valeur.")
    if op in ("contains", "starts_with"):
        return _textual(read, text_of(value).casefold(), op)
    test = _equality(value, is_number)
    if op == "not_equals":
        return lambda data: not _some(read(data), test)
    return lambda data: _some(read(data), test)


def _some(found: Any, test: Callable[[Any], bool]) -> bool:
    if isinstance(found, list):
        return any(test(element) for element in found)
    return found is not None and test(found)


def _equality(wanted: Any, is_number: bool) -> Callable[[Any], bool]:
    text = text_of(wanted).strip().casefold()
    number = _number(wanted)
    # "0012" and "12" are different order ids: texts are numbers only where the field is one.
    if number is not None and (is_number or not isinstance(wanted, str)):
        return lambda found: _number(found) == number
    return lambda found: text_of(found).strip().casefold() == text


def _textual(read: Maker, wanted: str, op: str) -> Condition:
    if op == "contains":
        return lambda data: _some(read(data), lambda found: wanted in text_of(found).casefold())
    return lambda data: _some(read(data), lambda found: text_of(found).casefold().startswith(wanted))


def _ordered(read: Maker, wanted: Any, *, greater: bool) -> Condition:
    limit = _number(wanted)
    if limit is not None:
        return lambda data: _some(
            read(data),
            lambda found: (number := _number(found)) is not None and (number > limit if greater else number < limit),
        )
    moment = parse_time(wanted)
    if moment is None:
        raise Malformed(
            "More and less compare with a number or a date.", "Plus et moins comparent avec un nombre ou une date."
        )
    return lambda data: _some(
        read(data),
        lambda found: (when := parse_time(found)) is not None and (when > moment if greater else when < moment),
    )


def _number(value: Any) -> Decimal | None:
    try:
        return decimal(value)
    except ValueError:
        return None

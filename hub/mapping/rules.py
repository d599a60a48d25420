"""Step 6 of the journey: a conversion becomes the destination's fields. The language is told in ``docs/mapping.md``.

Rules are compiled once to closures, then applied to any number of conversions. Applying is total: it never raises,
never loops and runs nobody's code; a field that cannot be made is a named Problem. Preview and delivery do the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.catalog import flat
from hub.mapping.coercion import COERCIONS, Coercion, text_of
from hub.mapping.language import FLAT, load_rules
from hub.mapping.problems import CannotMake, MappingError, Problem
from hub.mapping.reader import Maker, present, reach
from hub.mapping.transforms.shape import Step

__all__ = ["CompiledMapping", "Mapped", "MappingError", "Problem", "compile_mapping"]

_MISSING = Text("A required field is empty.", "Un champ obligatoire est vide.")
_FAILED = Text("The value could not be made from this conversion.", "La valeur n'a pas pu être produite.")


class Mapped:
    """What one conversion became: plain JSON ``values`` by field, and the ``problems`` met on the way."""

    __slots__ = ("problems", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []

    @property
    def blocker(self) -> Problem | None:
        """The first problem for which the record cannot go out, or None."""
        return next((problem for problem in self.problems if problem.blocking), None)


class CompiledMapping:
    """Rules ready to be applied. ``write`` holds the write mode of the fields whose mode is not "set"."""

    __slots__ = ("_makers", "_required", "write")

    def __init__(self, makers: Mapping[str, Maker], required: Collection[str], write: Mapping[str, str]) -> None:
        # Spread objects come first, so that a field with a rule of its own wins.
        self._makers = tuple(sorted(makers.items(), key=lambda item: item[0] != FLAT))
        self._required = frozenset(required)
        self.write = dict(write)

    def apply(self, data: Json) -> Mapped:
        """The destination's fields out of ``data`` (:func:`hub.mapping.catalog.facts`). Never raises."""
        mapped = Mapped()
        values = mapped.values
        for field, make in self._makers:
            try:
                value = make(data)
            except Exception as error:  # noqa: BLE001 - total: an odd value becomes a problem, whatever it breaks
                self._note(mapped, field, error)
                continue
            if value is not None:
                if field == FLAT and type(value) is dict:
                    values.update({name: part for name, part in value.items() if present(part) is not None})
                else:
                    values[field] = value
        for field in self._required:
            if field not in values:
                self._note_missing(mapped, field)
        return mapped

    def _note(self, mapped: Mapped, field: str, error: Exception) -> None:
        code, message = (error.code, error.message) if isinstance(error, CannotMake) else ("failed", _FAILED)
        mapped.problems.append(Problem(field, message, code, field in self._required))

    def _note_missing(self, mapped: Mapped, field: str) -> None:
        if all(problem.field != field for problem in mapped.problems):
            mapped.problems.append(Problem(field, _MISSING, "missing"))


def compile_mapping(rules: Mapping[str, Any], required: Collection[str] = ()) -> CompiledMapping:
    """The stored ``rules`` ready to be applied. ``required``: fields the destination itself demands.

    Raises MappingError, with a Problem for each malformed place.
    """
    loaded = load_rules(rules)
    demanded = {field for field, rule in loaded.items() if rule.get("required")} | set(required)
    write = {field: rule["write"] for field, rule in loaded.items() if rule.get("write", "set") != "set"}
    return CompiledMapping({field: _maker(rule) for field, rule in loaded.items()}, demanded, write)


def _maker(rule: Json) -> Maker:
    make = _source(rule)
    if "do" in rule:
        make = _with_chain(make, rule["do"])
    if "as_" in rule:
        make = _with_coercion(make, COERCIONS[rule["as_"]])
    return make


def _source(rule: Json) -> Maker:
    if "from_" in rule:
        return flat if rule["from_"] == FLAT else reach(rule["from_"])
    if "value" in rule:
        return _constant(rule["value"])
    if "text" in rule:
        return _filled(rule["text"])
    if "first" in rule:
        return _first([_maker(inner) for inner in rule["first"]])
    if "lookup" in rule:
        return _lookup(_maker(rule["lookup"]), rule["table"], _operand(rule.get("default")))
    return _branch(rule["if_"], _operand(rule["then"]), _operand(rule.get("else_")))


def _operand(rule: Json | None) -> Maker:
    return _maker(rule) if rule is not None else lambda _data: None


def _constant(value: Any) -> Maker:
    if isinstance(value, dict | list):  # a connector may change what it is given: each record gets its own
        return lambda _data: deepcopy(value)
    return lambda _data: value


def _filled(render: Maker) -> Maker:
    return lambda data: render(data).strip() or None


def _first(makers: list[Maker]) -> Maker:
    def first(data: Json) -> Any:
        failure: CannotMake | None = None
        for make in makers:
            try:
                value = make(data)
            except CannotMake as error:  # the next candidate may do; told only when none does
                failure = failure or error
                continue
            if value is not None:
                return value
        if failure is not None:
            raise failure
        return None

    return first


def _lookup(make: Maker, table: Mapping[str, Any], default: Maker) -> Maker:
    def one(value: Any, data: Json) -> Any:
        key = text_of(value)
        return deepcopy(table[key]) if key in table else default(data)

    def look_up(data: Json) -> Any:
        value = make(data)
        if isinstance(value, list):
            found = (one(element, data) for element in value)
            return present([element for element in found if element is not None])
        return default(data) if value is None else one(value, data)

    return look_up


def _branch(condition: Any, then: Maker, otherwise: Maker) -> Maker:
    return lambda data: then(data) if condition(data) else otherwise(data)


def _with_chain(make: Maker, chain: Step) -> Maker:
    return lambda data: chain(make(data), data)


def _with_coercion(make: Maker, coerce: Coercion) -> Maker:
    def made(data: Json) -> Any:
        value = make(data)
        return None if value is None else coerce(value, data)

    return made

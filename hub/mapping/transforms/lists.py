"""Transforms of lists, and those that take anything."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import json_text, number_of, text_of
from hub.mapping.transforms.shape import Argument, Step, Transform


def _plain(change: Callable[[list[Any]], Any]) -> Callable[[], Step]:
    return lambda: lambda value, _data: change(value)


def _join(separator: str) -> Step:
    return lambda value, _data: separator.join(text_of(element) for element in value)


def _unique(value: list[Any]) -> list[Any]:
    seen: set[str] = set()
    return [element for element in value if not ((key := json_text(element)) in seen or seen.add(key))]  # type: ignore[func-returns-value]  # add() gives None, which is what is wanted


def _sum(value: list[Any]) -> Decimal:
    return number_of(sum((number_of(element) for element in value), Decimal(0)))


def _default(constant: Any) -> Step:
    return lambda _value, _data: constant


def _to_json() -> Step:
    def write(value: Any, _data: Json) -> str:
        return json_text(value)

    return write


LIST_TRANSFORMS = (
    Transform(
        "join",
        Text("Join", "Joindre"),
        Text("All elements in one text.", "Tous les éléments en un texte."),
        "list",
        _join,
        (Argument("separator", Text("Separator", "Séparateur"), default=", "),),
    ),
    Transform(
        "lines",
        Text("One line each", "Une ligne chacun"),
        Text("All elements, each on a line of its own.", "Tous les éléments, un par ligne."),
        "list",
        lambda: _join("\n"),
    ),
    Transform(
        "first",
        Text("First", "Premier"),
        Text("The first element.", "Le premier élément."),
        "list",
        _plain(lambda value: value[0] if value else None),
    ),
    Transform(
        "last",
        Text("Last", "Dernier"),
        Text("The last element.", "Le dernier élément."),
        "list",
        _plain(lambda value: value[-1] if value else None),
    ),
    Transform(
        "count", Text("Count", "Compter"), Text("How many elements.", "Le nombre d'éléments."), "list", _plain(len)
    ),
    Transform(
        "sum", Text("Sum", "Somme"), Text("Of a list of numbers.", "D'une liste de nombres."), "list", _plain(_sum)
    ),
    Transform(
        "unique",
        Text("Without repeats", "Sans répétition"),
        Text("Each element once, in order.", "Chaque élément une fois, dans l'ordre."),
        "list",
        _plain(_unique),
    ),
    Transform(
        "default",
        Text("If missing", "Si absent"),
        Text("Used when there is no value.", "Utilisé quand il n'y a pas de valeur."),
        "missing",
        _default,
        (Argument("value", Text("Value", "Valeur"), "constant", required=True),),
    ),
    Transform(
        "json", Text("As JSON", "En JSON"), Text("The value as JSON text.", "La valeur en texte JSON."), "any", _to_json
    ),
)

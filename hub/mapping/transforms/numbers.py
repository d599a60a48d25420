"""Transforms of numbers and money. Exact: everything is Decimal until the value leaves the chain."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from hub.contract.conversion import Json
from hub.contract.money import currency_code, exponent
from hub.contract.vocabulary import Text
from hub.mapping.coercion import number_of, rounded
from hub.mapping.problems import CannotMake
from hub.mapping.transforms.shape import Argument, Step, Transform


def _plain(change: Callable[[Decimal], Decimal]) -> Callable[[], Step]:
    return lambda: lambda value, _data: change(value)


_AROUND = re.compile(r"^[^\d.,+-]*([+-]?[\d.,]+)[^\d.,]*$")


def _number(decimal_mark: str) -> Step:
    grouping = "." if decimal_mark == "," else ","

    def read(value: str, _data: Json) -> Decimal:
        found = _AROUND.match("".join(value.replace("'", "").split()))
        if found is None:
            raise CannotMake("not_a_number", Text("The value is not a number.", "La valeur n'est pas un nombre."))
        return number_of(found[1].replace(grouping, "").replace(decimal_mark, "."))

    return read


def _round(places: int) -> Step:
    return lambda value, _data: rounded(value, places)


def _add(amount: Decimal) -> Step:
    return lambda value, _data: number_of(value + amount)


def _multiply(factor: Decimal) -> Step:
    return lambda value, _data: number_of(rounded(value * factor, 12))


def _minor_units(currency: str | None) -> Step:
    def scale(value: Decimal, data: Json) -> Decimal:
        return rounded(value.scaleb(exponent(currency or data.get("currency"))), 0)

    return scale


def _format_money(language: str | None, currency: str | None) -> Step:
    def write(value: Decimal, data: Json) -> str:
        code = currency or currency_code(data.get("currency"))
        number = rounded(value, exponent(code))
        grouped = format(number, ",f" if language else "f")
        if language == "fr":
            grouped = grouped.replace(",", "\u202f").replace(".", ",")
        return f"{grouped} {code}" if code else grouped

    return write


_CURRENCY = Argument(
    "currency", Text("Currency (empty: the conversion's)", "Devise (vide : celle de la conversion)"), "currency"
)

NUMBER_TRANSFORMS = (
    Transform(
        "number",
        Text("Read as a number", "Lire comme un nombre"),
        Text(
            "Currency signs, spaces and thousands marks are dropped: “€ 1,299.00” gives 1299.",
            "Symboles, espaces et séparateurs de milliers sont supprimés : « 1 299,00 € » donne 1299.",
        ),
        "text",
        _number,
        (
            Argument(
                "decimal_mark", Text("Decimal mark", "Séparateur décimal"), "choice", default=".", choices=(".", ",")
            ),
        ),
    ),
    Transform(
        "round",
        Text("Round", "Arrondir"),
        Text("Halves go away from zero.", "Les moitiés s'éloignent de zéro."),
        "number",
        _round,
        (Argument("places", Text("Decimal places", "Décimales"), "integer", default=0, most=12),),
    ),
    Transform("abs", Text("Without sign", "Sans signe"), Text("-5 gives 5.", "-5 donne 5."), "number", _plain(abs)),
    Transform(
        "negate",
        Text("Change sign", "Changer le signe"),
        Text("A refund as a negative amount.", "Un remboursement en négatif."),
        "number",
        _plain(Decimal.__neg__),
    ),
    Transform(
        "add",
        Text("Add", "Ajouter"),
        Text("A constant; negative to subtract.", "Une constante ; négative pour soustraire."),
        "number",
        _add,
        (Argument("amount", Text("Amount", "Montant"), "number", required=True),),
    ),
    Transform(
        "multiply",
        Text("Multiply", "Multiplier"),
        Text("By a constant, such as 0.7.", "Par une constante, comme 0.7."),
        "number",
        _multiply,
        (Argument("factor", Text("Factor", "Facteur"), "number", required=True),),
    ),
    Transform(
        "minor_units",
        Text("In minor units (cents)", "En centimes"),
        Text("49.99 EUR gives 4999; 4900 JPY stays 4900.", "49.99 EUR donne 4999 ; 4900 JPY reste 4900."),
        "number",
        _minor_units,
        (_CURRENCY,),
    ),
    Transform(
        "format_money",
        Text("Write as money", "Écrire comme un montant"),
        Text(
            "1299.00 EUR; with a language 1,299.00 EUR or 1 299,00 EUR.",
            "1299.00 EUR ; avec une langue 1,299.00 EUR ou 1 299,00 EUR.",
        ),
        "number",
        _format_money,
        (Argument("language", Text("Language", "Langue"), "choice", choices=("en", "fr")), _CURRENCY),
    ),
)

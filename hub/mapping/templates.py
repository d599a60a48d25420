"""``text``: Liquid templates with bounds, so that a template neither loops, nor eats memory, nor reaches a file.

python-liquid, without the tags that reach outside (include, render), without ranges (the only way to loop over what the
data does not hold), with a bound on loop turns, on the output, and on the work that filters do. Unknown variables are
empty.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import OutputNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import MAX_TEXT, check_length, moment_of, text_of
from hub.mapping.problems import CannotMake, Malformed
from hub.mapping.reader import Maker, reach
from hub.mapping.transforms.dates import PATTERNS, format_time

MAX_SOURCE = 10_000  # characters of one template: an e-mail's body fits
_MAX_WORK = 500_000  # characters that all filters of one rendering may read and write
_MAX_ELEMENTS = 1_000  # of a list in a filter
_MAX_DIGITS = 60  # bits of a whole number

_TAGS = frozenset(
    [
        "if",
        "unless",
        "case",
        "for",
        "break",
        "continue",
        "assign",
        "capture",
        "comment",
        "echo",
        "liquid",
        "doc",
        "#",
        "content",
        "output",
        "illegal",
    ]
)
_FORBIDDEN_FILTERS = ("safe", "find", "find_index", "reject", "has")  # "date" is replaced: no clock, no free patterns

Render = Callable[[Json], str]


def compile_template(source: str, names: frozenset[str] | None = None) -> Render:
    """A pure function from the data to the text. It raises CannotMake, and nothing else, when it cannot.

    ``names``: the variables there are, to tell a typing error early. Raises Malformed for a broken template.
    """
    if len(source) > MAX_SOURCE:
        raise Malformed(
            f"A template has at most {MAX_SOURCE} characters.", f"Un modèle a au plus {MAX_SOURCE} caractères."
        )
    try:
        template = _ENVIRONMENT.from_string(source)
        _check(template, names)
    except LiquidError as error:
        raise Malformed(
            f"The template is broken: {error.message}.", f"Le modèle est cassé : {error.message}."
        ) from None
    except RecursionError:
        raise Malformed("The template is nested too deeply.", "Le modèle est trop imbriqué.") from None
    plain = _plain_parts(template)
    return partial(_fill, plain) if plain is not None else partial(_render, template)


def _plain_parts(template: BoundTemplate) -> list[str | Maker] | None:
    """The text and the paths of a template that has nothing else, which renders ten times faster; None for others."""
    parts: list[str | Maker] = []
    for node in template.nodes:
        if isinstance(node, ContentNode):
            parts.append(node.text)
            continue
        expression = node.expression if isinstance(node, OutputNode) else None
        path = expression.left if isinstance(expression, FilteredExpression) and not expression.filters else None
        if not isinstance(path, Path) or not all(map(_is_plain, path.path)):
            return None
        parts.append(reach(".".join(map(str, path.path))))
    return parts


def _is_plain(segment: object) -> bool:
    return isinstance(segment, str) and segment.isidentifier() and segment not in ("size", "first", "last")


def _fill(parts: list[str | Maker], data: Json) -> str:
    return check_length(
        "".join([part if isinstance(part, str) else to_liquid_string(part(data), False) for part in parts])
    )


def _render(template: BoundTemplate, data: Json) -> str:
    _work.left = _MAX_WORK
    try:
        return template.render({**data, "now": None, "today": None})  # no clock: a replay must give the same text
    except Exception as error:  # noqa: BLE001 - whatever a filter breaks, the delivery must not
        said = error.message if isinstance(error, LiquidError | CannotMake) else type(error).__name__
        detail = said if isinstance(said, Text) else Text(str(said), str(said))
        raise CannotMake(
            "template_failed", Text(f"The template failed: {detail.en}.", f"Le modèle a échoué : {detail.fr}.")
        ) from None


class _Bounded(Environment):
    loop_iteration_limit = 500
    output_stream_limit = MAX_TEXT
    local_namespace_limit = 100_000
    block_nesting_limit = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in set(self.tags) - _TAGS:
            del self.tags[tag]
        for name in _FORBIDDEN_FILTERS:
            del self.filters[name]
        self.filters |= {"date": _date, "replace": _replace, "join": _join}
        for name, function in list(self.filters.items()):
            self.filters[name] = _metered(function)


class _Work(threading.local):
    left = _MAX_WORK


_work = _Work()


def _metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its input and output counted, and with lists and numbers kept small."""

    def run(value: Any, *arguments: Any, **named: Any) -> Any:
        _work.left -= 50 + _size(value) + sum(map(_size, arguments))
        if _work.left < 0:
            raise CannotMake("too_long", Text("too much work", "trop de travail"))
        result = function(value, *arguments, **named)
        _work.left -= _size(result)
        return result

    for mark in ("with_context", "with_environment"):
        if hasattr(function, mark):
            setattr(run, mark, True)
    return run


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(map(_size, value)) + len(value) if len(value) <= _MAX_ELEMENTS else _MAX_WORK + 1
    return _MAX_WORK + 1 if isinstance(value, int) and value.bit_length() > _MAX_DIGITS else 1


def _date(value: Any, pattern: Any = "YYYY-MM-DD", zone: Any = None) -> str:
    """``{{ occurred_at | date: "DD/MM/YYYY", "Europe/Paris" }}``: the patterns of the transform format_date."""
    name = str(pattern)
    if name not in PATTERNS and name != "ISO":
        raise CannotMake("template_failed", Text("unknown date pattern", "modèle de date inconnu"))
    return format_time(moment_of(value), name, str(zone) if zone else None) if value else ""


def _replace(value: Any, old: Any, new: Any = "") -> str:
    text, find, put = text_of(value), str(old), str(new)
    _work.left -= text.count(find) * len(put)
    if _work.left < 0:
        raise CannotMake("too_long", Text("too much work", "trop de travail"))
    return text.replace(find, put)


def _join(value: Any, separator: Any = " ") -> str:
    elements = value if isinstance(value, list) else [value] if value else []
    _work.left -= len(elements) * len(str(separator))
    return str(separator).join(text_of(element) for element in elements)


_ENVIRONMENT = _Bounded(strict_filters=True)


def _check(template: BoundTemplate, names: frozenset[str] | None) -> None:
    for expression in _expressions(template.nodes):
        if isinstance(expression, RangeLiteral):
            raise Malformed(
                "Ranges such as (1..5) are not available.", "Les intervalles comme (1..5) ne sont pas disponibles."
            )
        for used in getattr(expression, "filters", None) or ():
            if used.name not in _ENVIRONMENT.filters:
                raise Malformed(f'There is no filter "{used.name}".', f"Le filtre « {used.name} » n'existe pas.")
    for name in template.global_variables(include_partials=False) if names is not None else ():
        if names is not None and name not in names:
            raise Malformed(f'A conversion has no field "{name}".', f"Une conversion n'a pas de champ « {name} ».")


def _expressions(nodes: list[Node]) -> Iterator[Expression]:
    """Every expression of the tree, whatever its tag."""
    context = BoundTemplate.context_class(_ENVIRONMENT.from_string(""))
    pending: list[Node | Expression] = list(nodes)
    while pending:
        part = pending.pop()
        if isinstance(part, Expression):
            yield part
            pending.extend(part.children())
        else:
            pending.extend(part.expressions())
            pending.extend(part.children(context, include_partials=False))

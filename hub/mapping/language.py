"""The grammar of the stored rules, as a marshmallow schema whose loading compiles each part.

Loading a rule gives a dict of ready functions, so that what is accepted is exactly what can be run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import COERCIONS
from hub.mapping.filters import compile_filter
from hub.mapping.problems import Malformed, MappingError, Problem, Said
from hub.mapping.reader import ROOTS, check_path
from hub.mapping.templates import compile_template
from hub.mapping.transforms import compile_chain

MAKERS = ("from", "value", "text", "first", "lookup", "if")
WRITE_MODES = ("set", "if_empty", "append")
FLAT = "*"  # the path of the whole flat catalog, and the field that spreads an object into fields

MAX_FIELDS = 500
MAX_NESTING = 30  # of the stored JSON; rules within rules are bounded with it

_ONE_OF = Said(
    "A rule has exactly one of from, value, text, first, lookup (with table), if (with then).",
    "Une règle a exactement un de from, value, text, first, lookup (avec table), if (avec then).",
)
_FRENCH = {
    "Not a valid string.": "Ce n'est pas un texte.",
    "Not a valid list.": "Ce n'est pas une liste.",
    "Not a valid boolean.": "Ce n'est ni vrai ni faux.",
    "Not a valid mapping type.": "Ce n'est pas un objet.",
    "Unknown field.": "Champ inconnu.",
    "Field may not be null.": "Ne peut pas être nul.",
    "Invalid input type.": "Un objet est attendu.",
}


def load_rules(stored: Any) -> dict[str, Json]:
    """Each field's rule with its parts compiled. MappingError, naming every malformed place, when one is not a rule."""
    if not isinstance(stored, Mapping):
        raise MappingError([_problem("mapping", Said("A mapping is an object.", "Une correspondance est un objet."))])
    if len(stored) > MAX_FIELDS or _depth(stored) > MAX_NESTING:
        raise MappingError(
            [_problem("mapping", Said("The mapping is too large.", "La correspondance est trop grande."))]
        )
    rules: dict[str, Json] = {}
    problems: list[Problem] = []
    for name, rule in stored.items():
        try:
            rules[str(name)] = _load(rule)
        except ValidationError as error:
            problems += _flatten(str(name), error.messages)
    if problems:
        raise MappingError(problems)
    return rules


class _Compiled(fields.Field[Any]):
    """A part of a rule that is compiled while it is loaded."""

    def _deserialize(self, value: Any, *_where: Any, **_rest: Any) -> Any:
        try:
            return self.compile(value)
        except Malformed as error:
            raise ValidationError(error.said) from None

    def compile(self, value: Any) -> Any:
        """The compiled part, or Malformed."""
        raise NotImplementedError


class Path(_Compiled):
    """A checked path."""

    def compile(self, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise Malformed("A path is a text such as contact.email.", "Un chemin est un texte comme contact.email.")
        if value != FLAT:
            check_path(value)
        return value


class Template(_Compiled):
    """A Liquid template."""

    def compile(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise Malformed("A template is a text.", "Un modèle est un texte.")
        return compile_template(value, ROOTS)


class Chain(_Compiled):
    """A list of transforms."""

    def compile(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise Malformed("A list of transforms is expected.", "Une liste de transformations est attendue.")
        return compile_chain(value)


class Condition(_Compiled):
    """A condition in the language of filters."""

    def compile(self, value: Any) -> Any:
        try:
            return compile_filter(value)
        except MappingError as error:
            messages = [
                Said(f"{one.field}: {one.message.en}", f"{one.field} : {one.message.fr}") for one in error.problems
            ]
            raise ValidationError(list(messages)) from None


class Operand(fields.Field[Any]):
    """A rule, or a constant: whatever is not an object."""

    def _deserialize(self, value: Any, *_where: Any, **_rest: Any) -> Json:
        return _load(value) if isinstance(value, dict) else {"value": value}


class Source(Operand):
    """What ``lookup`` looks up: a path, or a rule."""

    def _deserialize(self, value: Any, *_where: Any, **_rest: Any) -> Json:
        return _load(value if isinstance(value, dict) else {"from": value})


class RuleSchema(Schema):
    """How one field of the destination is made."""

    from_ = Path(data_key="from")
    value = fields.Raw(allow_none=True)
    text = Template()
    first = fields.List(fields.Nested(lambda: RuleSchema()), validate=validate.Length(1, 20))
    lookup = Source()
    table = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True), validate=validate.Length(max=5000))
    default = Operand(allow_none=True)
    if_ = Condition(data_key="if")
    then = Operand(allow_none=True)
    else_ = Operand(data_key="else", allow_none=True)
    do = Chain()
    as_ = fields.String(data_key="as", validate=validate.OneOf(list(COERCIONS)))
    required = fields.Boolean(truthy={True}, falsy={False})
    write = fields.String(validate=validate.OneOf(WRITE_MODES))

    @validates_schema(pass_original=True)
    def check_parts(self, _loaded: Json, original: Any, **_rest: Any) -> None:
        """Exactly one maker, with the parts that belong to it and no others."""
        makers = [name for name in MAKERS if name in original]
        if len(makers) != 1:
            raise ValidationError(_ONE_OF)
        maker = makers[0]
        if ("table" in original) is not (maker == "lookup") or ("then" in original) is not (maker == "if"):
            raise ValidationError(_ONE_OF)
        if ("default" in original and maker != "lookup") or ("else" in original and maker != "if"):
            raise ValidationError(
                Said("default goes with lookup, else with if.", "default va avec lookup, else avec if.")
            )


_SCHEMA = RuleSchema()


def _load(rule: Any) -> Json:
    loaded: Json = _SCHEMA.load(rule)
    return loaded


def _flatten(place: str, messages: Any) -> list[Problem]:
    if isinstance(messages, dict):
        return [problem for key, inner in messages.items() for problem in _flatten(_place(place, key), inner)]
    if isinstance(messages, list):
        return [_problem(place, message) for message in messages]
    return [_problem(place, messages)]


def _place(place: str, key: Any) -> str:
    if key == "_schema":
        return place
    return f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}"


def _problem(place: str, message: Any) -> Problem:
    english = str(message)
    french = message.fr if isinstance(message, Said) else _FRENCH.get(english, english)
    return Problem(place, Text(english, french), "malformed")


def _depth(stored: Any) -> int:
    """How deep the JSON nests, counted without recursion and only as far as matters."""
    level, depth = [stored], 0
    while level and depth <= MAX_NESTING:
        depth += 1
        inner = (
            part.values() if isinstance(part, Mapping) else part for part in level if isinstance(part, Mapping | list)
        )
        level = [child for part in inner for child in part if isinstance(child, Mapping | list)]
    return depth

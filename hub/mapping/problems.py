"""What can be wrong with a mapping: with the stored rules (MappingError), and with one value (Problem)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.contract.errors import HubError
from hub.contract.vocabulary import Text


class Problem(NamedTuple):
    """A destination field that could not be made.

    ``code`` is one of "missing", "not_text", "not_a_number", "not_a_time", "not_a_list", "not_an_object",
    "not_yes_or_no", "not_a_country", "too_long", "template_failed", "failed"; "malformed" for the stored rules.
    ``blocking``: the record cannot go out without it. Otherwise the field is left out and the problem is a warning.
    """

    field: str
    message: Text
    code: str
    blocking: bool = True


class MappingError(HubError):
    """Stored rules that are not in the language. ``problems`` names each place, such as ``email.first[1].do``."""

    reason = "required_field_empty"

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = "; ".join(f"{problem.field}: {problem.message.en}" for problem in problems)
        super().__init__(f"The mapping cannot be used. {lines}")
        self.problems = list(problems)


class CannotMake(Exception):
    """A value that a rule cannot turn into what it promises. Becomes a Problem of its field; never leaves this room."""

    def __init__(self, code: str, message: Text) -> None:
        super().__init__(message.en)
        self.code = code
        self.message = message


class Said(str):
    """An English sentence that carries its French one through marshmallow's error lists."""

    __slots__ = ("fr",)
    fr: str

    def __new__(cls, en: str, fr: str) -> Said:
        said = super().__new__(cls, en)
        said.fr = fr
        return said


class Malformed(ValueError):
    """A part of the stored rules that cannot be compiled."""

    def __init__(self, en: str, fr: str) -> None:
        super().__init__(en)
        self.said = Said(en, fr)

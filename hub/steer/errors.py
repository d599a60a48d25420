"""What can be wrong with what a person asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from hub.contract.errors import HubError
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Text
from hub.mapping.problems import MappingError, Said

GENERAL = "_schema"
"""The name under which a message stands that belongs to no single field."""


class Invalid(Exception):
    """Input that cannot be used: ``messages`` says why, by field. English; :meth:`in_` gives another language."""

    def __init__(self, messages: Mapping[str, list[str]]) -> None:
        self.messages = {name: list(lines) for name, lines in messages.items()}
        super().__init__("; ".join(f"{name}: {' '.join(lines)}" for name, lines in self.messages.items()))

    def in_(self, language: str) -> dict[str, list[str]]:
        """The messages in ``language`` ("en" or "fr"), as far as they are known in it."""
        if language != "fr":
            return self.messages
        return {name: [_french(line) for line in lines] for name, lines in self.messages.items()}


class NotFound(Exception):
    """There is no such thing in this workspace."""

    def __init__(self, message: Text) -> None:
        super().__init__(message.en)
        self.message = message


def invalid(field: str, en: str, fr: str) -> Invalid:
    """An Invalid with one message, in both languages."""
    return Invalid({field: [Said(en, fr)]})


def in_both(error: HubError) -> Text:
    """What a connector said, which is English: after its reason, for who reads French."""
    reason = REASONS[error.reason].said.fr
    return Text(error.message, f"{reason} (détail, en anglais : {error.message})")


def from_schema(error: ValidationError) -> Invalid:
    """What a marshmallow schema refused, with its stock phrases in people's words."""
    found: dict[str, list[str]] = {}
    for name, messages in error.normalized_messages().items():  # type: ignore[no-untyped-call]  # marshmallow leaves it untyped
        found[str(name)] = [_PLAIN.get(line, line) for line in _lines(messages)]
    return Invalid(found)


def from_mapping(error: MappingError) -> Invalid:
    """The malformed places of a mapping or filter."""
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        found.setdefault(problem.field, []).append(Said(problem.message.en, problem.message.fr))
    return Invalid(found)


_PLAIN = {
    "Missing data for required field.": Said("Fill this in.", "À remplir."),
    "Field may not be null.": Said("Fill this in.", "À remplir."),
    "Not a valid integer.": Said("Enter a whole number.", "Saisissez un nombre entier."),
    "Not a valid boolean.": Said("Answer with yes or no.", "Répondez par oui ou non."),
    "Not a valid string.": Said("Enter a text.", "Saisissez un texte."),
}


def _lines(messages: Any) -> list[str]:
    if isinstance(messages, dict):
        return [f"{name}: {line}" for name, inner in messages.items() for line in _lines(inner)]
    if isinstance(messages, list):
        return [line for inner in messages for line in _lines(inner)]
    return [messages if isinstance(messages, str) else str(messages)]


def _french(line: str) -> str:
    return line.fr if isinstance(line, Said) else line

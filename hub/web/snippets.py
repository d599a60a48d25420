"""S6: ready-made code to paste, for the choices in the address bar."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flask import request
from marshmallow import ValidationError

from hub.connecting.seams import told
from hub.contract.connector import Connector, Paste, Source
from hub.contract.errors import HubError
from hub.steer.connections import fields_of
from hub.steer.errors import from_schema
from hub.web import forms
from hub.web.language import language

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Builder:
    """The drawn form of choices, and the code that follows from them (none while a choice is wrong)."""

    fields: list[dict[str, Any]]
    pastes: list[Paste]


def snippet_builder(connector: Connector, address: str | None) -> Builder | None:
    """The builder of a source that has one, filled from this request's address; None for others."""
    if not isinstance(connector, Source) or connector.SnippetChoices is None or address is None:
        return None
    schema = connector.SnippetChoices()
    fields = fields_of(schema, language())
    given = forms.read(fields, request.args) if "built" in request.args else {}
    try:
        chosen = schema.load(given)
    except ValidationError as error:
        return Builder(forms.draw(fields, given, from_schema(error).in_(language())), [])
    try:
        pastes = list(told(connector, "writing the code to paste", connector.snippets, address, chosen))
    except HubError as error:
        log.warning("no code to paste is shown: %s %s", error, error.detail)
        pastes = []
    return Builder(forms.draw(fields, given), pastes)

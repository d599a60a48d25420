"""The REST API under ``/api/v1``, one file a noun. The same schemas check the input and write the answers.

The description is an OpenAPI document at ``/api/v1/openapi.json``, shown to people at ``/api/v1/docs``.
"""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api
from marshmallow import Schema, fields

from hub.api import (
    connections,
    connectors,
    contacts,
    conversions,
    deliveries,
    docs,
    hooks,
    inbound,
    mappings,
    me,
    orders,
    replay,
    routes,
)
from hub.api.frame import PREFIX, register_catch_all

NOUNS = (
    me,
    connectors,
    connections,
    routes,
    mappings,
    conversions,
    orders,
    contacts,
    deliveries,
    inbound,
    replay,
    hooks,
)


class Problem(Schema):
    """What is wrong, in words."""

    reason = fields.String(metadata={"description": "One word for programs"})
    message = fields.String(metadata={"description": "A sentence for people"})
    fields_ = fields.Dict(data_key="fields", metadata={"description": "By field, when the input cannot be used"})


class ProblemAnswer(Schema):
    """Every answer that is not a 2xx."""

    error = fields.Nested(Problem)


def register(app: Flask) -> None:
    """Hang the API on ``app``. It needs ``app.extensions["hub"]`` with a ``store`` and a ``wake`` function."""
    app.config.update(
        API_TITLE="Conversion Hub",
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS=SPEC,
    )
    api = _Api(app)
    for noun in NOUNS:
        api.register_blueprint(noun.calls.blueprint)
    app.register_blueprint(docs.pages(api.spec))
    register_catch_all(app)


SPEC = {
    "info": {
        "description": "Amounts are texts in major units, times ISO 8601 in UTC, lists newest first by keyset paging."
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    "security": [{"key": []}],
}


class _Api(Api):  # type: ignore[misc]  # flask-smorest is untyped
    ERROR_SCHEMA = ProblemAnswer

    def _register_error_handlers(self) -> None:
        """Each blueprint has its own: the library's would answer for the pages as well."""

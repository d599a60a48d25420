"""What every call of the API shares: who calls, how a call is declared, and how errors are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from flask import Flask, Response, current_app, g, jsonify, request
from flask_smorest import Blueprint
from marshmallow import Schema
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from hub.contract.errors import ConfigError, DeliveryError, HubError
from hub.settings import settings
from hub.steer import api_keys
from hub.steer.errors import Invalid, NotFound
from hub.store import Store, now
from hub.store.accounts import ApiKeyRow

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
Function = TypeVar("Function", bound=Callable[..., Any])


class Hub(Protocol):
    """What the application hangs at ``app.extensions["hub"]``."""

    @property
    def store(self) -> Store: ...
    @property
    def wake(self) -> Callable[[str, str, str], object]: ...


class Calls:
    """The calls of one noun. Each function becomes a documented route, its input and answer checked by schemas."""

    def __init__(self, noun: str, description: str) -> None:
        self.blueprint = Blueprint(noun, __name__, url_prefix=PREFIX, description=description)
        self.blueprint.before_request(_let_in)
        register_errors(self.blueprint)

    def __call__(
        self,
        method: str,
        rule: str,
        *,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        answer: type[Schema] | Schema | None = None,
        status: int = 200,
    ) -> Callable[[Function], Function]:
        """Declare a call. The function gets the loaded ``query``, the loaded ``body``, and the path's parts by name.

        What it returns is written by ``answer``; None: nothing is answered (status 204).
        """

        def declare(function: Function) -> Function:
            declared = self.blueprint.response(status if answer is not None else 204, answer)(function)
            if body is not None:
                declared = self.blueprint.arguments(body)(declared)
            if query is not None:
                declared = self.blueprint.arguments(query, location="query")(declared)
            self.blueprint.route(rule, methods=[method])(declared)
            return function

        return declare


def hub() -> Hub:
    found: Hub = current_app.extensions["hub"]
    return found


def store() -> Store:
    return hub().store


def wake(queue: str, job: str, argument: str) -> None:
    """Ask the workers to look; to be called after the commit."""
    hub().wake(queue, job, argument)


def caller() -> ApiKeyRow:
    """The API key that this request came with."""
    key: ApiKeyRow = g.api_key
    return key


def workspace_id() -> str:
    """The workspace that the key belongs to: nothing outside of it is ever touched."""
    return str(caller().workspace_id)


def author() -> str:
    """Who is written down as having done it."""
    return f"API key {caller().name}"


def register_errors(blueprint: Any) -> None:
    """Every error under the prefix is told in one form: ``{"error": {"reason", "message", "fields"?}}``."""
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(Invalid, _invalid)
    blueprint.register_error_handler(NotFound, lambda error: problem(404, "not_found", error.message.en))
    blueprint.register_error_handler(HubError, _hub_error)
    blueprint.register_error_handler(ConfigError, lambda error: problem(409, "not_configured", str(error)))
    for kind in (DataError, UnicodeError, RecursionError, OverflowError):
        blueprint.register_error_handler(kind, _not_storable)
    blueprint.register_error_handler(Exception, _internal)


def problem(status: int, reason: str, message: str, fields: dict[str, Any] | None = None) -> Response:
    """An answer that says what is wrong and what to do."""
    said: dict[str, Any] = {"reason": reason, "message": message}
    if fields:
        said["fields"] = fields
    response = jsonify({"error": said})
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register_catch_all(app: Flask) -> None:
    """An address under the prefix that is no call is answered in the API's own form."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    def no_such_call(rest: str = "") -> Response:
        return problem(404, "not_found", f"There is no call {request.method} {PREFIX}/{rest[:80]}. See {PREFIX}/docs.")

    for rule in (f"{PREFIX}/", f"{PREFIX}/<path:rest>"):
        app.add_url_rule(rule, f"api_nothing_{len(rule)}", no_such_call, methods=methods)


def _let_in() -> Response | None:
    """Find out who calls, and refuse what no database could store."""
    request.max_content_length = settings().max_body
    if _holds_nul():
        return problem(400, "not_storable", "The request holds a NUL character, which cannot be stored. Leave it out.")
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    at = now()
    with store().read() as tx:
        found = api_keys.find(tx, key.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        return problem(
            401, "unauthorized", "Send a valid API key: Authorization: Bearer hub_… Keys are made in the hub."
        )
    g.api_key = found
    if api_keys.is_news(found, at):
        _note_use(found.id, at)
    return None


def _note_use(key_id: str, at: datetime) -> None:
    with store().write() as tx:
        api_keys.note_use(tx, at, key_id)


def _holds_nul() -> bool:
    raw = request.get_data(cache=True)
    return b"\\u0000" in raw or b"\0" in raw or "\0" in request.path or "%00" in request.query_string.decode("latin-1")


def _http_error(error: HTTPException) -> Response:
    data = getattr(error, "data", None) or {}
    if error.code == 422 and data.get("messages"):
        return problem(422, "invalid", "Some fields cannot be used.", _flat(data["messages"]))
    if isinstance(error, RequestEntityTooLarge):
        return problem(413, "too_large", f"A request may have at most {settings().max_body // 1024} KB.")
    reasons = {400: "malformed", 404: "not_found", 405: "not_allowed", 415: "malformed"}
    said = "The body is not valid JSON." if data.get("messages") else error.description or error.name
    return problem(error.code or 500, reasons.get(error.code or 500, "refused"), said)


def _flat(messages: dict[str, Any]) -> dict[str, Any]:
    """Without the place ("json", "query") that the messages are sorted by."""
    return {str(name): said for part in messages.values() for name, said in _items(part)}


def _items(part: Any) -> list[tuple[Any, Any]]:
    return list(part.items()) if isinstance(part, dict) else [("_schema", part)]


def _invalid(error: Invalid) -> Response:
    return problem(422, "invalid", "Some fields cannot be used.", error.messages)


def _hub_error(error: HubError) -> Response:
    return problem(502 if isinstance(error, DeliveryError) else 409, error.reason, error.message)


def _not_storable(error: Exception) -> Response:
    log.info("a request could not be stored: %s", type(error).__name__)
    return problem(400, "not_storable", "The request holds something that cannot be read or stored. Check its texts.")


def _internal(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "internal_error", "The hub failed on this request. It is in the log; please report it.")

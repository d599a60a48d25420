"""Pages for what went wrong: what happened, why, what to do next."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Flask, g, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from hub.contract.errors import ConfigError, HubError
from hub.steer.errors import NotFound
from hub.web.language import LANGUAGES, language, said
from hub.web.security import add_headers
from hub.web.session import current
from hub.web.words import own_words, troubled

log = logging.getLogger(__name__)

MACHINES = ("/api/", "/in/", "/v1/")
"""Paths that machines call: they are answered in JSON, never with a page."""


def register(app: Flask) -> None:
    """Every error of a page becomes a page, in the reader's language."""
    app.register_error_handler(NotFound, lambda error: _page(404, said(error.message)))
    app.register_error_handler(CSRFError, _forged)
    for code in (403, 404, 405, 413):
        app.register_error_handler(code, _refused)
    app.register_error_handler(500, _failed)


def _refused(error: HTTPException) -> Any:
    if request.path.startswith(MACHINES):
        return jsonify(code=error.code, status=error.name, message=error.description), error.code or 500
    return _page(error.code or 500, _SENTENCES[error.code or 500]())


def _forged(error: CSRFError) -> Any:
    log.info("form refused: %s", error.description)
    return _page(400, gettext("The form is from an older visit. Go back, load the page again, and send it once more."))


def _failed(error: HTTPException) -> Any:
    cause = getattr(error, "original_exception", None)
    reference = secrets.token_hex(4)
    log.error("error %s on %s", reference, request.path, exc_info=cause)
    if request.path.startswith(MACHINES):
        return jsonify(code=500, status="Internal Server Error", reference=reference), 500
    sentence = gettext("The hub failed on this page. What was stored is safe. Try again; if it stays, report it.")
    if isinstance(cause, HubError):
        sentence = troubled(cause)
    elif isinstance(cause, ConfigError):
        sentence = Markup("{} ").format(sentence) + own_words(str(cause))
    return _page(500, sentence, reference)


def _page(code: int, sentence: str, reference: str = "") -> Any:
    try:
        current()
    except Exception:  # noqa: BLE001 - the database may be what failed; the page about it must not ask it again
        g.person = None
    back = url_for("web.home.page")
    page = render_template(
        "error.html",
        code=code,
        sentence=sentence,
        reference=reference,
        back=back,
        language=language(),
        languages=LANGUAGES,
    )
    answer = make_response(page, code)
    return add_headers(answer)


_SENTENCES = {
    403: lambda: gettext("Your role in this workspace does not allow this. Ask an owner."),
    404: lambda: gettext("There is nothing at this address. It may have been removed, or the link is incomplete."),
    405: lambda: gettext("This address cannot be opened that way. Go back and use the button."),
    413: lambda: gettext("That is too large to be taken. Send less at once."),
}

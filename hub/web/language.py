"""English or French: the person's own setting, else what the browser asks for."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, session
from flask_babel import Babel, get_locale

from hub.contract.vocabulary import Text
from hub.store import accounts
from hub.web.session import current, safe_path, the_store

LANGUAGES = {"en": "English", "fr": "Français"}

babel = Babel()
pages = Blueprint("language", __name__)


def language() -> str:
    """The code of the language this request is answered in."""
    locale = get_locale()
    return locale.language if locale else "en"


def choose() -> str:
    """For Babel: the choice of this session, else the person's setting, else the browser's order of preference."""
    chosen, someone = session.get("language"), current()
    if chosen not in LANGUAGES and someone:
        chosen = someone.language
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"


def said(text: Text | None) -> str:
    """A text of the contract in this request's language; empty for None."""
    return text.in_(language()) if text else ""


@pages.post("/language")
def switch() -> Response:
    """Change the language, for this session and, if somebody is logged in, for good."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
        someone = current()
        if someone:
            with the_store().write() as tx:
                accounts.change_user(tx, someone.user_id, language=wanted)
    return redirect(safe_path(request.form.get("next")))  # type: ignore[return-value]  # werkzeug's Response, which Flask's typing names otherwise

"""Log in, log out."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_limiter import RequestLimit

from hub.steer import accounts as steer
from hub.store import accounts
from hub.store.base import now
from hub.web import throttle
from hub.web.session import current, leave, safe_path, the_store
from hub.web.session import enter as open_session
from hub.web.throttle import PER_ADDRESS, PER_EMAIL, by_address, by_email, limiter, was_wrong

log = logging.getLogger(__name__)

pages = Blueprint("login", __name__)


@pages.get("/login")
def page() -> Any:
    """The form; an empty installation is sent to its set-up, somebody logged in goes on."""
    if current():
        return redirect(safe_path(request.args.get("next")))
    with the_store().read() as tx:
        if not accounts.users_exist(tx):
            return redirect(url_for("web.first_run.page"))
    return _form()


def _too_many(_: RequestLimit) -> Response:
    seconds = throttle.seconds_to_wait()
    minutes = -(-seconds // 60)
    said = ngettext(
        "Too many wrong tries. Wait %(num)s minute, then try again.",
        "Too many wrong tries. Wait %(num)s minutes, then try again.",
        minutes,
    )
    return make_response(_form(said, throttle.typed_email()), 429, {"Retry-After": str(seconds)})


@pages.post("/login")
@limiter.limit(PER_EMAIL, key_func=by_email, deduct_when=was_wrong, on_breach=_too_many)
@limiter.limit(PER_ADDRESS, key_func=by_address, deduct_when=was_wrong, on_breach=_too_many)
def enter() -> Any:
    email, password = throttle.typed_email(), request.form.get("password", "")
    with the_store().read() as tx:
        user = steer.recognize(tx, email=email, password=password)
    if user is None:
        log.info("a login failed from %s", request.remote_addr)
        return _form(
            gettext("This e-mail and password do not belong together. Check both, then try again."), email
        ), 401
    throttle.forgive_email()
    with the_store().write() as tx:
        steer.note_login(tx, now(), user, password)
        user = accounts.user_by_id(tx, user.id) or user  # its hash may be a new one, which the session is tied to
    open_session(user)
    return redirect(safe_path(request.form.get("next")))


@pages.post("/logout")
def out() -> Any:
    leave()
    return redirect(url_for("web.login.page"))


def _form(problem: str = "", email: str = "") -> str:
    following = safe_path(request.values.get("next"))
    return render_template("login.html", problem=problem, email=email, following=following)

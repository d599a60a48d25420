"""Log in, log out."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from hub.steer import accounts as steer
from hub.store import accounts
from hub.store.base import now
from hub.web.session import current, leave, safe_path, the_store
from hub.web.session import enter as open_session
from hub.web.throttle import Throttle

log = logging.getLogger(__name__)

pages = Blueprint("login", __name__)
throttle = Throttle()


@pages.get("/login")
def page() -> Any:
    """The form; an empty installation is sent to its set-up, somebody logged in goes on."""
    if current():
        return redirect(safe_path(request.args.get("next")))
    with the_store().read() as tx:
        if not accounts.users_exist(tx):
            return redirect(url_for("web.first_run.page"))
    return _form()


@pages.post("/login")
def enter() -> Any:
    email, password = request.form.get("email", "").strip().lower()[:320], request.form.get("password", "")
    address = request.remote_addr or ""
    seconds = throttle.wait(email, address)
    if seconds:
        minutes = -(-seconds // 60)
        said = ngettext(
            "Too many wrong tries. Wait %(num)s minute, then try again.",
            "Too many wrong tries. Wait %(num)s minutes, then try again.",
            minutes,
        )
        return _form(said, email), 429, {"Retry-After": str(seconds)}
    with the_store().read() as tx:
        user = steer.recognize(tx, email=email, password=password)
    if user is None:
        throttle.failed(email, address)
        log.info("a login failed from %s", address)
        return _form(
            gettext("This e-mail and password do not belong together. Check both, then try again."), email
        ), 401
    throttle.succeeded(email)
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

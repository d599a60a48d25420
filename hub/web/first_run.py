"""S1: an empty installation gets its workspace and its owner, on one page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from hub.settings import settings
from hub.steer import accounts as steer
from hub.steer.errors import Invalid
from hub.store import accounts
from hub.store.base import now
from hub.web.language import LANGUAGES, language
from hub.web.session import enter, the_store
from hub.web.words import zone_names

pages = Blueprint("first_run", __name__)

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "JPY")
"""Offered first; any ISO code can be typed."""

FIELDS = ("workspace", "time_zone", "currency", "language", "email", "password")


@pages.get("/setup")
def page() -> Any:
    if _somebody():
        return redirect(url_for("web.login.page"))
    guess = {"time_zone": "Europe/Paris" if language() == "fr" else "UTC", "currency": "EUR", "language": language()}
    return _form(guess, {})


@pages.post("/setup")
def create() -> Any:
    """Make both, log the owner in. A second press finds the first one's work and goes to the login."""
    if _somebody():
        return redirect(url_for("web.login.page"))
    given = {name: request.form.get(name, "") for name in FIELDS}
    try:
        with the_store().write() as tx:
            user_id, _ = steer.first_owner(tx, now(), **given)
            user = accounts.user_by_id(tx, user_id)
    except Invalid as wrong:
        return _form(given, wrong.in_(language())), 422
    assert user is not None  # noqa: S101 - made above, in the same transaction
    enter(user)
    return redirect(url_for("web.home.page"))


def _form(given: dict[str, str], problems: dict[str, list[str]]) -> str:
    return render_template(
        "first_run.html",
        given=given,
        problems=problems,
        zones=zone_names(),
        currencies=CURRENCIES,
        all_languages=LANGUAGES,
        address=settings().base_url,
        seen=request.host_url.rstrip("/"),
    )


def _somebody() -> bool:
    with the_store().read() as tx:
        return accounts.users_exist(tx)

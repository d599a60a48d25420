"""Granting access: off to the platform, and back with its answer."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext, ngettext

from hub.contract.errors import ConnectorBroken
from hub.steer import connections as steer
from hub.steer import grants
from hub.store.base import now
from hub.web.connections import may_change
from hub.web.language import said
from hub.web.session import the_hub, the_store
from hub.web.words import troubled

pages = Blueprint("grants", __name__)

BROWSER = "grant"
"""Where the session keeps the secret that a request for access is bound to."""


@pages.post("/connections/<connection_id>/grant")
def begin(connection_id: str) -> Any:
    """Off to the platform, by way of a page: no policy for forms then has to allow addresses of others."""
    me = may_change()
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(24))
    try:
        with the_store().write() as tx:
            connected = steer.opened(tx, connection_id, me.workspace_id)
            url = grants.begin(tx, now(), connected, me.user_id, browser)
    except grants.NotGranted as error:
        return _back(said(error.message), connection_id)
    except ConnectorBroken as error:
        return _back(troubled(error), connection_id)
    return render_template("grant_off.html", url=url, host=urlsplit(url).hostname, name=connected.connector.name)


@pages.get("/oauth/callback")
def callback() -> Any:
    """Back from the platform, with a code or with the reason why there is none."""
    me = may_change()
    try:
        done = grants.complete(
            the_store(),
            request.args,
            workspace_id=me.workspace_id,
            user_id=me.user_id,
            browser=session.get(BROWSER, ""),
            author=me.email,
        )
    except grants.NotGranted as error:
        return _back(said(error.message), error.connection_id)
    if done.role == "source":
        the_hub().wake("reading", "read_messages", me.workspace_id)
    elif done.released is not None:
        the_hub().wake("lanes", "deliver", done.connection_id)
    flash(gettext("“%(name)s” is connected.", name=done.name), "recorded")
    if done.released:
        flash(
            ngettext(
                "%(num)s delivery that had waited goes out now.",
                "%(num)s deliveries that had waited go out now.",
                done.released,
            ),
            "recorded",
        )
    return redirect(url_for("web.connections.one", connection_id=done.connection_id))


def _back(sentence: str, connection_id: str) -> Any:
    flash(sentence, "needs")
    if connection_id:
        return redirect(url_for("web.connections.one", connection_id=connection_id) + "#access")
    return redirect(url_for("web.connections.page"))

"""The menu, in order. A page is in it once it works."""

from __future__ import annotations

from typing import NamedTuple

from flask import request, url_for
from flask_babel import gettext

from hub.web import demo


class Entry(NamedTuple):
    """One line of the menu. ``icon`` is a symbol of static/icons.svg."""

    title: str
    address: str
    icon: str
    here: bool


def entries() -> list[Entry]:
    """The menu of a logged-in person, the present page marked."""
    found = [
        ("home", gettext("Home"), "web.home.page"),
        ("live", gettext("Live"), "web.live.page"),
        ("plug", gettext("Connections"), "web.connections.page"),
    ]
    if demo.was_run():
        found.append(("again", gettext("Guided demo"), "web.demo.page"))
    return [Entry(title, url_for(endpoint), icon, _is_here(endpoint)) for icon, title, endpoint in found]


PARENTS = {"timeline": "live", "connect": "connections", "grants": "connections", "routes": "connections"}
"""Pages that are reached through another one, by blueprint."""


def _is_here(endpoint: str) -> bool:
    blueprint = (request.blueprint or "").rpartition(".")[2]
    return PARENTS.get(blueprint, blueprint) == endpoint.split(".")[1]

"""S2: the day in one sentence, what needs somebody, and the first steps of a new installation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template

from hub.connecting.registry import registry
from hub.contract.connector import Source
from hub.contract.errors import ConfigError, ConnectorBroken
from hub.contract.vocabulary import Category
from hub.report import health, today
from hub.store import connections
from hub.store.base import now
from hub.store.connections import ConnectionRow
from hub.web.session import person, the_store

pages = Blueprint("home", __name__)


@pages.get("/")
def page() -> Any:
    me, at = person(), now()
    zone = me.workspace.time_zone
    with the_store().read() as tx:
        everything = connections.connections_of(tx, me.workspace_id)
        sources = [row for row in everything if row.role == "source"]
        steps = today.set_up(tx, me.workspace_id, sources, {row.connector for row in sources if _is_pixel(row)})
        day = today.numbers(tx, me.workspace_id, today.midnight(at, zone), at + timedelta(days=1))
        week = today.numbers(tx, me.workspace_id, today.week_before(at, zone), at + timedelta(days=1))
        strip = health.strip(tx, me.workspace_id, at, everything)
    return render_template(
        "home.html",
        steps=steps,
        day=day,
        week=week,
        strip=strip,
        examples=_examples(),
        needs=[row for row in everything if row.state in ("needs_you", "off")],
        sources=sources,
        destinations=[row for row in everything if row.role == "destination"],
    )


def _examples() -> str:
    """A few names of systems that people are paid through, as far as they are installed."""
    paid = (Category.PAYMENTS, Category.COURSES, Category.SHOP)
    names = [entry.name for entry in registry().all() if "source" in entry.roles and entry.category in paid]
    return ", ".join(names[:4])


def _is_pixel(row: ConnectionRow) -> bool:
    try:
        source: Source = registry().source(row.connector)
    except (ConfigError, ConnectorBroken):
        return False
    return source.door == "pixel"

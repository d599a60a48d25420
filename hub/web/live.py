"""S8: what arrives, newest first. Refreshes itself; without JavaScript the page is loaded again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from hub.contract.vocabulary import STAGE_LABELS
from hub.report import arrivals
from hub.report.arrivals import Arrival, Filters
from hub.report.today import midnight
from hub.steer.connections import address
from hub.store import connections
from hub.store.base import now
from hub.web.session import person, the_store

pages = Blueprint("live", __name__)

STATES = ("done", "ignored", "parked", "refused", "received")


@pages.get("/live")
def page() -> Any:
    """The whole page. ``?before=`` opens an older one, which does not refresh itself."""
    return render_template("live.html", **_content(), stages=list(STAGE_LABELS), states=STATES)


@pages.get("/live/rows")
def rows() -> Any:
    """Only the list, for the page to fetch every three seconds."""
    return render_template("live_rows.html", **_content())


def _content() -> dict[str, Any]:
    filters = Filters(
        connection_id=request.args.get("source", "")[:36],
        state=request.args.get("state", "")[:10],
        stage=request.args.get("stage", "")[:24],
        person=request.args.get("person", "")[:320],
    )
    before = request.args.get("before", "")[:36]
    me, at = person(), now()
    with the_store().read() as tx:
        found, older = arrivals.latest(tx, me.workspace_id, filters, before=before)
        sources = connections.connections_of(tx, me.workspace_id, "source")
        since = midnight(at, me.workspace.time_zone)
        today = arrivals.count_since(tx, me.workspace_id, since)
    query = {name: value for name, value in _query(filters).items() if value}
    return {
        "arrivals": found,
        "sources": {row.id: row for row in sources},
        "filters": filters,
        "before": before,
        "addresses": [(row, address(row)) for row in sources],
        "query": query,
        "older": f"{url_for('web.live.page')}?{urlencode(query | {'before': older})}" if older else "",
        "rows_address": f"{url_for('web.live.rows')}?{urlencode(query)}",
        "today": sum(today.values()),
        "aside": today.get("parked", 0) + today.get("refused", 0),
        "who": who,
    }


def who(arrival: Arrival) -> str:
    """The person that a message speaks of, as far as it names one: the e-mail, else the name."""
    contact = arrival.first.get("contact") or {}
    name = " ".join(filter(None, (contact.get("first_name"), contact.get("last_name"))))
    return str(contact.get("email") or name)


def _query(filters: Filters) -> dict[str, str]:
    return {
        "source": filters.connection_id,
        "state": filters.state,
        "stage": filters.stage,
        "person": filters.person,
    }

"""S10: one hit, from the raw message to each try of each delivery, and the buttons to do it again."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from hub.contract.reasons import REASONS
from hub.report.timeline import timeline
from hub.steer import replay
from hub.steer.errors import Invalid
from hub.store import connections, deliveries
from hub.store.base import now
from hub.web.connections import may_change
from hub.web.language import language
from hub.web.session import person, the_hub, the_store

pages = Blueprint("timeline", __name__)


@pages.get("/live/<inbound_id>")
def page(inbound_id: str) -> Any:
    me = person()
    with the_store().read() as tx:
        found = timeline(tx, me.workspace_id, inbound_id)
        targets = {row.id: row for row in connections.connections_of(tx, me.workspace_id, "destination")}
    if found is None:
        abort(404)
    planned = [delivery for conversion in found["conversions"] for delivery in conversion["deliveries"]]
    failed = [one for one in planned if one["state"] == deliveries.FAILED]
    return render_template("timeline.html", found=found, planned=planned, targets=targets, at=now(), failed=failed)


@pages.post("/live/<inbound_id>/replay")
def message_again(inbound_id: str) -> Any:
    """Read this message again: after a fix of its source, or when it was set aside."""
    me = may_change()
    with the_store().write() as tx:
        number = replay.inbound_again(tx, now(), me.workspace_id, [inbound_id], author=me.email)
    if not number:
        abort(404)
    the_hub().wake("reading", "read_messages", me.workspace_id)
    flash(gettext("The message is read again. Nothing is counted twice by it."), "waiting")
    return redirect(url_for("web.timeline.page", inbound_id=inbound_id))


@pages.post("/live/<inbound_id>/deliveries")
def deliveries_again(inbound_id: str) -> Any:
    """Send again one delivery (``delivery``), or all failed ones of this message."""
    me = may_change()
    mapping: replay.MappingChoice = "old" if request.form.get("mapping") == "old" else "new"
    wanted = request.form.get("delivery", "")[:36]
    try:
        overriding = replay.override(request.form.get("override"), request.form.get("why"))
    except Invalid as wrong:
        for line in chain(*wrong.in_(language()).values()):
            flash(line, "needs")
        return redirect(url_for("web.timeline.page", inbound_id=inbound_id))
    with the_store().write() as tx:
        found = timeline(tx, me.workspace_id, inbound_id)
        if found is None:
            abort(404)
        planned = [one for conversion in found["conversions"] for one in conversion["deliveries"]]
        chosen = [one for one in planned if (one["id"] == wanted if wanted else one["state"] == deliveries.FAILED)]
        ids = [one["id"] for one in chosen]
        again = replay.deliveries_again(
            tx, now(), me.workspace_id, ids, mapping, author=me.email, overriding=overriding
        )
    for connection_id in {one["destination"]["id"] for one in chosen}:
        the_hub().wake("lanes", "deliver", connection_id)
    _tell(again, chosen)
    return redirect(url_for("web.timeline.page", inbound_id=inbound_id))


def _tell(again: replay.Again, chosen: list[dict[str, Any]]) -> None:
    """How many go out, and of each that does not, which rule holds it back."""
    if again.number or not again.held_back:
        flash(
            ngettext(
                "%(num)s delivery is sent again, with its old key.",
                "%(num)s deliveries are sent again, with their old keys.",
                again.number,
            ),
            "waiting",
        )
    names = {one["id"]: one["destination"]["name"] for one in chosen}
    for held in again.held_back:
        reason = REASONS[held.reason].said.in_(language())
        flash(gettext("Not sent to %(name)s: %(reason)s.", name=names[held.id], reason=reason), "not_sent")

"""What a destination gets (S22), and how it looks there (S23): stages, trust, consent, the mapping and its preview."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from hub.connecting.registry import registry
from hub.contract.connector import Destination
from hub.contract.errors import ConnectorBroken
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS, Kind, Stage
from hub.steer import connections as steer_connections
from hub.steer import routes as steer
from hub.steer.errors import GENERAL, Invalid
from hub.store import routes
from hub.store.base import columns_of, now
from hub.web.connections import may_change
from hub.web.idempotent_form import number, once
from hub.web.language import language
from hub.web.session import person, the_store
from hub.web.words import pretty, troubled

pages = Blueprint("routes", __name__)

LONGEST_MAPPING = 200_000  # characters


@pages.get("/routes/<route_id>")
def page(route_id: str) -> Any:
    return _page(route_id)


@pages.post("/connections/<connection_id>/routes")
def create(connection_id: str) -> Any:
    """One more route to a destination, with what its connector proposes."""
    me = may_change()

    def make() -> str:
        with the_store().write() as tx:
            return steer.add(tx, now(), me.workspace_id, connection_id=connection_id, enabled=False, author=me.email)

    made = once(request.form.get("once", "")[:40], make)
    flash(gettext("The new route is switched off until you have looked at it."), "waiting")
    return redirect(url_for("web.routes.page", route_id=made))


@pages.post("/routes/<route_id>")
def save(route_id: str) -> Any:
    """Which conversions go there."""
    me = may_change()
    given = {
        "name": request.form.get("name", ""),
        "stages": request.form.getlist("stages"),
        "kinds": request.form.getlist("kinds"),
        "trust": request.form.get("trust", ""),
        "wait_minutes": request.form.get("wait_minutes", "0"),
        "enabled": "enabled" in request.form,
    }
    try:
        with the_store().write() as tx:
            steer.change(tx, now(), route_id, workspace_id=me.workspace_id, author=me.email, **given)
    except Invalid as wrong:
        return _page(route_id, given=given, problems=wrong.in_(language())), 422
    flash(gettext("Saved. It counts for what comes from now on."), "recorded")
    return redirect(url_for("web.routes.page", route_id=route_id))


@pages.post("/routes/<route_id>/mapping")
def mapping(route_id: str) -> Any:
    """Try changed rules on the last conversions, or save them as the next version."""
    me = may_change()
    text = request.form.get("rules", "")[:LONGEST_MAPPING]
    try:
        rules = _rules(text)
        if request.form.get("do") != "save":
            return _page(route_id, text=text, tried=rules)
        with the_store().write() as tx:
            version = steer.save_mapping(tx, now(), route_id, rules, me.email, workspace_id=me.workspace_id)
    except Invalid as wrong:
        return _page(route_id, text=text, mapping_problems=wrong.in_(language())), 422
    flash(gettext("Version %(version)s is used from now on.", version=version), "recorded")
    return redirect(url_for("web.routes.page", route_id=route_id, _anchor="mapping"))


@pages.post("/routes/<route_id>/remove")
def remove(route_id: str) -> Any:
    me = may_change()
    with the_store().write() as tx:
        row = steer.get(tx, route_id, me.workspace_id)
        steer.remove(tx, now(), route_id, workspace_id=me.workspace_id, author=me.email)
    flash(gettext("The route “%(name)s” was removed. What waited on it is not sent.", name=row.name), "stopped")
    return redirect(url_for("web.connections.one", connection_id=row.connection_id))


def _page(
    route_id: str,
    *,
    given: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
    text: str | None = None,
    tried: dict[str, Any] | None = None,
    mapping_problems: dict[str, list[str]] | None = None,
) -> Any:
    me = person()
    with the_store().read() as tx:
        row = steer.get(tx, route_id, me.workspace_id)
        target = steer_connections.get(tx, row.connection_id)
        version = steer.current_mapping(tx, row)
        versions = routes.mapping_versions(tx, route_id)
        seen, trouble = _preview(tx, route_id, tried)
        difference = steer.try_change(tx, route_id, tried, workspace_id=me.workspace_id) if tried is not None else None
    try:
        destination = registry().destination(target.connector)
    except ConnectorBroken as broken:
        return render_template("connection_broken.html", row=target, sentence=broken.message)
    return render_template(
        "route.html",
        row={**columns_of(row), **(given or {})},
        target=target,
        destination=destination,
        version=version,
        versions=versions,
        choices=_choices(destination),
        problems=problems or {},
        preview=seen,
        trouble=trouble,
        difference=difference,
        text=pretty(version.rules) if text is None else text,
        mapping_problems=_placed(mapping_problems or {}),
        once=number(),
        consent_rule=me.workspace.consent_rule,
    )


def _preview(tx: Any, route_id: str, rules: dict[str, Any] | None) -> tuple[dict[str, Any] | None, str]:
    try:
        return steer.preview(tx, route_id, rules, language=language(), workspace_id=person().workspace_id), ""
    except ConnectorBroken as broken:
        return None, troubled(broken)


def _rules(text: str) -> dict[str, Any]:
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f"{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else "?"
        raise Invalid(
            {GENERAL: [gettext("This is not valid JSON, from line and column %(place)s on.", place=place)]}
        ) from None
    if not isinstance(rules, dict):
        raise Invalid({GENERAL: [gettext('A mapping is an object: {"field": rule}.')]})
    return rules


def _placed(problems: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [("" if name == GENERAL else name, line) for name, lines in problems.items() for line in lines]


def _choices(destination: Destination) -> dict[str, list[tuple[str, Any]]]:
    return {
        "stages": [(stage.value, STAGE_LABELS[stage]) for stage in Stage if stage in destination.stages],
        "kinds": [(kind.value, KIND_LABELS[kind]) for kind in Kind if kind in destination.kinds],
    }

"""S5 and S22: pick a connector from the grid, fill in its form, and it is connected."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from hub.connecting.registry import Entry, Role, registry
from hub.contract.vocabulary import Category, Status
from hub.steer import connections as steer
from hub.steer import order_scopes
from hub.steer.errors import Invalid
from hub.steer.grants import needs_grant
from hub.store.base import now
from hub.web import forms
from hub.web.about import as_html, good_for, sections
from hub.web.connections import may_change
from hub.web.idempotent_form import number, once
from hub.web.language import language
from hub.web.session import person, the_store

pages = Blueprint("connect", __name__)

ROLES = ("source", "destination")


@pages.get("/connections/new/<role>")
def grid(role: str) -> Any:
    """Every connector that can play this role, by category; broken ones with the reason. ``q`` is part of a name."""
    may_change()
    if role not in ROLES:
        abort(404)
    offered = [entry for entry in registry().all() if role in entry.roles]
    whole = [entry for entry in offered if entry.category is not None and not entry.broken]
    wanted = request.args.get("q", "").strip()[:60]
    named = [entry for entry in whole if wanted.lower() in f"{entry.name} {entry.slug}".lower()]
    return render_template(
        "connect_grid.html",
        role=role,
        shelves=_shelves(named, role),
        broken=[entry for entry in offered if entry.broken],
        total=len(whole),
        wanted=wanted,
        statuses={Status.ALPHA: gettext("alpha"), Status.BETA: gettext("beta")},
    )


@pages.get("/connections/new/<role>/<slug>")
def form(role: str, slug: str) -> Any:
    may_change()
    return _form(role, slug)


@pages.post("/connections/new/<role>/<slug>")
def create(role: str, slug: str) -> Any:
    """Connect it; pressed twice, the second press finds what the first one made."""
    me = may_change()
    fields = steer.form_of(_connector(role, slug), language())
    given = forms.read(fields, request.form)

    def make() -> str:
        with the_store().write() as tx:
            return steer.connect(
                tx,
                now(),
                me.workspace_id,
                connector=slug,
                role=cast(Role, role),
                name=request.form.get("name", ""),
                settings=given,
                same_orders_as=request.form.get("same_orders_as", ""),
                author=me.email,
            )

    try:
        connection_id = once(request.form.get("once", "")[:40], make)
    except Invalid as wrong:
        return _form(role, slug, given, wrong.in_(language())), 422
    if needs_grant(_connector(role, slug)):
        flash(gettext("Saved. One step is left: grant access below."), "waiting")
    else:
        flash(gettext("Connected."), "recorded")
    return redirect(url_for("web.connections.one", connection_id=connection_id, new=1))


def _form(
    role: str, slug: str, given: dict[str, Any] | None = None, problems: dict[str, list[str]] | None = None
) -> str:
    connector = _connector(role, slug)
    fields = steer.form_of(connector, language())
    with the_store().read() as tx:
        workspace_id = person().workspace_id
        same_orders = order_scopes.choices(tx, workspace_id) if role == "source" else []
        orders_now = order_scopes.proposed(tx, workspace_id, slug)
    return render_template(
        "connect_form.html",
        role=role,
        connector=connector,
        fields=forms.draw(fields, given or {}, problems),
        problems=problems or {},
        same_orders=same_orders,
        orders_now=request.form.get("same_orders_as", orders_now),
        name=request.form.get("name", connector.name),
        once=number(),
        about=[(title, as_html(body)) for title, body in sections(registry().entry(slug).folder, language()).items()],
    )


def _connector(role: str, slug: str) -> Any:
    if role not in ROLES:
        abort(404)
    try:
        return steer.find_connector(slug, cast(Role, role))
    except Invalid:
        abort(404)


def _shelves(entries: list[Entry], role: str) -> list[tuple[str, list[tuple[Entry, str]]]]:
    """Category by category its name, and each connector with what it is good for."""
    names = _category_names()
    shelves = []
    for category in Category:
        mine = sorted((entry for entry in entries if entry.category is category), key=lambda entry: entry.name.lower())
        if mine:
            shelves.append((names[category], [(entry, good_for(entry.folder, language(), role)) for entry in mine]))
    return shelves


def _category_names() -> dict[Category, str]:
    return {
        Category.PAYMENTS: gettext("Payments"),
        Category.COURSES: gettext("Courses"),
        Category.SHOP: gettext("Shops"),
        Category.FORMS: gettext("Forms"),
        Category.PAGE: gettext("Web pages"),
        Category.CRM: gettext("Customers (CRM)"),
        Category.EMAIL: gettext("E-mail"),
        Category.ADS: gettext("Advertising"),
        Category.ANALYTICS: gettext("Measurement"),
        Category.AUTOMATION: gettext("Automation"),
        Category.CHAT: gettext("Chat"),
        Category.GENERIC: gettext("Anything else"),
    }

"""S4 and S21: what is connected; each connection's own page: its address, its settings, its buttons."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from markupsafe import Markup

from hub.connecting.registry import UnknownConnector, registry
from hub.contract.connector import Connector, Destination, Source
from hub.contract.errors import ConfigError, ConnectorBroken, DeliveryError
from hub.contract.vocabulary import Text
from hub.demo import sample_sale
from hub.report import arrivals, health
from hub.report.arrivals import Arrival, Filters
from hub.steer import connections as steer
from hub.steer import grants, order_scopes
from hub.steer import test_send as trial
from hub.steer.errors import Invalid
from hub.store import connections, deliveries, inbound, routes
from hub.store import grants as stored_grants
from hub.store.base import now
from hub.store.connections import ConnectionRow
from hub.web import forms
from hub.web.language import language
from hub.web.session import person, the_hub, the_store
from hub.web.snippets import snippet_builder
from hub.web.words import own_words, spoken, troubled

pages = Blueprint("connections", __name__)


@pages.get("/connections")
def page() -> Any:
    me = person()
    with the_store().read() as tx:
        rows = connections.connections_of(tx, me.workspace_id)
        cards = health.strip(tx, me.workspace_id, now(), rows)
    return render_template(
        "connections.html",
        names=connector_names(),
        sources=[card for card in cards if card.row.role == "source"],
        destinations=[card for card in cards if card.row.role == "destination"],
        needing=sum(row.state in (connections.NEEDS_YOU, connections.OFF) for row in rows),
    )


@pages.get("/connections/<connection_id>")
def one(connection_id: str) -> Any:
    return _page(connection_id)


@pages.get("/connections/<connection_id>/light")
def light(connection_id: str) -> Any:
    """Only the light of a source: what it brought last. The page fetches it while it is open."""
    me = person()
    with the_store().read() as tx:
        row = steer.get(tx, connection_id, me.workspace_id)
        newest = _newest(tx, row)
    return render_template("light.html", row=row, newest=newest)


@pages.post("/connections/<connection_id>")
def save(connection_id: str) -> Any:
    """Change its name and settings."""
    me = may_change()
    with the_store().read() as tx:
        row = steer.get(tx, connection_id, me.workspace_id)
    fields = steer.form_of(steer.find_connector(row.connector, row.role), language())
    given = forms.read(fields, request.form)
    try:
        with the_store().write() as tx:
            steer.change(
                tx,
                now(),
                connection_id,
                workspace_id=me.workspace_id,
                name=request.form.get("name", ""),
                settings=given,
                same_orders_as=request.form.get("same_orders_as", ""),
                author=me.email,
            )
    except Invalid as wrong:
        return _page(connection_id, given, wrong.in_(language()), request.form.get("name", "")), 422
    flash(gettext("Saved."), "recorded")
    return redirect(url_for("web.connections.one", connection_id=connection_id))


@pages.post("/connections/<connection_id>/pause")
def pause(connection_id: str) -> Any:
    me = may_change()
    with the_store().write() as tx:
        steer.pause(tx, now(), connection_id, workspace_id=me.workspace_id, author=me.email)
    flash(gettext("Paused. What comes in the meantime is kept."), "stopped")
    return redirect(url_for("web.connections.one", connection_id=connection_id))


@pages.post("/connections/<connection_id>/resume")
def resume(connection_id: str) -> Any:
    me = may_change()
    with the_store().write() as tx:
        number = steer.resume(tx, now(), connection_id, workspace_id=me.workspace_id, author=me.email)
        role = steer.get(tx, connection_id).role
    if role == "source":
        the_hub().wake("reading", "read_messages", me.workspace_id)
        flash(gettext("Working again. Messages that came while it was paused can be replayed from Live."), "recorded")
    else:
        the_hub().wake("lanes", "deliver", connection_id)
        flash(
            ngettext(
                "Working again. %(num)s held-back delivery goes out now.",
                "Working again. %(num)s held-back deliveries go out now.",
                number,
            ),
            "recorded",
        )
    return redirect(url_for("web.connections.one", connection_id=connection_id))


@pages.post("/connections/<connection_id>/check")
def check(connection_id: str) -> Any:
    """Ask the other side whether the credentials work."""
    return _asked(connection_id, steer.check)


@pages.post("/connections/<connection_id>/prepare")
def prepare(connection_id: str) -> Any:
    """Create at the platform what deliveries need."""
    return _asked(connection_id, steer.prepare)


@pages.post("/connections/<connection_id>/test")
def test(connection_id: str) -> Any:
    """Send a made-up conversion, marked as a test, through the first route."""
    me = may_change()
    with the_store().read() as tx:
        ready = trial.ready(tx, connection_id, workspace_id=me.workspace_id, language=language())
    return _asked(connection_id, lambda connected: trial.send(connected, ready))


@pages.post("/connections/<connection_id>/test-sale")
def test_sale(connection_id: str) -> Any:
    """Bring one of the sender's samples to its own address, as a test, and show what becomes of it."""
    me = may_change()
    try:
        with the_store().read() as tx:
            connected = steer.opened_source(tx, connection_id, me.workspace_id)
        kept = sample_sale.send(current_app.wsgi_app, the_store(), connected, now())
    except sample_sale.NoTestSale as error:
        flash(spoken(error.message), "needs")
        return redirect(url_for("web.connections.one", connection_id=connection_id))
    flash(gettext("A test sale was sent. It is counted nowhere, and goes only where tests can be marked."), "recorded")
    return redirect(url_for("web.timeline.page", inbound_id=kept))


@pages.get("/connections/<connection_id>/remove")
def removal(connection_id: str) -> Any:
    """What would be lost, before it is."""
    me = may_change()
    with the_store().read() as tx:
        row = steer.get(tx, connection_id, me.workspace_id)
        waiting = len(deliveries.waiting_of(tx, connection_id))
        ways = routes.routes_of(tx, me.workspace_id, connection_id=connection_id)
        seen = inbound.latest(tx, me.workspace_id, limit=1, connection_id=connection_id)
    return render_template("remove.html", row=row, waiting=waiting, routes=ways, seen=bool(seen))


@pages.post("/connections/<connection_id>/remove")
def remove(connection_id: str) -> Any:
    me = may_change()
    with the_store().write() as tx:
        row = steer.get(tx, connection_id, me.workspace_id)
        steer.remove(tx, now(), connection_id, workspace_id=me.workspace_id, author=me.email)
    flash(gettext("“%(name)s” was removed. What it brought or received stays.", name=row.name), "stopped")
    return redirect(url_for("web.connections.page"))


@pages.get("/connectors/<slug>/logo.svg")
def logo(slug: str) -> Any:
    """The connector's own drawing. Shown as a picture only, so nothing in it can run; the policy says so too."""
    try:
        path = registry().entry(slug).folder / "logo.svg"
    except UnknownConnector:
        abort(404)
    if not path.is_file():
        abort(404)
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(path.read_bytes(), mimetype="image/svg+xml", headers=policy | {"Cache-Control": "max-age=86400"})


def may_change() -> Any:
    """The person, if their role lets them change things; else the page that says so."""
    me = person()
    if not me.may_change:
        abort(403)
    return me


def connector_names() -> dict[str, str]:
    return {entry.slug: entry.name for entry in registry().all()}


def _page(
    connection_id: str,
    given: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
    name: str = "",
) -> str:
    me = person()
    with the_store().read() as tx:
        row = steer.get(tx, connection_id, me.workspace_id)
        ways = routes.routes_of(tx, me.workspace_id, connection_id=connection_id)
        facts = health.strip(tx, me.workspace_id, now(), [row])[0]
        newest = _newest(tx, row)
        grant = stored_grants.get(tx, connection_id)
        same_orders = order_scopes.choices(tx, me.workspace_id, row) if row.role == "source" else []
        orders_now = order_scopes.choice(tx, row)
    shown = steer.shown(row)
    try:
        connector = steer.find_connector(row.connector, row.role)
    except Invalid as broken:
        return render_template("connection_broken.html", row=row, sentence=str(next(iter(broken.messages.values()))[0]))
    fields = steer.form_of(connector, language())
    values = {**shown["settings"], **(given or {})}
    return render_template(
        "connection.html",
        row=row,
        connector=connector,
        shown=shown,
        routes=ways,
        health=facts,
        newest=newest,
        name=name or row.name,
        fields=forms.draw(fields, values, problems),
        problems=problems or {},
        same_orders=same_orders,
        orders_now=orders_now,
        unsigned=_lacks_secret(connector, shown["settings"]),
        builder=snippet_builder(connector, shown["url"]),
        asks=_asks(connector),
        access=grants.standing(connector, grant),
        redirect_uri=grants.redirect_uri(),
        no_test_sale=sample_sale.instead(connector) if isinstance(connector, Source) else None,
    )


def _newest(tx: Any, row: ConnectionRow) -> Arrival | None:
    """What a source brought last; None when that is nothing, and for a destination."""
    if row.role != "source":
        return None
    found, _ = arrivals.latest(tx, row.workspace_id, Filters(connection_id=row.id), limit=1)
    return found[0] if found else None


def _lacks_secret(connector: Connector, settings: dict[str, Any]) -> bool:
    """Whether a sender that signs its messages was connected without the secret they are signed with."""
    if not isinstance(connector, Source) or connector.door != "webhook" or settings.get("scheme") == "secret_address":
        return False
    names = [name for name, field in connector.Settings().fields.items() if field.metadata.get("widget") == "secrets"]
    return bool(names) and not any(settings.get(name) for name in names)


def _asks(connector: Connector) -> dict[str, bool]:
    """Which of the buttons make sense: those whose method the connector's class really has."""
    return {
        "check": type(connector).check is not Connector.check,
        "prepare": isinstance(connector, Destination) and type(connector).prepare is not Destination.prepare,
        "test": isinstance(connector, Destination),
        "test_sale": isinstance(connector, Source)
        and type(connector).rehearse is not Source.rehearse
        and type(connector).columns is Source.columns,
        "files": isinstance(connector, Source) and type(connector).columns is not Source.columns,
    }


def _asked(connection_id: str, ask: Any) -> Any:
    """Run ``ask`` on the open connection, outside any transaction, and show what was said."""
    me = may_change()
    try:
        with the_store().read() as tx:
            connected = steer.opened(tx, connection_id, me.workspace_id)
        answer = ask(connected)
        worked = Markup("{} ").format(gettext("It worked."))
        flash(spoken(answer) if isinstance(answer, Text) else worked + own_words(answer), "recorded")
    except (DeliveryError, ConnectorBroken) as error:
        flash(troubled(error), "needs")
    except ConfigError as error:
        flash(Markup("{} ").format(gettext("It did not work.")) + own_words(str(error)), "needs")
    return redirect(url_for("web.connections.one", connection_id=connection_id))

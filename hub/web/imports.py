"""A file of orders or in-store sales: looked at first, then taken in; lines that cannot be read are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext

from hub.connecting.connected import Connected
from hub.connecting.seams import told
from hub.contract.connector import Source
from hub.contract.errors import ConnectorBroken, HubError, NotUnderstood
from hub.contract.vocabulary import Text
from hub.steer import connections as steer
from hub.steer.imports import Imported, check_rows, import_rows
from hub.store.base import now
from hub.web.connections import may_change
from hub.web.language import said
from hub.web.session import the_hub, the_store
from hub.web.words import troubled

pages = Blueprint("imports", __name__)

# Bytes: some ten thousand rows, a minute at most on a small machine. The command takes larger files.
LARGEST = 5_000_000


@pages.get("/connections/<connection_id>/import")
def page(connection_id: str) -> Any:
    return _page(_opened(connection_id))


@pages.post("/connections/<connection_id>/import")
def upload(connection_id: str) -> Any:
    """Look at the file, or take it in."""
    connected = _opened(connection_id)
    file = request.files.get("file")
    raw = file.read(LARGEST + 1) if file else b""
    if not raw:
        return _page(connected, problem=gettext("Choose a file that is not empty.")), 422
    if len(raw) > LARGEST:
        return _page(
            connected, problem=gettext("Here a file may have at most 5 MB. Split it, or use the command.")
        ), 413
    taken = "import" in request.form
    try:
        report = import_rows(the_store(), now(), connected, raw) if taken else check_rows(now(), connected, raw)
    except NotUnderstood as error:
        return _page(connected, problem=troubled(error)), 422
    if report.kept and taken:
        the_hub().wake("reading", "read_messages", connected.workspace_id)
    return _page(connected, report, taken=taken)


def _opened(connection_id: str) -> Connected:
    me = may_change()
    try:
        with the_store().read() as tx:
            connected = steer.opened(tx, connection_id, me.workspace_id)
    except ConnectorBroken:
        abort(404)
    if connected.row.role != "source" or type(connected.source).columns is Source.columns:
        abort(404)
    return connected


def _meaning(connected: Connected, columns: Sequence[str]) -> Mapping[str, Text]:
    """Column → what it is taken for; nothing where the connector fails on them: the rows say more."""
    source = connected.source
    try:
        return told(source, "reading the columns", source.columns, columns, connected.settings) or {}
    except HubError:
        return {}


def _page(connected: Connected, report: Imported | None = None, *, taken: bool = False, problem: str = "") -> str:
    read_as: list[tuple[str, str]] = []
    if report is not None:
        meant = _meaning(connected, report.columns)
        read_as = [(column, said(meant[column]) if column in meant else "") for column in report.columns]
    return render_template(
        "import.html",
        row=connected.row,
        report=report,
        read_as=read_as,
        taken=taken,
        problem=problem,
    )

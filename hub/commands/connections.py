"""``hub connections``: what is set up here, how each stands, and where access is granted."""

from __future__ import annotations

from typing import Any

import click

from hub.commands.sentences import in_words
from hub.contract.calls import dump_json
from hub.contract.reasons import REASONS
from hub.settings import settings
from hub.steer import grants
from hub.store import Store, connections
from hub.store.connections import ConnectionRow
from hub.store.upgrade import check


@click.command("connections")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@in_words
def list_connections(as_json: bool) -> None:
    """List the connections: id, role, connector, state and name; and what is to be done about those that stand still."""
    store = Store(settings().database_url)
    check(store)
    with store.read() as tx:
        rows = connections.all_connections(tx)
        accesses = [grants.shown(tx, row) for row in rows]
    for row, access in zip(rows, accesses, strict=True):
        if as_json:
            names = ("id", "workspace_id", "role", "connector", "name", "state", "state_reason", "state_detail")
            click.echo(dump_json({**{name: getattr(row, name) for name in names}, "access": access}).decode())
            continue
        click.echo(f"{row.id}  {row.role:11}  {row.connector:16}  {row.state:9}  {row.name}")
        for line in _lines(row, access):
            click.echo(f"    {line}")


def _lines(row: ConnectionRow, access: dict[str, Any] | None) -> list[str]:
    known = REASONS.get(row.state_reason) if row.state != connections.ACTIVE else None
    lines = [f"{known.said.en}. {known.action.en}"] if known else []
    if access is None:
        return lines
    if access["state"] == "granted":
        end = access["expires_at"]
        until = "renewed by itself" if access["renews"] else f"ends {end:%Y-%m-%d %H:%M} UTC" if end else "without end"
        return [
            *lines,
            f"access granted {access['since']:%Y-%m-%d %H:%M} UTC, {until}; again at {access['connect_at']}",
        ]
    return [*lines, f"access {access['state']}: press Connect at {access['connect_at']}"]

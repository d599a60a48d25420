"""``hub connections``: what is set up here, how each stands, and where access is granted."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from hub.commands.sentences import in_words
from hub.contract.calls import dump_json
from hub.contract.reasons import REASONS
from hub.settings import settings
from hub.steer import connections as steer
from hub.steer import grants
from hub.store import Store, connections, now
from hub.store.connections import ConnectionRow
from hub.store.upgrade import check


@click.group("connections", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
@in_words
def list_connections(ctx: click.Context, as_json: bool) -> None:
    """List the connections: id, role, connector, state and name; and what is to be done about those that stand still."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@list_connections.command("orders")
@click.argument("source")
@click.argument("same_as", metavar="SAME_AS")
@in_words
def same_orders(source: str, same_as: str) -> None:
    """Say whose orders SOURCE (an id) tells of: SAME_AS is another source's id, “common” or “own”.

    Counts for what arrives from now on.
    """
    with closing(Store(settings().database_url)) as store:
        check(store)
        with store.write() as tx:
            steer.change(tx, now(), source, same_orders_as=same_as, author="hub connections")
            row = steer.get(tx, source)
    stands = f"keeps its order ids apart, as {row.order_scope}" if row.order_scope else "shares the common orders"
    click.echo(f"{row.name} {stands}.")


def _list(as_json: bool) -> None:
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

"""``hub replay``, ``export``, ``import``: work with what is stored."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import click

from hub.commands.sentences import in_words
from hub.contract.reasons import REASONS
from hub.run.queue import LANES, READING, wake
from hub.settings import settings
from hub.steer import connections as steer
from hub.steer import replay as again
from hub.store import Store, accounts, connections, deliveries, inbound, now, replays
from hub.store.upgrade import check


@click.group()
def replay() -> None:
    """Read messages or send deliveries again."""


@replay.command("inbound")
@click.argument("ids", nargs=-1, required=True)
@in_words
def replay_inbound(ids: tuple[str, ...]) -> None:
    """Read the messages IDS again, as the hub and its connectors are now."""
    store, number, workspaces = _store(), 0, set()
    with store.write() as tx:
        for one in ids:
            row = inbound.get(tx, one)
            if row is None:
                raise click.ClickException(f"There is no message {one}.")
            number += again.inbound_again(tx, now(), row.workspace_id, [one])
            workspaces.add(row.workspace_id)
    for workspace_id in workspaces:
        wake(READING, "read_messages", workspace_id)
    click.echo(f"{number} of {len(ids)} will be read again.")


@replay.command("delivery")
@click.argument("ids", nargs=-1, required=True)
@click.option(
    "--mapping", type=click.Choice(["new", "old"]), default="new", help="The route's mapping, or the one used."
)
@click.option("--override", type=click.Choice(list(replays.RULES)), help="The one rule that does not count this time.")
@click.option("--why", help="Why it does not count: written down, and shown on the timeline.")
@in_words
def replay_delivery(ids: tuple[str, ...], mapping: str, override: str | None, why: str | None) -> None:
    """Send the deliveries IDS again, under the same idempotency keys, unless a rule speaks against it now."""
    store, number, lanes, held = _store(), 0, set(), list[again.HeldBack]()
    overriding = again.override(override, why)
    with store.write() as tx:
        for one in ids:
            row = deliveries.get(tx, one)
            if row is None:
                raise click.ClickException(f"There is no delivery {one}.")
            found = again.deliveries_again(
                tx,
                now(),
                row.workspace_id,
                [one],
                mapping="old" if mapping == "old" else "new",
                author=_who(),
                overriding=overriding,
            )
            number += found.number
            held += found.held_back
            lanes.add(row.connection_id)
    for connection_id in lanes:
        wake(LANES, "deliver", connection_id)
    click.echo(f"{number} of {len(ids)} will be sent again.")
    for kept in held:
        click.echo(_said(kept))


def _said(held: again.HeldBack) -> str:
    how = f" To send it all the same: --override {held.rule} --why …" if held.rule else ""
    return f"{held.id} is not sent: {REASONS[held.reason].said.en}.{how}"


def _who() -> str:
    """Who is at the command line, for the audit."""
    try:
        return f"{getpass.getuser()} (hub replay)"
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return "hub replay"


@click.command()
@click.argument("noun", type=click.Choice(["conversions", "orders", "contacts"]))
@click.option("--workspace", help="Its id; the oldest one otherwise.")
@in_words
def export(noun: str, workspace: str | None) -> None:
    """Write NOUN as CSV to standard output."""
    from hub.report.export import write

    store = _store()
    with store.read() as tx:
        found = accounts.get_workspace(tx, workspace) if workspace else accounts.first_workspace(tx)
        if found is None:
            raise click.ClickException("There is no such workspace.")
        write(tx, found.id, noun, sys.stdout)


@click.group("import")
def import_() -> None:
    """Take in a file."""


@import_.command("orders")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="Id of the source connection whose settings say how to read a row.")
@in_words
def import_orders(file: Path, source: str) -> None:
    """Keep each row of the CSV FILE as one message of a source, with trust "imported".

    Rows that cannot be read are named with their line and left out; the others are taken in all the same.
    """
    from hub.steer.imports import import_rows

    store = _store()
    with store.read() as tx:
        row = connections.get_connection(tx, source)
        if row is None or row.role != "source":
            raise click.ClickException(f"There is no source {source}. Its id stands in the address of its page.")
        connected = steer.opened(tx, source)
    report = import_rows(store, now(), connected, file.read_bytes())
    wake(READING, "read_messages", row.workspace_id)
    click.echo(f"{report.kept} of {report.rows} rows were kept and are being read.")
    if report.known:
        click.echo(f"{report.known} had been imported before.")
    if report.unused:
        click.echo(f"{report.unused} mean nothing here, as this source is set.")
    for line, problem in report.bad:
        click.echo(f"Line {line} was left out: {problem}", err=True)
    if report.refused > len(report.bad):
        click.echo(f"… and {report.refused - len(report.bad)} more lines.", err=True)


def _store() -> Store:
    store = Store(settings().database_url)
    check(store)
    return store

"""``hub db``: migrations, backup, restore."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from hub.commands.sentences import in_words
from hub.settings import settings
from hub.store import Store
from hub.store import upgrade as schema
from hub.store.backups import backup as save
from hub.store.restore import restore as put_back


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@in_words
def upgrade() -> None:
    """Bring the schema up to date, after a backup."""
    with _database() as store:
        click.echo(schema.upgrade(store, settings().backups))


@db.command()
@in_words
def check() -> None:
    """Exit 0 when the schema fits this version of the hub."""
    with _database() as store:
        schema.check(store)
    click.echo("The database is up to date.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_words
def backup(file: Path) -> None:
    """Copy the database to FILE while the hub goes on working."""
    with _database() as store:
        save(store, file)
    click.echo(f"Saved in {file}.")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.confirmation_option(prompt="This replaces what the hub knows now. The hub must be stopped. Go on?")
@in_words
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the database, which nobody may have open.

    What it replaces is kept. Who asked to be left alone since the backup was made is left alone still.
    """
    with _database() as store:
        kept = put_back(store, file, settings().backups)
    click.echo(f"What was there is kept in {kept}." if kept else "There was no database before.")
    click.echo("Restored. Start the hub again.")


def _database() -> closing[Store]:
    return closing(Store(settings().database_url))

"""``hub db``: migrations, backup, restore."""

from __future__ import annotations

from pathlib import Path

import click

from hub.commands.sentences import in_words
from hub.settings import settings
from hub.store import Store
from hub.store import upgrade as schema


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@in_words
def upgrade() -> None:
    """Bring the schema up to date, after a backup."""
    click.echo(schema.upgrade(Store(settings().database_url), settings().data_dir / "backups"))


@db.command()
@in_words
def check() -> None:
    """Exit 0 when the schema fits this version of the hub."""
    schema.check(Store(settings().database_url))
    click.echo("The database is up to date.")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@in_words
def backup(file: Path) -> None:
    """Copy the database to FILE while the hub goes on working."""
    schema.backup(Store(settings().database_url), file)
    click.echo(f"Saved in {file}.")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.confirmation_option(prompt="This replaces what the hub knows now. The hub must be stopped. Go on?")
@in_words
def restore(file: Path) -> None:
    """Put the backup FILE in the place of the database."""
    schema.restore(Store(settings().database_url), file)
    click.echo("Restored. Start the hub again.")

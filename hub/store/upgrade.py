"""Schema migrations, and backups before them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.contract.errors import ConfigError
from hub.store import Store
from hub.store.base import alone

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store, backups: Path) -> str:
    """Bring the schema up to date, after a backup when there is something to lose. Returns a sentence for people."""
    current, newest = _versions(store)
    if current == newest:
        return "The database is up to date."
    saved = ""
    if current is not None:
        target = backups / f"before-{newest}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
        target.parent.mkdir(parents=True, exist_ok=True)
        backup(store, target)
        saved = f" The state before is kept in {target}."
    _run(store, lambda config: command.upgrade(config, "head"))
    return f"The database was brought to version {newest}.{saved}"


def check(store: Store) -> None:
    """Raise ConfigError unless the schema is the one this version of the hub was made for."""
    current, newest = _versions(store)
    if current != newest:
        raise ConfigError(
            f"The database is at version {current or 'none'}, this hub needs {newest}. Run “hub db upgrade” first."
        )


def backup(store: Store, target: Path) -> None:
    """Copy the whole database to ``target`` while the hub goes on working (SQLite's backup API, or pg_dump)."""
    if target.exists():
        raise ConfigError(f"{target} exists already: choose another name.")
    if not store.sqlite:
        _postgres("pg_dump", ["--format=custom", f"--file={target}", f"--dbname={_plain_url(store)}"])
        return
    with sqlite3.connect(_sqlite_file(store)) as source, sqlite3.connect(target) as copy:
        source.backup(copy, pages=1000)
    copy.close()
    source.close()


def restore(store: Store, saved: Path) -> None:
    """Put a backup in the place of the database. The hub must be stopped. What was there is kept beside it."""
    if not saved.is_file():
        raise ConfigError(f"{saved} is not there.")
    if not store.sqlite:
        _postgres("pg_restore", ["--clean", "--if-exists", "--no-owner", f"--dbname={_plain_url(store)}", str(saved)])
        return
    try:
        with sqlite3.connect(f"file:{saved}?mode=ro", uri=True) as opened:
            opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{saved} is not a backup of a hub's database ({error}).") from None
    finally:
        opened.close()
    store.close()
    file = Path(_sqlite_file(store))
    if file.exists():
        aside = file.with_name(f"{file.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        backup_of_current = sqlite3.connect(file)
        with backup_of_current, sqlite3.connect(aside) as copy:
            backup_of_current.backup(copy)
        copy.close()
        backup_of_current.close()
    for leftover in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copyfile(saved, file)


def _versions(store: Store) -> tuple[str | None, str | None]:
    with store.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _run(store: Store, action: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def with_connection(connection: Connection) -> None:
        alone(connection, "schema")  # another host may be at it, and looks again afterwards
        config.attributes["connection"] = connection
        action(config)

    with store.engine.connect().execution_options(hub_write=True) as connection, connection.begin():
        with_connection(connection)


def _sqlite_file(store: Store) -> str:
    return store.engine.url.database or ""


def _plain_url(store: Store) -> str:
    return store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _postgres(program: str, arguments: list[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"{program} is needed for this and is not installed: install PostgreSQL's client programs.")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - our own list
    if done.returncode:
        raise ConfigError(f"{program} failed: {done.stderr.strip()[:500]}")

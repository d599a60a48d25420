"""Copies of the whole database, made while the hub goes on working."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from hub.contract.errors import ConfigError
from hub.store.base import Store


def backup(store: Store, target: Path) -> None:
    """Copy the whole database to ``target`` while the hub goes on working (SQLite's backup API, or pg_dump)."""
    if target.exists():
        raise ConfigError(f"{target} exists already: choose another name.")
    if not store.sqlite:
        try:
            postgres("pg_dump", ["--format=custom", f"--file={target}", f"--dbname={plain_url(store)}"])
        except ConfigError:
            target.unlink(missing_ok=True)  # it begins with an empty file, which would look like a backup
            raise
        return
    copy_sqlite(sqlite_file(store), target)


def copy_sqlite(source: Path, target: Path) -> None:
    """A copy of one moment of the database, which may be written to meanwhile."""
    reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    with closing(reading), closing(sqlite3.connect(target)) as copy, copy:
        reading.backup(copy, pages=1000)


def sqlite_file(store: Store) -> Path:
    return Path(store.engine.url.database or "")


def plain_url(store: Store) -> str:
    """The address of the database as PostgreSQL's own programs read it."""
    return store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def postgres(program: str, arguments: list[str]) -> str:
    """Run one of PostgreSQL's client programs; returns what it printed. Raises ConfigError with what it complained of."""
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"{program} is needed for this and is not installed: install PostgreSQL's client programs.")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - our own list
    if done.returncode:
        raise ConfigError(f"{program} failed: {done.stderr.strip()[:500]}")
    return done.stdout

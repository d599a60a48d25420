"""Put a backup in the place of the database, while nobody else has it open.

What it replaces is kept. The backup is brought to this version's schema, and told who asked to be left alone since it was
made, before a hub may open it. On PostgreSQL that follows the commit of the restored tables: a restore that is killed
between the two is to be run again.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError

from hub.contract.errors import ConfigError
from hub.store import contacts, journal
from hub.store.backups import backup, copy_sqlite, plain_url, postgres, sqlite_file
from hub.store.base import Store, metadata
from hub.store.holding import file_alone, sessions_alone
from hub.store.journal import LeftAlone
from hub.store.upgrade import is_known, migrate


def restore(store: Store, saved: Path, folder: Path) -> Path | None:
    """Replace the database by the backup ``saved``; returns where the replaced one is kept, None when there was none.

    ``folder`` holds the journal of :mod:`hub.store.journal`, and on PostgreSQL takes what is replaced. Raises ConfigError,
    which is InUse while any process has the database open; nothing is changed then.
    """
    if not saved.is_file():
        raise ConfigError(f"{saved} is not there.")
    store.close()  # our own hold of it
    return _restore_file(store, saved, folder) if store.sqlite else _restore_postgres(store, saved, folder)


# -- SQLite ----------------------------------------------------------------------------------------------------------


def _restore_file(store: Store, saved: Path, folder: Path) -> Path | None:
    file = sqlite_file(store)
    with file_alone(str(file)):
        fresh = file.with_name(f"{file.name}.restoring")
        _remove(fresh)
        try:
            _copy_backup(saved, fresh)
            if file.exists():
                shutil.copymode(file, fresh)
            _bring_up_to_date(f"sqlite:///{fresh}", _remembered(store, folder))
            return _swap(file, fresh)
        finally:
            _remove(fresh)


def _copy_backup(saved: Path, fresh: Path) -> None:
    try:
        copy_sqlite(saved, fresh)
        with closing(sqlite3.connect(fresh)) as opened:
            version = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{saved} is not a backup of a hub's database ({error}).") from None
    _check_version(version[0] if version else "", saved)


def _swap(file: Path, fresh: Path) -> Path | None:
    """``fresh`` takes the place of ``file``, in one step. Where the old one can be read, a kill in between loses nothing."""
    _flush(fresh)
    aside = file.with_name(f"{file.name}.before-restore-{_stamp()}") if file.exists() else None
    if aside is not None:
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file)) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # so that the file alone is the database
        os.link(file, aside)
        for tail in _TAILS:  # left over where it could not be opened
            with suppress(FileNotFoundError):
                file.with_name(file.name + tail).replace(aside.with_name(aside.name + tail))
    fresh.replace(file)
    journal.flush_folder(file.parent)
    return aside


def _remove(file: Path) -> None:
    for tail in ("", *_TAILS):
        file.with_name(file.name + tail).unlink(missing_ok=True)


def _flush(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


_TAILS = ("-wal", "-shm")


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def _restore_postgres(store: Store, saved: Path, folder: Path) -> Path | None:
    folder.mkdir(parents=True, exist_ok=True)
    with sessions_alone(store.url), tempfile.TemporaryDirectory(dir=folder) as scratch:
        _check_version(_dumped_version(saved), saved)
        script = Path(scratch, "restore.sql")
        postgres("pg_restore", ["--no-owner", f"--file={script}", str(saved)])
        known, aside = _remembered(store, folder), None
        tables = _tables(store.url)
        if tables:
            aside = folder / f"before-restore-{_stamp()}.backup"
            backup(store, aside)
        cleared = [f"--command=DROP TABLE IF EXISTS {', '.join(tables)} CASCADE"] if tables else []
        all_or_nothing = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        postgres("psql", [*all_or_nothing, *cleared, f"--file={script}", f"--dbname={plain_url(store)}"])
        _bring_up_to_date(store.url, known)
        return aside


def _dumped_version(saved: Path) -> str:
    said = postgres("pg_restore", ["--data-only", "--table=alembic_version", "--file=-", str(saved)])
    found = re.search(r"^COPY .*alembic_version .*\n(\S+)$", said, re.MULTILINE)
    return found[1] if found else ""


def _tables(url: str) -> list[str]:
    """The hub's own tables that are there, quoted."""
    looking = Store(url, hold=False)
    with closing(looking), looking.read() as tx:
        present = set(inspect(tx).get_table_names())
        quote = tx.dialect.identifier_preparer.quote
        return [quote(name) for name in sorted(present & {*metadata.tables, "alembic_version"})]


# -- both ------------------------------------------------------------------------------------------------------------


def _check_version(version: str, saved: Path) -> None:
    if not version:
        raise ConfigError(f"{saved} is not a backup of a hub's database.")
    if not is_known(version):
        raise ConfigError(f"{saved} was made by a newer version of the hub: install that one, then restore again.")


def _bring_up_to_date(url: str, known: Iterable[LeftAlone]) -> None:
    restored = Store(url, hold=False)
    try:
        migrate(restored)
        with restored.write() as tx:
            for one in known:
                contacts.suppress(tx, one.workspace_id, one.email_hash, one.reason, one.at, noted=True)
    finally:
        restored.close()


def _remembered(store: Store, folder: Path) -> list[LeftAlone]:
    """Who asked to be left alone, says the journal; it learns what only the database knows that is replaced."""
    if store.sqlite and not sqlite_file(store).exists():
        return journal.read(folder)
    old = Store(store.url, hold=False)
    # Damaged or empty: then the journal is all there is.
    with closing(old), suppress(DBAPIError, sqlite3.DatabaseError), old.read() as tx:
        journal.complete(folder, left_alone(tx))
    return journal.read(folder)


def left_alone(tx: Connection) -> list[LeftAlone]:
    """Everybody who asked for it, in the order of time."""
    table = contacts.suppression
    rows = tx.execute(select(table).order_by(table.c.at))
    return [LeftAlone(row.workspace_id, row.email_hash, row.reason, row.at) for row in rows]


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"

"""The schema that migrations lead to is the one the code was written for."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import hub.app  # noqa: F401 - whatever declares a table is imported by it
from hub.store import Store, metadata, upgrade


def test_migrations_are_one_line() -> None:
    assert len(ScriptDirectory(str(upgrade.MIGRATIONS)).get_heads()) == 1


def test_upgrading_an_empty_database_makes_the_tables_the_code_knows(database_url: str, tmp_path: Path) -> None:
    store = Store(database_url)
    upgrade.upgrade(store, tmp_path)
    upgrade.check(store)
    with store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    store.close()
    assert differences == []

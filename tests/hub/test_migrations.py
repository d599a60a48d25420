"""The schema that migrations lead to is the one the code was written for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, select, table, text

import hub.app  # noqa: F401 - whatever declares a table is imported by it
from hub.store import Store, accounts, connections, contacts, metadata, now, upgrade
from hub.store.base import JsonColumn


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


def test_consent_from_before_it_was_told_how_sure_is_taken_with_care(database_url: str) -> None:
    store = Store(database_url)
    _run(store, command.upgrade, "0003")
    with store.write() as tx:
        for contact_id, granted in (("anna", False), ("bob", True)):
            tx.execute(
                text("INSERT INTO consent VALUES (:contact_id, 'email', 'w', :granted, 'told', 5)"),
                {"contact_id": contact_id, "granted": granted},
            )
    _run(store, command.upgrade, "head")
    with store.write() as tx:
        yes = {"purpose": "email", "workspace_id": "w", "granted": True, "basis": "told", "at": now()}
        contacts.put_consents(tx, [yes | {"contact_id": name, "trust": "claimed"} for name in ("anna", "bob")])
        assert contacts.consents_of(tx, ["anna", "bob"]) == {("anna", "email"): False, ("bob", "email"): True}
    _run(store, command.downgrade, "0003")
    with store.read() as tx:
        assert set(tx.execute(text("SELECT contact_id, granted FROM consent"))) == {
            ("anna", True),
            ("bob", True),
        }
    store.close()


def test_numbers_of_connections_that_were_removed_before_are_not_given_again(database_url: str) -> None:
    store = Store(database_url)
    _run(store, command.upgrade, "0004")
    at = now()
    with store.write() as tx:
        workspace_id = accounts.add_workspace(tx, at, name="Shop")
        for _ in range(3):  # all of them removed since
            accounts.record_audit(tx, at, workspace_id, None, "connection.added")
    _run(store, command.upgrade, "head")
    with store.write() as tx:
        columns = {"workspace_id": workspace_id, "connector": "pixel", "role": "source", "name": "Pixel"}
        made = connections.add_connection(tx, at, columns | {"settings": {}, "secrets": b"", "settings_version": 1})
        row = connections.get_connection(tx, made)
        assert row is not None
        assert row["number"] == 4
    store.close()


def _run(store: Store, move: Callable[[Config, str], None], version: str) -> None:
    upgrade._run(store, lambda config: move(config, version))


def test_what_was_stored_as_json_before_is_still_read(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    with store.write() as tx:
        tx.execute(text("CREATE TABLE kept (data JSON)"))
        for stored in ('{"rate": NaN}', '{"name": "\\ud800"}', '{"a": [1, 2.5, null]}', "null"):
            tx.execute(text("INSERT INTO kept VALUES (:data)"), {"data": stored})
        tx.execute(text("INSERT INTO kept VALUES (NULL)"))
    with store.read() as tx:
        read = list(tx.scalars(select(column("data", JsonColumn)).select_from(table("kept"))))
    store.close()
    assert str(read) == str([{"rate": float("nan")}, {"name": "\ud800"}, {"a": [1, 2.5, None]}, None, None])

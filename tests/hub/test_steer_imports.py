"""Files of orders: each readable line is kept once, each other one is named, and what was read becomes orders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from shop import Shop

from hub.contract.errors import NotUnderstood
from hub.steer import connections as steer
from hub.steer.imports import Imported, check_rows, import_rows
from hub.store import Store, inbound, now

FILE = """N° de commande;Date;Montant TTC;E-mail
1001;31/03/2026;49,90;ana@example.com
1002;99/99/2026;10,00;bob@example.com
1003;01/04/2026;12;5;too many
"never closed
1004;01/04/2026;-49,90;ana@example.com
1005;01/04/2026;20;
""".encode()


class Till(Shop):
    """A shop with a source for files."""

    def __post_init__(self) -> None:
        super().__post_init__()
        with self.store.write() as tx:
            self.file_source = steer.connect(
                tx,
                now(),
                self.workspace_id,
                connector="csv",
                role="source",
                name="Till",
                settings={"currency": "EUR", "time_zone": "Europe/Paris"},
            )

    def take(self, raw: bytes = FILE) -> Imported:
        with self.store.read() as tx:
            connected = steer.opened(tx, self.file_source)
        return import_rows(self.store, now(), connected, raw)


@pytest.fixture
def till(store: Store) -> Till:
    return Till(store)


def test_one_bad_line_costs_only_itself(till: Till) -> None:
    report = till.take()
    assert (report.rows, report.kept, report.known, report.refused) == (6, 3, 0, 3)
    assert [line for line, _ in report.bad] == [3, 4, 5]
    assert "99/99/2026" in report.bad[0][1]
    assert [line for line, _ in report.first] == [2, 6, 7]
    till.read()
    assert {row["data"]["order_id"] for row in till.conversions} == {"1001", "1004", "1005"}


def test_what_comes_from_a_file_says_so_and_a_line_imported_twice_counts_once(till: Till) -> None:
    till.take()
    again = till.take(FILE.replace(b"99/99/2026", b"01/04/2026"))
    assert (again.kept, again.known, again.refused) == (1, 3, 2)
    till.read()
    assert {row["trust"] for row in till.conversions} == {"imported"}
    assert len(till.conversions) == 4
    assert sorted(Decimal(str(row["value"])) for row in till.conversions) == [
        10,
        20,
        Decimal("49.90"),
        Decimal("49.90"),
    ]


def test_looking_at_a_file_keeps_nothing(till: Till) -> None:
    with till.store.read() as tx:
        connected = steer.opened(tx, till.file_source)
    report = check_rows(now(), connected, FILE)
    assert (report.kept, report.refused) == (3, 3)
    with till.store.read() as tx:
        assert inbound.latest(tx, till.workspace_id, connection_id=till.file_source) == []


def test_a_large_file_is_taken_in_parts(till: Till) -> None:
    lines = [f"{number};31/03/2026;1,00;" for number in range(1200)]
    assert till.take("\n".join(["order id;date;total;email", *lines]).encode()).kept == 1200


def test_what_is_no_table_is_refused_whole(till: Till) -> None:
    with pytest.raises(NotUnderstood):
        till.take(b"%PDF-1.7")

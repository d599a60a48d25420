import io
from typing import Any

import pytest
from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.steer import connections as steer
from hub.store import Store, inbound, now

FILE = "N° de commande;Montant TTC;Couleur\n1001;49,90;bleu\n1002;cher;rouge\n"


@pytest.fixture
def till(store: Store, shop: Shop) -> str:
    with store.write() as tx:
        return steer.connect(
            tx, now(), shop.workspace_id, connector="csv", role="source", name="Till", settings={"currency": "EUR"}
        )


def sent(visitor: Visitor, till: str, button: str, text: str = FILE) -> Any:
    visitor.get(f"/connections/{till}/import")
    file = (io.BytesIO(text.encode()), "till.csv")
    return visitor.post(f"/connections/{till}/import", {"file": file, button: "1"}, content_type="multipart/form-data")


def kept(store: Store, shop: Shop, till: str) -> int:
    with store.read() as tx:
        return len(inbound.latest(tx, shop.workspace_id, connection_id=till))


def test_a_source_of_files_offers_to_import_one_and_others_do_not(owner: Visitor, shop: Shop, till: str) -> None:
    assert f"/connections/{till}/import" in owner.get(f"/connections/{till}").text
    assert "/import" not in owner.get(f"/connections/{shop.source_id}").text
    assert owner.get(f"/connections/{shop.source_id}/import").status_code == 404
    assert owner.get(f"/connections/{shop.destination_id}/import").status_code == 404


def test_looking_first_shows_columns_lines_and_mistakes_and_keeps_nothing(
    owner: Visitor, store: Store, shop: Shop, till: str, woken: list[tuple[str, str, str]]
) -> None:
    page = sent(owner, till, "check").text
    assert "1 line can be read. Nothing was imported yet." in page
    for shown in ("Order or receipt number", "kept as it is, not used", "Couleur", "€49.90", "1001", "The amount cher"):
        assert shown in page
    assert kept(store, shop, till) == 0
    assert woken == []


def test_importing_takes_the_good_lines_in_and_names_the_others(
    owner: Visitor, store: Store, shop: Shop, till: str, woken: list[tuple[str, str, str]]
) -> None:
    page = sent(owner, till, "import").text
    assert "1 new line was taken in." in page
    assert "<td>3</td>" in page
    assert kept(store, shop, till) == 1
    assert ("reading", "read_messages", shop.workspace_id) in woken
    assert "1 line had been imported before." in sent(owner, till, "import").text


@pytest.mark.parametrize(
    ("text", "said"), [("", "Choose a file"), ("just words", "The first line must name the columns")]
)
def test_what_is_no_file_of_rows_is_said(owner: Visitor, till: str, text: str, said: str) -> None:
    answer = sent(owner, till, "import", text)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_reader_cannot_import(app: Flask, shop: Shop, till: str) -> None:
    reader = member(app, shop.workspace_id, role="viewer", email="viewer@example.com")
    assert reader.get(f"/connections/{till}/import").status_code == 403


def test_cells_of_a_file_are_shown_as_text(owner: Visitor, till: str) -> None:
    page = sent(owner, till, "check", "order id;total;<script>x</script>\n1;5;a\n<b>2</b>;<i>;b\n").text
    assert "<script>x" not in page
    assert "<i>" not in page

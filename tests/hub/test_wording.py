"""Words and templates that a connector keeps in files beside its code."""

import json
from pathlib import Path

import pytest

from hub.contract import Text
from hub.toolkit.bundled_files import read_template, read_words


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "a_strangers_connector"
    folder.mkdir()
    (folder / "__init__.py").touch()
    said = {"amount": {"label": {"en": "Amount", "fr": "Montant"}, "choices": {"a": {"en": "One", "fr": "Un"}}}}
    (folder / "words.json").write_text(json.dumps(said), "utf-8")
    (folder / "page.html").write_text("<p>é\n</p>\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "a_strangers_connector.source"


def test_words_in_both_languages_become_texts_and_the_rest_stays(module: str) -> None:
    assert read_words(module) == {"amount": {"label": Text("Amount", "Montant"), "choices": {"a": Text("One", "Un")}}}
    assert isinstance(read_words(module)["amount"]["label"], Text)


def test_a_template_is_its_file_less_the_last_line_end(module: str) -> None:
    assert read_template(module, "page.html") == "<p>é\n</p>"

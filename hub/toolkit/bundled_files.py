"""Reads the files beside a connector's code: the words of its forms and tables in both languages, and templates.

Use it where there are more words than code. A form in ``words.json``::

    {"currency": {"label": {"en": "Currency", "fr": "Devise"}, "placeholder": "EUR"}}

    WORDS = read_words(__name__)
    class MySettings(SettingsSchema):
        currency = Currency(**WORDS["currency"], load_default="")
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from hub.contract.vocabulary import Text


def read_words(module: str, name: str = "words.json") -> dict[str, Any]:
    """The JSON object in the file ``name`` beside ``module`` (its ``__name__``), with every {"en": …, "fr": …} a Text."""
    found: dict[str, Any] = json.loads(read_template(module, name), object_hook=_texts)
    return found


def read_template(module: str, name: str) -> str:
    """The text of the file ``name`` beside ``module``, without the line end at its end."""
    return files(module.rpartition(".")[0]).joinpath(name).read_text("utf-8").removesuffix("\n")


def _texts(found: dict[str, Any]) -> Any:
    return Text(**found) if found.keys() == {"en", "fr"} else found

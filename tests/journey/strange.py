"""A destination connector of a stranger, installed for one test as a package beside the hub."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.connecting.registry import GROUP, registry

HEAD = """
from hub.contract import *
from hub.contract import Batch, Call, Category, Destination, Kind, Outcome, Result, SettingsSchema, Text, TryLater, Url


class Settings(SettingsSchema):
    url = Url(Text("Address", "Adresse"), required=True)


class Acme(Destination):
    slug, name, category, Settings = "acme_strange", "Acme", Category.CRM, Settings
    default_mapping = {"order": {"from": "order_id"}}
"""


@contextmanager
def installed(body: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The slug of a destination whose class has this ``body``, indented by four spaces."""
    package = folder / "acme_strange"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "destination.py").write_text(HEAD + body)
    info = folder / "acme_strange-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nacme_strange = acme_strange\n")
    monkeypatch.syspath_prepend(str(folder))
    registry.cache_clear()
    try:
        yield "acme_strange"
    finally:
        registry.cache_clear()
        for module in [name for name in sys.modules if name.startswith("acme_strange")]:
            del sys.modules[module]

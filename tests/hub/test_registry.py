"""Finding connectors, ours and strangers', and setting broken ones aside."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hub.connecting.old_paths import MOVED
from hub.connecting.registry import GROUP, Registry, UnknownConnector, registry
from hub.contract import Category, ConnectorBroken, Headers, Inbound, Stage
from hub.toolkit.hmac_source import HmacSource

SOURCE = """
from hub.contract import Category, Source, Stage
class Acme(Source):
    slug = "{slug}"
    name = "Acme"
    category = Category.SHOP
    stages = frozenset({{Stage.PURCHASE}})
"""
Install = Callable[..., Registry]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a stranger's distribution on the path, as pip would, and returns what is then found."""
    registry()  # is remembered for the process: what it finds must not depend on which test comes first
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(files: dict[str, str], package: str, name: str = "acme-connectors") -> Registry:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{package.split('.')[0]} = {package}\n")
        return Registry(entry_points(group=GROUP))

    yield put
    for module in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[module]


def test_our_own_connectors_are_found_and_none_is_broken() -> None:
    entries = registry().all()
    assert [entry.slug for entry in entries] == registry().slugs()
    assert {entry.slug: entry.broken for entry in entries if entry.broken} == {}
    assert all(entry.folder.name == entry.slug for entry in entries)


def test_a_strangers_package_that_is_one_connector_adds_it(install: Install) -> None:
    found = install({"acme_one/__init__.py": "", "acme_one/source.py": SOURCE.format(slug="acme_one")}, "acme_one")
    assert found.source("acme_one").stages == {Stage.PURCHASE}
    entry = found.entry("acme_one")
    assert (entry.name, entry.category, entry.roles) == ("Acme", Category.SHOP, ("source",))
    assert entry.distribution == "acme-connectors"
    assert set(registry().slugs()) < set(found.slugs())


def test_a_strangers_package_of_folders_adds_each(install: Install) -> None:
    files = {f"acme_many/{slug}/source.py": SOURCE.format(slug=slug) for slug in ("acme_a", "acme_b")}
    found = install({"acme_many/__init__.py": "", "acme_many/README.md": "", **files}, "acme_many")
    assert {"acme_a", "acme_b"} <= set(found.slugs())
    assert found.source("acme_b").slug == "acme_b"


def test_one_instance_is_shared() -> None:
    slug = next(entry.slug for entry in registry().all() if "destination" in entry.roles)
    assert registry().destination(slug) is registry().destination(slug)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def oops(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit"),
        (SOURCE.format(slug="other"), "its slug is 'other' but its folder is 'acme_bad': rename the folder to other"),
        ("x = 1", "exactly one Source class, it holds 0"),
        (SOURCE.format(slug="acme_bad") + "class Two(Acme): pass\n", "exactly one Source class, it holds 2"),
        (SOURCE.format(slug="acme_bad") + "    contract = 99\n", "written for contract 99, this hub speaks 1"),
        (SOURCE.format(slug="acme_bad").replace('    name = "Acme"\n', ""), "says no name"),
    ],
)
def test_a_broken_connector_is_set_aside_with_its_reason_and_the_rest_works(
    install: Install, source: str, why: str
) -> None:
    files = {"acme_set/acme_bad/source.py": source, "acme_set/acme_good/source.py": SOURCE.format(slug="acme_good")}
    found = install({"acme_set/__init__.py": "", **files}, "acme_set")
    entry = found.entry("acme_bad")
    assert why in (entry.broken or "")
    assert entry in found.all()
    with pytest.raises(ConnectorBroken) as caught:
        found.source("acme_bad")
    assert why in caught.value.message
    assert found.source("acme_good").name == "Acme"


def test_a_broken_role_leaves_the_other_one_working(install: Install) -> None:
    destination = SOURCE.format(slug="acme_two").replace("Source", "Destination")
    files = {"acme_two/source.py": "import nothing_of_that_name", "acme_two/destination.py": destination}
    found = install({"acme_two/__init__.py": "", **files}, "acme_two")
    assert found.destination("acme_two").name == "Acme"
    assert "source: ModuleNotFoundError" in (found.entry("acme_two").broken or "")


def test_broken_sources_are_left_out_of_those_that_a_door_may_use(install: Install) -> None:
    files = {
        "acme_doors/acme_bad/source.py": "1 / 0",
        "acme_doors/acme_good/source.py": SOURCE.format(slug="acme_good"),
    }
    found = [source.slug for source in install({"acme_doors/__init__.py": "", **files}, "acme_doors").sources()]
    assert "acme_good" in found
    assert "acme_bad" not in found
    assert {slug for slug in registry().slugs() if "source" in registry().roles(slug)} < set(found)


def test_an_entry_without_its_package_is_listed_as_broken(install: Install) -> None:
    found = install({}, "acme_gone")
    assert "cannot be found" in {entry.slug: entry.broken or "" for entry in found.all()}["acme_gone"]


def test_a_strangers_folder_never_replaces_one_of_ours(install: Install) -> None:
    slug = registry().slugs()[0]
    found = install({"acme_dup/__init__.py": "", f"acme_dup/{slug}/source.py": SOURCE.format(slug=slug)}, "acme_dup")
    assert found.entry(slug).folder == registry().entry(slug).folder
    aside = [entry for entry in found.all() if entry.slug == slug and entry.broken]
    assert [entry.distribution for entry in aside] == ["acme-connectors"]


def test_an_unknown_connector_is_answered_with_the_nearest_name(install: Install) -> None:
    found = install({"acme_near/__init__.py": "", "acme_near/source.py": SOURCE.format(slug="acme_near")}, "acme_near")
    with pytest.raises(UnknownConnector, match=r"Did you mean acme_near\?"):
        found.source("acme_neer")
    with pytest.raises(UnknownConnector, match="lists what is installed"):
        found.source("qqqqqqq")
    with pytest.raises(UnknownConnector, match="acme_near is no destination: it is a source only"):
        found.destination("acme_near")


def test_a_name_near_a_connector_that_is_set_aside_is_told_why(install: Install) -> None:
    source = SOURCE.format(slug="acme_far")
    found = install({"acme_farm/__init__.py": "", "acme_farm/source.py": source}, "acme_farm")
    with pytest.raises(UnknownConnector) as caught:
        found.source("acme_far")
    assert "acme_farm is installed but set aside" in str(caught.value)
    assert "rename the folder to acme_far, or put it in acme_farm/acme_far/" in str(caught.value)
    with pytest.raises(UnknownConnector, match=r"set aside: its package acme_nil cannot be found"):
        install({}, "acme_nil").source("acme_nil")


def test_listing_slugs_imports_no_connector() -> None:
    listed = "[name for name in sys.modules if name.endswith(('.source', '.destination'))]"
    code = f"import sys; from hub.connecting.registry import registry; registry().slugs(); print({listed})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_eighty_folders_are_listed_at_once(install: Install) -> None:
    files = {f"acme_lot/acme_{n}/source.py": SOURCE.format(slug=f"acme_{n}") for n in range(80)}
    found = install({"acme_lot/__init__.py": "", **files}, "acme_lot")
    began = time.perf_counter()
    assert len(found.all()) >= 80
    assert time.perf_counter() - began < 1


# Packages written against contract 1, when the tools still stood in hub.contract

WRITTEN_BEFORE = """
import hub.contract.money
import hub.contract.paths
from hub.contract import Category, Inbound, NotVerified, Stage, people
from hub.contract.hmac_source import HmacSource
from hub.contract.intake import clean_email
from hub.contract.meanings import PURCHASE
from hub.contract.senders import UnsignedSender

class Acme(HmacSource):
    slug = "acme_before"
    name = "Acme"
    category = Category.SHOP
    stages = frozenset({Stage.PURCHASE})
    signature_header = "X-Acme"

    def normalize(self, inbound, settings):
        assert people.email(" Ada@Example.com ") == clean_email("ada@example.com")[0]
        assert hub.contract.paths.text(1) == "1"
        return []
"""


def test_a_package_written_against_contract_1_finds_the_tools_at_their_old_paths(install: Install) -> None:
    found = install({"acme_before/__init__.py": "", "acme_before/source.py": WRITTEN_BEFORE}, "acme_before")
    assert found.entry("acme_before").broken is None
    source = found.source("acme_before")
    assert isinstance(source, HmacSource)  # the very class, not a second one
    assert source.normalize(Inbound(b"{}", Headers(), datetime.now(UTC)), {}) == []


@pytest.mark.parametrize("old", MOVED)
def test_each_old_path_is_another_name_of_the_same_module(old: str) -> None:
    """In a process of its own, with nothing else of the hub imported: a stranger's unit test may start so."""
    code = f"import {old} as old, {MOVED[old]} as new; print(old is new, new.__spec__.name)"
    if not old.endswith(
        ("signing", "certified", "facts")
    ):  # a process costs a second; the others are asked in this one
        assert import_module(old) is import_module(MOVED[old])
        return
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", MOVED[old]]


def test_a_path_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("hub.contract.wishes")

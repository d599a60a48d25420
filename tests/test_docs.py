"""The pages about the connectors say what the connectors do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hub.commands.connector_docs import pages
from hub.connecting.registry import OWN_DISTRIBUTION, registry

FOLDER = Path(__file__).parents[1] / "docs" / "connectors"
made = cache(pages)


def test_every_connector_has_its_pages_in_both_languages() -> None:
    ours = [entry.slug for entry in registry().all() if entry.distribution == OWN_DISTRIBUTION]
    wanted = {f"{slug}.{language}.md" for slug in ours for language in ("en", "fr")}
    assert set(made()) == wanted | {"README.md", "README.fr.md"}


def test_the_pages_are_as_the_connectors_are_now() -> None:
    """If not: ``make docs``."""
    kept = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    missing, gone = sorted(made().keys() - kept.keys()), sorted(kept.keys() - made().keys())
    stale = [name for name in sorted(made().keys() & kept.keys()) if made()[name] != kept[name]]
    assert (missing, gone, stale) == ([], [], [])


def test_every_fact_of_a_page_is_said_in_its_language() -> None:
    """A French page holds none of the English words of the template, and the other way round."""
    english = ("## Facts", "What verifies it:", "Requests at once:", "| Setting |", "| Field |")
    french = ("## Fiche", "Ce qui la vérifie", "Requêtes simultanées", "| Réglage |", "| Champ |")
    for name, text in made().items():
        wrong = french if name.endswith(".en.md") or name == "README.md" else english
        assert [words for words in wrong if words in text] == [], name


def test_every_connector_stands_in_the_table_in_each_of_its_roles() -> None:
    for name, language in (("README.md", "en"), ("README.fr.md", "fr")):
        sources, destinations = made()[name].split("## Destinations")
        for entry in registry().all():
            link = f"({entry.slug}.{language}.md)"
            assert (link in sources) == ("source" in entry.roles), entry.slug
            assert (link in destinations) == ("destination" in entry.roles), entry.slug

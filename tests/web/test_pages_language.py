from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from visitors import Visitor

from hub import web
from hub.store import Store, accounts

WEB = Path(web.__file__).parent
FRENCH = WEB / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}


@pytest.fixture(scope="module")
def french() -> Catalog:
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def key(message_id: object) -> object:
    return message_id if isinstance(message_id, str) else tuple(message_id)  # type: ignore[arg-type]  # one id, or one for each number


def said() -> set[object]:
    """Every text in the code and templates of the pages that is meant to be translated."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    found = extract_from_dir(str(WEB), methods, OPTIONS)
    return {key(message_id) for _, _, message_id, _, _ in found if message_id}


def test_every_text_is_translated_and_nothing_else_is(french: Catalog) -> None:
    assert {key(message.id) for message in french if message.id} == said()


def test_every_translation_is_whole_and_keeps_its_placeholders(french: Catalog) -> None:
    wrong = []
    for message in french:
        if not message.id:
            continue
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        if message.fuzzy or not all(texts) or list(message.check(french)):
            wrong.append(message.id)
    assert wrong == []


def test_the_compiled_catalog_is_in_step_with_its_source(french: Catalog) -> None:
    compiled = read_mo(BytesIO(FRENCH.with_suffix(".mo").read_bytes()))
    pairs = [{key(one.id): key(one.string) for one in catalog if one.id} for catalog in (french, compiled)]
    assert pairs[0] == pairs[1]


def test_the_browsers_order_of_preference_decides_for_strangers(anyone: Visitor) -> None:
    assert 'lang="fr"' in anyone.get("/setup", headers={"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}).text
    assert 'lang="en"' in anyone.get("/setup", headers={"Accept-Language": "de,en;q=0.5"}).text
    assert 'lang="en"' in anyone.get("/setup", headers={"Accept-Language": "ja"}).text


def test_a_persons_own_choice_wins_and_stays(owner: Visitor, store: Store) -> None:
    assert 'lang="en"' in owner.get("/", headers={"Accept-Language": "fr"}).text
    answer = owner.post("/language", {"language": "fr", "next": "/live?stage=lead"})
    assert answer.headers["Location"] == "/live?stage=lead"
    assert 'lang="fr"' in owner.get("/", headers={"Accept-Language": "en"}).text
    with store.read() as tx:
        user = accounts.user_by_email(tx, "owner@example.com")
    assert user is not None
    assert user["language"] == "fr"


def test_who_never_chose_reads_the_browsers_language(owner: Visitor, store: Store) -> None:
    with store.write() as tx:
        user = accounts.user_by_email(tx, "owner@example.com")
        assert user is not None
        accounts.change_user(tx, user["id"], language="")
    assert 'lang="fr"' in owner.get("/", headers={"Accept-Language": "fr"}).text
    assert 'lang="en"' in owner.get("/", headers={"Accept-Language": "en"}).text


def test_every_page_offers_the_other_language(owner: Visitor, anyone: Visitor) -> None:
    for visitor, path in ((owner, "/"), (owner, "/live"), (owner, "/nowhere"), (anyone, "/login")):
        assert 'value="fr" lang="fr"' in visitor.get(path).text


def test_a_language_that_is_not_spoken_changes_nothing(owner: Visitor) -> None:
    owner.post("/language", {"language": "xx"})
    assert 'lang="en"' in owner.get("/").text

"""What connectors say is English: on a French page it stands below the reason in French, marked as the English it is."""

from __future__ import annotations

import pytest
from shop import Shop
from visitors import Visitor

from hub.contract.errors import BadCredentials, ConfigError, ConnectorBroken
from hub.contract.vocabulary import Text
from hub.steer import connections as steer
from hub.steer.errors import in_both, invalid
from hub.store import Store, connections, deliveries, inbound, now

REFUSED = BadCredentials("Mailtool refused the key <b>. Make a new one there.")
IN_FRENCH = "La destination refuse nos identifiants. Saisissez une nouvelle clé puis réactivez."
IN_ENGLISH = '<span class="said" lang="en">Mailtool refused the key &lt;b&gt;. Make a new one there.</span>'


@pytest.fixture
def french(owner: Visitor) -> Visitor:
    owner.post("/language", {"language": "fr"})
    assert 'lang="fr"' in owner.get("/connections").text
    return owner


def test_a_check_that_fails_is_told_by_its_reason_with_the_connectors_words_below(
    french: Visitor, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> str:
        raise REFUSED

    monkeypatch.setattr(steer, "check", refuse)
    french.post(f"/connections/{shop.destination_id}/check")
    assert f"{IN_FRENCH} {IN_ENGLISH}" in french.get(f"/connections/{shop.destination_id}").text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The key works.", 'Cela a fonctionné. <span class="said" lang="en">The key works.</span>'),
        (Text("Fine.", "Tout va bien."), "<span>Tout va bien.</span>"),
    ],
)
def test_a_check_that_works_says_so_in_french(
    french: Visitor, shop: Shop, monkeypatch: pytest.MonkeyPatch, said: Text | str, shown: str
) -> None:
    monkeypatch.setattr(steer, "check", lambda _: said)
    french.post(f"/connections/{shop.destination_id}/check")
    assert shown in french.get(f"/connections/{shop.destination_id}").text


def test_an_installation_that_is_not_whole_is_told_too(
    french: Visitor, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise ConfigError("There is no key.")

    monkeypatch.setattr(steer, "check", fail)
    french.post(f"/connections/{shop.destination_id}/check")
    page = french.get(f"/connections/{shop.destination_id}").text
    assert '. <span class="said" lang="en">There is no key.</span>' in page


def test_the_page_of_a_connection_that_needs_its_owner_marks_the_connectors_words(
    french: Visitor, shop: Shop, store: Store
) -> None:
    with store.write() as tx:
        connections.set_state(tx, shop.destination_id, now(), connections.NEEDS_YOU, REFUSED.reason, REFUSED.message)
    page = french.get(f"/connections/{shop.destination_id}").text
    assert "<b>La destination refuse nos identifiants.</b> Saisissez une nouvelle clé puis réactivez." in page
    assert IN_ENGLISH in page


def test_a_connector_that_is_out_of_order_is_told_by_its_reason(
    french: Visitor, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise invalid("connector", *in_both(ConnectorBroken("It cannot be imported.")))

    monkeypatch.setattr(steer, "find_connector", broken)
    page = french.get(f"/connections/{shop.destination_id}").text
    assert "<b>Connecteur défectueux.</b>" in page
    assert '<span class="said" lang="en">It cannot be imported.</span>' in page


def test_the_timeline_marks_the_words_of_each_step_and_try(french: Visitor, shop: Shop, store: Store) -> None:
    parked = shop.hit(state=inbound.PARKED, reason="not_understood", detail="The message has no “amount”.")
    page = french.get(f"/live/{parked}").text
    assert "Non compris." in page
    assert '<span class="said" lang="en">The message has no “amount”.</span>' in page
    sold = shop.hit()
    with store.read() as tx:
        (planned,) = deliveries.latest(tx, shop.workspace_id)
    shop.fail(planned["id"])
    page = french.get(f"/live/{sold}").text
    assert "Refusé définitivement par la destination" in page
    assert '<p><span class="said" lang="en">no such field</span></p>' in page


def test_what_a_mapping_lacks_is_not_called_english(french: Visitor, shop: Shop) -> None:
    """It was said in the workspace's language."""
    lacking = shop.hit(state=inbound.PARKED, reason="required_field_empty", detail="email : champ vide")
    assert '<span class="said">email : champ vide</span>' in french.get(f"/live/{lacking}").text

import json

from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.store import Store, accounts, now, routes

ANSWERS = {
    "name": "Only sales",
    "stages": ["purchase", "lead"],
    "kinds": ["conversion", "refund"],
    "trust": "proven",
    "wait_minutes": "15",
    "enabled": "on",
}


def where(shop: Shop) -> str:
    return f"/routes/{shop.route['id']}"


def test_what_goes_there_is_ticked_and_saved(owner: Visitor, shop: Shop) -> None:
    page = owner.get(where(shop)).text
    assert "Purchase: the payment is confirmed" in page
    assert owner.post(where(shop), ANSWERS).status_code == 302
    row = shop.route
    assert (row["name"], row["stages"], row["kinds"]) == ("Only sales", ["purchase", "lead"], ["conversion", "refund"])
    assert (row["trust"], row["wait_minutes"], row["enabled"]) == ("proven", 15, True)
    assert "Only sales: 2 stages go there." in owner.get(where(shop)).text


def test_a_route_is_switched_off_by_unticking_it(owner: Visitor, shop: Shop) -> None:
    owner.post(where(shop), {name: value for name, value in ANSWERS.items() if name != "enabled"})
    assert shop.route["enabled"] is False


def test_answers_that_cannot_be_used_are_named(owner: Visitor, shop: Shop) -> None:
    answer = owner.post(where(shop), ANSWERS | {"wait_minutes": "soon", "kinds": []})
    assert answer.status_code == 422
    assert "Enter minutes, 0 to 10080." in answer.text
    assert "Choose at least one." in answer.text
    assert shop.route["name"] == "Hook"


def test_the_page_shows_what_would_be_sent_with_secrets_masked(owner: Visitor, shop: Shop) -> None:
    assert "this one is made up" in owner.get(where(shop)).text
    shop.hit()
    page = owner.get(where(shop)).text
    assert "made up" not in page
    assert "https://example.com/hook" in page
    assert "anna@example.com" in page
    assert "&#34;webhook-signature&#34;: &#34;***&#34;" in page


def test_a_changed_mapping_is_tried_before_it_is_saved(owner: Visitor, shop: Shop) -> None:
    shop.hit()
    rules = json.dumps({"who": {"from": "contact.email"}})
    tried = owner.post(f"{where(shop)}/mapping", {"rules": rules, "do": "try"})
    assert tried.status_code == 200
    assert "1 of the last 1 conversions would look different:" in tried.text
    assert "<code>who</code>" in tried.text
    assert "mapping version 1" in tried.text
    saved = owner.post(f"{where(shop)}/mapping", {"rules": rules, "do": "save"})
    assert saved.status_code == 302
    page = owner.get(where(shop)).text
    assert "mapping version 2" in page
    assert "by owner@example.com" in page


def test_a_malformed_mapping_is_named_by_its_place_and_kept_on_the_page(owner: Visitor, shop: Shop) -> None:
    broken = owner.post(f"{where(shop)}/mapping", {"rules": '{"a": \n {"from": }}', "do": "save"})
    assert broken.status_code == 422
    assert "from line and column 2:11 on" in broken.text
    assert "&#34;from&#34;: }}" in broken.text
    wrong = owner.post(f"{where(shop)}/mapping", {"rules": '{"a": {"nothing": 1}}', "do": "try"})
    assert wrong.status_code == 422
    assert "<code>a.nothing</code>" in wrong.text
    for rules in ("[]", '"x"', "12"):
        assert owner.post(f"{where(shop)}/mapping", {"rules": rules, "do": "save"}).status_code == 422


def test_a_new_route_is_off_until_somebody_has_looked_at_it(owner: Visitor, shop: Shop, store: Store) -> None:
    made = owner.post(f"/connections/{shop.destination_id}/routes")
    assert "switched off until" in owner.get(made.headers["Location"]).text
    with store.read() as tx:
        rows = routes.routes_of(tx, shop.workspace_id)
    assert [row["enabled"] for row in rows] == [True, False]
    owner.post(f"{made.headers['Location']}/remove")
    assert shop.route["enabled"] is True


def test_another_workspaces_routes_do_not_exist_here(app: Flask, shop: Shop, store: Store) -> None:
    with store.write() as tx:
        other = accounts.add_workspace(tx, now(), name="Other")
    stranger = member(app, other, email="stranger@example.com")
    assert stranger.get(where(shop)).status_code == 404
    for action in ("", "/mapping", "/remove"):
        assert stranger.post(f"{where(shop)}{action}", {"rules": "{}", "do": "save"}).status_code == 404
    assert stranger.post(f"/connections/{shop.destination_id}/routes").status_code == 404

import re

import pytest
from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.store import Store, accounts, connections, deliveries, now
from hub.web.idempotent_form import once

MARKED = "whsec_" + "c2VjcmV0LW9mLXRlc3RzLW9ubHk="


def those(store: Store, workspace_id: str, role: str) -> list[str]:
    with store.read() as tx:
        return [row["name"] for row in connections.connections_of(tx, workspace_id, role)]


def add(visitor: Visitor, role: str, slug: str, answers: dict[str, object]) -> str:
    page = visitor.get(f"/connections/new/{role}/{slug}")
    found = re.search(r'name="once" value="([^"]+)"', page.text)
    assert found
    answer = visitor.post(f"/connections/new/{role}/{slug}", {"once": found[1], **answers})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def test_the_grid_offers_every_connector_with_its_picture_and_what_it_is_good_for(owner: Visitor) -> None:
    page = owner.get("/connections/new/source").text
    assert "/connections/new/source/thinkific" in page
    assert "/connectors/thinkific/logo.svg" in page
    assert "/connections/new/source/slack" not in page
    assert "/connections/new/destination/slack" in owner.get("/connections/new/destination").text


def test_a_connector_is_found_by_a_part_of_its_name(owner: Visitor) -> None:
    page = owner.get("/connections/new/destination?q=sALESf").text
    assert "/connections/new/destination/salesforce" in page
    assert "/connections/new/destination/slack" not in page
    assert "None of them is called that" in owner.get("/connections/new/destination?q=%3Cb%3E").text


def test_a_connectors_picture_can_do_nothing_but_be_seen(owner: Visitor) -> None:
    answer = owner.get("/connectors/pixel/logo.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert owner.get("/connectors/nothing/logo.svg").status_code == 404


def test_a_new_source_shows_the_address_to_paste_and_where(owner: Visitor, store: Store, shop: Shop) -> None:
    address = add(owner, "source", "thinkific", {"name": "School", "set.secret": "shh-thinkific"})
    page = owner.get(address).text
    with store.read() as tx:
        row = next(row for row in connections.connections_of(tx, shop.workspace_id) if row["name"] == "School")
    assert f"http://127.0.0.1:8000/in/{row['address']}" in page
    assert "Where to paste it" in page
    assert "shh-thinkific" not in page
    assert "One is stored, encrypted." in page


def test_the_button_pressed_twice_connects_once(owner: Visitor, store: Store, shop: Shop) -> None:
    page = owner.get("/connections/new/source/pixel").text
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    answers = {"once": found[1], "name": "Second page"}
    first = owner.post("/connections/new/source/pixel", answers)
    second = owner.post("/connections/new/source/pixel", answers)
    assert first.headers["Location"] == second.headers["Location"]
    assert those(store, shop.workspace_id, "source") == ["Pixel", "Second page"]


def test_a_form_that_failed_can_be_sent_again() -> None:
    def fail() -> str:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        once("a form", fail)
    assert once("a form", lambda: "made") == "made"
    assert once("a form", lambda: "made again") == "made"


def test_settings_that_do_not_fit_are_named_and_nothing_is_lost(owner: Visitor, store: Store, shop: Shop) -> None:
    page = owner.get("/connections/new/destination/webhook", headers={"Accept-Language": "fr"})
    assert page.status_code == 200
    answer = owner.post("/connections/new/destination/webhook", {"name": "Ours", "set.url": "not an address"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'value="not an address"' in answer.text
    assert 'value="Ours"' in answer.text
    assert those(store, shop.workspace_id, "destination") == ["Hook"]


def test_an_empty_secret_keeps_the_stored_one_and_a_new_one_stands_beside_it(
    owner: Visitor, store: Store, shop: Shop
) -> None:
    from hub.connecting.connected import open_connection

    where = add(owner, "source", "stripe", {"name": "Stripe", "set.secret": "whsec_one"}).partition("?")[0]

    def secrets() -> list[str]:
        with store.read() as tx:
            row = connections.get_connection(tx, where.rpartition("/")[2])
        assert row is not None
        return list(open_connection(row).settings["secret"])

    base = {"name": "Stripe", "set.purchase_events": "checkout", "set.mode": "both", "set.tolerance": "300"}
    owner.post(where, base | {"set.secret": ""})
    assert secrets() == ["whsec_one"]
    owner.post(where, base | {"set.secret": "whsec_two", "set.secret.keep": "on"})
    assert secrets() == ["whsec_two", "whsec_one"]
    owner.post(where, base | {"set.secret": "whsec_three"})
    assert secrets() == ["whsec_three"]


def test_a_table_is_filled_in_without_scripts(owner: Visitor, store: Store, shop: Shop) -> None:
    answers = {
        "name": "Own shop",
        "set.scheme": "secret_address",
        "set.stage": "purchase",
        "set.paths.left": ["email", "order_id", ""],
        "set.paths.right": ["customer.mail", "number", ""],
    }
    where = add(owner, "source", "webhook", answers)
    with store.read() as tx:
        row = next(row for row in connections.connections_of(tx, shop.workspace_id) if row["name"] == "Own shop")
    assert row["settings"]["paths"] == {"email": "customer.mail", "order_id": "number"}
    assert 'value="customer.mail"' in owner.get(where).text


def test_a_pixels_page_builds_the_code_for_the_chosen_platform(owner: Visitor, shop: Shop) -> None:
    page = owner.get(f"/connections/{shop.source_id}?built=1&set.platform=thinkific&set.webinars=12").text
    assert "{{total_price}}" in page
    assert "webinarId=12" in page
    assert "http://127.0.0.1:8000/v1/conversion/pixel/" in page


def test_pausing_and_resuming_a_destination_wakes_its_lane(
    owner: Visitor, shop: Shop, store: Store, woken: list[tuple[str, str, str]]
) -> None:
    where = f"/connections/{shop.destination_id}"
    owner.post(f"{where}/pause")
    assert "Paused" in owner.get(where).text
    shop.hit()
    owner.post(f"{where}/resume")
    page = owner.get(where).text
    assert "Working again." in page
    assert ("lanes", "deliver", shop.destination_id) in woken


def test_removing_shows_what_goes_before_it_goes(owner: Visitor, shop: Shop, store: Store) -> None:
    shop.hit()
    page = owner.get(f"/connections/{shop.destination_id}/remove").text
    assert "1 waiting delivery will not be sent." in page
    assert "1 route and its mapping go with it." in page
    assert those(store, shop.workspace_id, "destination") == ["Hook"]
    owner.post(f"/connections/{shop.destination_id}/remove")
    assert those(store, shop.workspace_id, "destination") == []
    assert [row["state"] for row in shop.deliveries] == [deliveries.NOT_SENT]


def test_another_workspaces_connections_do_not_exist_here(app: Flask, shop: Shop, store: Store) -> None:
    with store.write() as tx:
        other = accounts.add_workspace(tx, now(), name="Other")
    stranger = member(app, other, email="stranger@example.com")
    for path in ("", "/remove"):
        assert stranger.get(f"/connections/{shop.source_id}{path}").status_code == 404
    for action in ("pause", "resume", "remove", "check", "test"):
        assert stranger.post(f"/connections/{shop.source_id}/{action}").status_code == 404
    assert "Pixel" not in stranger.get("/connections").text


def test_a_check_that_fails_says_why_in_the_readers_language(owner: Visitor) -> None:
    where = add(owner, "destination", "webhook", {"name": "Down", "set.url": "http://127.0.0.1:9/hook"}).partition("?")[
        0
    ]
    owner.post("/language", {"language": "fr"})
    owner.post(f"{where}/test")
    assert "La destination n&#39;accepte pas" in owner.get(where).text


def test_a_test_goes_out_marked_as_one_and_is_counted_nowhere(owner: Visitor, shop: Shop) -> None:
    from journey.world import LocalReceiver

    receiver = LocalReceiver()
    where = add(owner, "destination", "webhook", {"name": "Up", "set.url": f"{receiver.url}/x"}).partition("?")[0]
    owner.post(f"{where}/test")
    assert "took the test" in owner.get(where).text
    assert [body["data"]["test"] for body in receiver.bodies()] == [True]
    assert shop.conversions == []
    receiver.close()


def test_a_second_shop_is_kept_apart_unless_its_owner_joins_them(owner: Visitor, store: Store, shop: Shop) -> None:
    add(owner, "source", "shopify", {"name": "Paris"})
    offered = owner.get("/connections/new/source/shopify").text
    assert '<option value="own" selected>Orders of its own</option>' in offered
    assert "The same orders as Pixel, Paris" in offered
    second = add(owner, "source", "shopify", {"name": "Lyon"}).partition("?")[0]
    page = owner.get(second).text
    assert '<option value="own" selected>' in page
    beside = owner.get("/connections/new/source/pixel").text
    assert "The same orders as Lyon" in beside
    owner.post(second, {"name": "Lyon", "same_orders_as": "common"})
    assert '<option value="common" selected>The same orders as Pixel, Paris</option>' in owner.get(second).text
    with store.read() as tx:
        assert {row["order_scope"] for row in connections.connections_of(tx, shop.workspace_id, "source")} == {""}
    assert (
        "Choose another source of this workspace" in owner.post(second, {"name": "L", "same_orders_as": "nobody"}).text
    )


def test_saving_its_name_alone_changes_no_order_numbers(owner: Visitor, store: Store, shop: Shop) -> None:
    add(owner, "source", "shopify", {"name": "Paris"})
    second = add(owner, "source", "shopify", {"name": "Lyon"}).partition("?")[0]
    owner.post(second, {"name": "Lyon 2", "same_orders_as": "own"})
    owner.post(second, {"name": "Lyon 3"})
    with store.read() as tx:
        scopes = [row["order_scope"] for row in connections.connections_of(tx, shop.workspace_id, "source")]
    assert scopes[:2] == ["", ""]
    assert scopes[2].startswith("#")

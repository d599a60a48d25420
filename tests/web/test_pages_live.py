import re

from flask import Flask
from shop import SALE, Shop
from visitors import Visitor, member

from hub.report import arrivals
from hub.report.arrivals import Filters
from hub.store import Store, accounts, now

ROW = re.compile(r'class="live-row" href="/live/([^"]+)"')


def test_before_anything_is_connected_the_page_says_what_to_do(app: Flask, store: Store) -> None:
    with store.write() as tx:
        empty = accounts.add_workspace(tx, now(), name="Empty")
    page = member(app, empty).get("/live").text
    assert "Nothing can come in yet: no source is connected." in page


def test_before_the_first_message_the_page_shows_the_address_to_call(owner: Visitor) -> None:
    page = owner.get("/live").text
    assert "Waiting for the first message" in page
    assert "/v1/conversion/pixel/" in page
    assert "curl" in page


def test_each_message_is_one_line_with_its_verdict_in_words_newest_first(owner: Visitor, shop: Shop) -> None:
    first = shop.hit()
    second = shop.hit("email={{email}}&amount=5&currency=EUR")
    page = owner.get("/live").text
    assert ROW.findall(page) == [second, first]
    assert "2 messages today: 1 needs you." in page
    for words in ("Recorded", "Set aside", "Placeholder not replaced", "€49.99", "by anna@example.com", "order 1001"):
        assert words in page


def test_the_list_is_the_same_in_french(owner: Visitor, shop: Shop) -> None:
    shop.hit()
    owner.post("/language", {"language": "fr"})
    page = owner.get("/live").text
    for words in ("1 message aujourd", "Enregistré", "49,99\u00a0€", "par anna@example.com", "Commande ajoutée"):
        assert words in page


def test_filters_stand_in_the_address_bar(owner: Visitor, shop: Shop) -> None:
    sale = shop.hit()
    lead = shop.hit("email=paul%40example.com&orderId=7&stage=lead")
    parked = shop.hit("email={{email}}&amount=5&currency=EUR")

    def found(query: str) -> list[str]:
        return ROW.findall(owner.get(f"/live?{query}").text)

    assert found("state=parked") == [parked]
    assert found("stage=lead") == [lead]
    assert found("person=ANNA@example.com") == [sale]
    assert found(f"source={shop.source_id}") == [parked, lead, sale]
    assert found("stage=lead&person=anna@example.com") == []
    assert "No message fits this filter." in owner.get("/live?stage=add_to_cart").text


def test_a_page_holds_fifty_and_leads_to_the_older_ones(owner: Visitor, shop: Shop) -> None:
    ids = [shop.hit(f"email=p{number}%40example.com&orderId={number}") for number in range(60)]
    first = owner.get("/live").text
    assert ROW.findall(first) == list(reversed(ids))[:50]
    older = re.search(r'href="(/live\?before=[^"]+)"', first)
    assert older
    second = owner.get(older[1]).text
    assert ROW.findall(second) == list(reversed(ids))[50:]
    assert "Older messages" not in second
    assert "hx-get" not in second


def test_a_rare_filter_looks_through_all_that_came(owner: Visitor, shop: Shop, store: Store) -> None:
    wanted = shop.hit("email=anna%40example.com&orderId=1&stage=lead")
    for number in range(12):
        shop.hit(f"email=p{number}%40example.com&orderId=x{number}")
    with store.read() as tx:
        found, older = arrivals.latest(tx, shop.workspace_id, Filters(stage="lead"), limit=5)
    assert [each.row["id"] for each in found] == [wanted]
    assert older == ""


def test_the_list_refreshes_itself_with_its_filters(owner: Visitor, shop: Shop) -> None:
    page = owner.get("/live?stage=purchase").text
    assert 'hx-get="/live/rows?stage=purchase" hx-trigger="every 3s"' in page
    sale = shop.hit(SALE)
    rows = owner.get("/live/rows?stage=purchase")
    assert ROW.findall(rows.text) == [sale]
    assert "<html" not in rows.text
    assert 'id="sentence" hx-swap-oob="true"' in rows.text


def test_when_the_session_ended_the_list_leads_to_the_login(anyone: Visitor, shop: Shop, owner: Visitor) -> None:
    answer = anyone.get("/live/rows", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_another_workspaces_messages_are_not_shown(app: Flask, shop: Shop, store: Store) -> None:
    message_id = shop.hit()
    with store.write() as tx:
        other = accounts.add_workspace(tx, now(), name="Other")
    stranger = member(app, other, email="stranger@example.com")
    assert ROW.findall(stranger.get("/live").text) == []
    assert stranger.get(f"/live/{message_id}").status_code == 404
    assert stranger.post(f"/live/{message_id}/replay").status_code == 404
    assert stranger.post(f"/live/{message_id}/deliveries").status_code == 404

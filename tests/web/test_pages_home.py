from datetime import UTC, datetime

from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.report import today
from hub.store import Store, accounts, connections, now


def test_an_empty_hub_opens_with_four_steps(app: Flask, store: Store) -> None:
    with store.write() as tx:
        empty = accounts.add_workspace(tx, now(), name="Empty")
    page = member(app, empty).get("/").text
    assert "Nothing has come in yet: four steps to your first sale." in page
    for step in (
        "Connect where you are paid",
        "Paste the pixel",
        "Send a test sale",
        "Connect where results should go",
    ):
        assert step in page
    assert "step-done" not in page


def test_steps_tick_themselves_when_real_traffic_is_seen(owner: Visitor, shop: Shop) -> None:
    assert owner.get("/").text.count("step-done") == 0
    shop.hit()
    assert owner.get("/").text.count("step-done") == 1
    shop.hit("email=t%40example.com&orderId=T1&amount=5&currency=EUR&test=1")
    assert owner.get("/").text.count("step-done") == 2


def test_the_first_line_is_a_sentence_with_numbers(owner: Visitor, shop: Shop) -> None:
    shop.hit()
    shop.hit("email=paul%40example.com&orderId=2&amount=10&currency=USD")
    assert "2 sales today, €49.99 + $10.00," in " ".join(owner.get("/").text.split())
    assert "2 deliveries on their way." in owner.get("/").text
    shop.fail(shop.deliveries[0]["id"])
    assert "1 delivery needs you." in owner.get("/").text
    owner.post("/language", {"language": "fr"})
    assert "2 ventes aujourd'hui," in owner.get("/").text
    assert "49,99\u00a0€ + 10,00\u00a0$US" in owner.get("/").text


def test_tests_are_counted_nowhere(owner: Visitor, shop: Shop) -> None:
    shop.hit("email=t%40example.com&orderId=T1&amount=777&currency=EUR&test=1")
    page = owner.get("/").text
    assert "0 sales today" in page
    assert "777" not in page


def test_a_paused_connection_asks_for_somebody(owner: Visitor, shop: Shop, store: Store) -> None:
    assert "card-needs" not in owner.get("/").text
    with store.write() as tx:
        connections.set_state(tx, shop.destination_id, now(), connections.NEEDS_YOU, "credentials_refused")
    page = owner.get("/").text
    assert "card-needs" in page
    assert "The destination refused our credentials. Enter a new key, then resume." in page


def test_a_day_begins_at_midnight_of_the_workspace() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert today.midnight(late, "Europe/Paris") == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    assert today.midnight(late, "America/New_York") == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
    assert today.week_before(datetime(2026, 10, 27, 12, tzinfo=UTC), "Europe/Paris") == datetime(
        2026, 10, 20, 22, 0, tzinfo=UTC
    )  # summer time ended on the 25th

import re

from shop import Shop
from visitors import Visitor

from hub.steer import routes
from hub.store import deliveries, inbound, now


def test_a_sale_is_told_from_the_raw_message_to_the_destinations_answer(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit(headers={"user-agent": "Firefox"})
    shop.fail(shop.deliveries[0]["id"])
    page = owner.get(f"/live/{message_id}").text
    steps = ["Received", "Verified", "Read as", "Order and contact", "Hook"]
    places = [page.index(f"<h2>{step}</h2>") for step in steps]
    assert places == sorted(places)
    for words in (
        "Purchase €49.99, taken by 0 of 1 destination.",
        "email=anna%40example.com",
        "Claimed: anyone could have sent it",
        "spring-launch",
        "order 1001",
        "recognized by the e-mail",
        "Refused by the destination for good",
        "no such field",
        "POST https://example.com/hook",
        "Answer 422",
        "12 ms",
        "Firefox",
    ):
        assert words in page


def test_the_same_story_in_french(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    owner.post("/language", {"language": "fr"})
    page = owner.get(f"/live/{message_id}").text
    for words in ("Reçu", "Vérifié", "Lu comme", "Commande et contact", "livrée à 0 sur 1.", "49,99\u00a0€", "Relire"):
        assert words in page


def test_a_message_that_was_set_aside_says_why_and_what_to_do(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit("email={{email}}&amount=5&currency=EUR")
    page = owner.get(f"/live/{message_id}").text
    assert "0 conversions came of it." in page
    assert "Placeholder not replaced" in page
    assert "use the syntax of your checkout" in page
    assert "{{email}}" in page


def test_reading_a_message_again_wakes_the_reader(
    owner: Visitor, shop: Shop, woken: list[tuple[str, str, str]]
) -> None:
    message_id = shop.hit("email={{email}}&amount=5&currency=EUR")
    answer = owner.post(f"/live/{message_id}/replay")
    assert answer.headers["Location"] == f"/live/{message_id}"
    assert shop.message(message_id)["state"] == inbound.RECEIVED
    assert woken == [("reading", "read_messages", shop.workspace_id)]


def test_one_delivery_is_sent_again_with_the_mapping_asked_for(
    owner: Visitor, shop: Shop, woken: list[tuple[str, str, str]]
) -> None:
    message_id = shop.hit()
    delivery_id = shop.deliveries[0]["id"]
    shop.fail(delivery_id)
    used = shop.deliveries[0]["mapping_id"]
    page = owner.get(f"/live/{message_id}").text
    assert "Send the 1 failed delivery again" in page
    owner.post(f"/live/{message_id}/deliveries", {"delivery": delivery_id, "mapping": "old"})
    row = shop.deliveries[0]
    assert (row["state"], row["mapping_id"]) == (deliveries.WAITING, used)
    assert woken == [("lanes", "deliver", shop.destination_id)]


def test_all_failed_deliveries_of_a_message_are_sent_again_at_once(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    shop.fail(shop.deliveries[0]["id"])
    for _ in range(2):
        owner.post(f"/live/{message_id}/deliveries", {"mapping": "new"})
    row = shop.deliveries[0]
    assert (row["state"], row["mapping_id"]) == (deliveries.WAITING, None)
    assert "1 delivery is sent again" in owner.get(f"/live/{message_id}").text


def test_a_delivery_of_another_message_is_not_sent_from_here(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    other = shop.deliveries[0]["id"]
    shop.fail(other)
    second = shop.hit("email=paul%40example.com&orderId=2&amount=5&currency=EUR")
    owner.post(f"/live/{second}/deliveries", {"delivery": other})
    assert {row["id"]: row["state"] for row in shop.deliveries}[other] == deliveries.FAILED
    assert message_id != second


def test_times_are_in_the_workspaces_zone_with_utc_on_hover(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    page = owner.get(f"/live/{message_id}").text
    assert re.search(r'<time datetime="[^"]+\+00:00" title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC">', page)


def test_a_body_is_shown_with_every_digit_as_it_was_sent(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit(body=b'{"amount": 49.990, "id": 12345678901234567890, "exponent": 1e3, "text": "5"}')
    page = owner.get(f"/live/{message_id}").text
    for digits in ("49.990", "12345678901234567890", "1e3"):
        assert re.search(rf": {re.escape(digits)}\b", page)
    assert "&#34;text&#34;: &#34;5&#34;" in page


def test_sending_again_names_the_rule_that_holds_back_and_lets_a_person_override_it(owner: Visitor, shop: Shop) -> None:
    with shop.store.write() as tx:
        routes.change(tx, now(), shop.route["id"], filter={"path": "value", "op": "greater", "value": "100"})
    message_id = shop.hit()
    (delivery,) = shop.deliveries
    page = owner.get(f"/live/{message_id}").text
    assert "Send it although a rule holds it back" in page
    assert 'name="override" value="filter"' in page
    owner.post(f"/live/{message_id}/deliveries", {"delivery": delivery["id"], "mapping": "new"})
    assert "Not sent to Hook: Filtered by your rule." in owner.get(f"/live/{message_id}").text
    owner.post("/language", {"language": "fr"})
    without_why = {"delivery": delivery["id"], "override": "filter", "why": ""}
    owner.post(f"/live/{message_id}/deliveries", without_why)
    assert "Dites pourquoi la règle ne compte pas cette fois" in owner.get(f"/live/{message_id}").text
    assert shop.deliveries[0]["state"] == deliveries.NOT_SENT
    owner.post(f"/live/{message_id}/deliveries", without_why | {"why": "<b>convenu</b>"})
    assert shop.deliveries[0]["state"] == deliveries.WAITING
    page = owner.get(f"/live/{message_id}").text
    assert "a écarté une règle pour cet envoi : le filtre de la route." in page
    assert "&lt;b&gt;convenu&lt;/b&gt;" in page


def test_a_delivery_that_no_rule_holds_back_offers_no_override(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    shop.fail(shop.deliveries[0]["id"])
    assert "override" not in owner.get(f"/live/{message_id}").text

"""What happened, read through the API."""

from __future__ import annotations

from calling import Caller
from shop import SALE


def test_a_sale_is_read_with_money_as_text_and_times_in_utc(call: Caller) -> None:
    call.hit()
    (conversion,) = call.get("/conversions")["items"]
    assert conversion["value"] == "49.99"
    assert conversion["occurred_at"].endswith("Z")
    assert call.get(f"/conversions/{conversion['id']}")["data"]["contact"]["email"] == "anna@example.com"
    order = call.get(f"/orders/{conversion['order_id']}")
    assert (order["display_id"], order["gross"], order["net"], order["currency"]) == ("1001", "49.99", "49.99", "EUR")
    assert [(line["kind"], line["amount"]) for line in order["ledger"]] == [("gross", "49.99")]
    assert order["names"] == ["1001"]
    contact = call.get(f"/contacts/{conversion['contact_id']}")
    assert contact["lifetime"][0]["net"] == "49.99"
    assert {"email": "anna@example.com"}.items() <= {one["type"]: one["value"] for one in contact["identities"]}.items()


def test_a_delivery_is_read_with_every_try(call: Caller) -> None:
    call.hit()
    call.fail(call.deliveries[0]["id"])
    (delivery,) = call.get("/deliveries?state=failed")["items"]
    whole = call.get(f"/deliveries/{delivery['id']}")
    assert whole["attempts"][0]["calls"][0]["reply"]["status"] == 422
    assert call.get("/deliveries?state=delivered")["items"] == []
    assert call.get(f"/deliveries?connection_id={call.destination_id}")["items"] == [delivery]


def test_a_message_is_read_with_all_that_followed(call: Caller) -> None:
    message = call.hit()
    told = call.get(f"/inbound/{message}")
    assert told["conversions"][0]["value"] == "49.99"
    assert told["orders"][0]["sums"] == {"EUR": "49.99"}
    assert call.get(f"/conversions/{told['conversions'][0]['id']}/timeline")["messages"][0]["message"]["id"] == message


def test_pages_hold_each_row_once_newest_first(call: Caller) -> None:
    for number in range(5):
        call.hit(SALE.replace("1001", str(2000 + number)))
    for noun in ("conversions", "orders", "inbound", "deliveries"):
        seen, before = [], ""
        for _ in range(4):
            page = call.get(f"/{noun}?limit=2{before}")
            seen += [row["id"] for row in page["items"]]
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        assert len(seen) == 5, noun
        assert seen == sorted(set(seen), reverse=True), noun


def test_conversions_are_filtered(call: Caller) -> None:
    call.hit()
    call.hit("email=bob%40example.com&stage=ViewContent")
    assert [one["stage"] for one in call.get("/conversions?stage=view_content")["items"]] == ["view_content"]
    assert call.get("/conversions?since=2090-01-01T00:00:00Z")["items"] == []
    assert len(call.get("/conversions?since=2020-01-01")["items"]) == 2
    assert [one["email"] for one in call.get("/contacts?email=BOB@example.com")["items"]] == ["bob@example.com"]


def test_the_connectors_tell_the_forms_of_their_settings(call: Caller) -> None:
    slugs = {entry["slug"] for entry in call.get("/connectors")}
    assert {"pixel", "webhook"} <= slugs
    forms = call.get("/connectors/webhook?language=fr")["forms"]
    assert {"source", "destination"} >= set(forms)
    assert forms["destination"][0]["label"] == "Adresse"
    assert call("GET", "/connectors/nothing").status_code == 404

"""Subscriptions, as docs/zapier.md promises them to Zapier, Make and n8n."""

from __future__ import annotations

from typing import Any

import pytest
from calling import Caller
from shop import SALE

from hub.connecting.connected import open_connection
from hub.mapping.filters import apply_filter
from hub.run.reader import read_messages
from hub.steer import connections
from hub.store import routes

TARGET = "https://hooks.example.com/catch/1/abc"


def subscribed(call: Caller, filters: dict[str, Any]) -> Any:
    answer = call("POST", "/hooks", {"target_url": TARGET, "event": "conversion", "filters": filters})
    assert answer.status_code == 201
    hook_id = answer.get_json()["id"]
    with call.store.read() as tx:
        (route,) = routes.routes_of(tx, call.workspace_id, connection_id=hook_id)
    return route


def test_a_subscription_is_a_destination_at_that_address(call: Caller) -> None:
    hook_id = subscribed(call, {})["connection_id"]
    with call.store.read() as tx:
        connected = open_connection(connections.get(tx, hook_id))
    assert connected.destination.subscribes
    assert TARGET in connected.settings.values()
    assert TARGET not in str(call.get(f"/connections/{hook_id}"))


def test_a_subscription_is_ended_also_when_it_is_not_known_any_more(call: Caller) -> None:
    hook_id = subscribed(call, {})["connection_id"]
    for _ in range(2):
        assert call("DELETE", f"/hooks/{hook_id}").status_code == 204
    assert call("GET", f"/connections/{hook_id}").status_code == 404


def test_ending_a_subscription_touches_no_other_connection(call: Caller, stranger: Caller) -> None:
    hook_id = subscribed(call, {})["connection_id"]
    assert call("DELETE", f"/hooks/{call.destination_id}").status_code == 204
    assert call("DELETE", f"/hooks/{call.source_id}").status_code == 204
    assert stranger("DELETE", f"/hooks/{hook_id}").status_code == 204
    assert len(call.get("/connections")) == 3


def test_filters_become_the_stages_and_the_filter_of_the_route(call: Caller) -> None:
    route = subscribed(call, {"stages": ["purchase", "refund"], "offers": ["spring-launch"], "campaigns": ["3"]})
    assert route["stages"] == ["purchase"]
    assert set(route["kinds"]) == {"conversion", "refund"}
    passing = {"offer": "spring-launch", "campaigns": {"ids": ["3"], "tags": []}}
    assert apply_filter(route["filter"], passing)
    assert not apply_filter(route["filter"], passing | {"offer": "other"})
    assert not apply_filter(route["filter"], passing | {"campaigns": {"ids": ["4"], "tags": []}})


def test_a_filter_on_refunds_alone_lets_no_purchase_through(call: Caller) -> None:
    assert subscribed(call, {"stages": ["refund"]})["kinds"] == ["refund"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target_url": "ftp://example.com"}, "target_url"),
        ({"target_url": "http://["}, "target_url"),
        ({}, "target_url"),
        ({"target_url": TARGET, "filters": {"stages": ["bought"]}}, "filters"),
        ({"target_url": TARGET, "filters": {"stages": "purchase"}}, "filters"),
        ({"target_url": TARGET, "filters": {"color": ["red"]}}, "filters"),
    ],
)
def test_a_subscription_that_cannot_be_made_is_said_by_field(call: Caller, body: dict[str, Any], field: str) -> None:
    answer = call("POST", "/hooks", body)
    assert answer.status_code == 422
    assert list(answer.get_json()["error"]["fields"]) == [field]
    assert len(call.get("/connections")) == 2


def test_an_unknown_event_or_list_is_not_found(call: Caller) -> None:
    assert call("POST", "/hooks", {"target_url": TARGET, "event": "sunrise"}).status_code == 404
    for path in ("/samples/sunrise", "/fields/sunrise", "/options/sunrise"):
        assert call("GET", path).status_code == 404


def test_samples_are_the_newest_bodies_and_a_made_up_one_at_first(call: Caller) -> None:
    (made_up,) = call.get("/samples/conversion")
    assert made_up["value"] == 49.99
    for number in (1, 2, 3):
        call.hit(SALE.replace("1001", f"200{number}"))
    bodies = call.get("/samples/conversion?limit=2")
    assert [body["order_id"] for body in bodies] == ["2003", "2002"]
    newest = call.conversions[0]
    assert bodies[0]["id"] == f"{newest['event_id']}_purchase"
    assert bodies[0]["value_formatted"] == "49.99 EUR"


def test_every_key_of_a_sample_is_among_the_fields(call: Caller) -> None:
    call.hit()
    known = {field["key"]: field for field in call.get("/fields/conversion")}
    (body,) = call.get("/samples/conversion")
    items = body.pop("items", [])
    keys = set(body) | {f"items[]{name}" for item in items for name in item}
    assert keys <= set(known)
    assert {field["type"] for field in known.values()} <= {"string", "number", "integer", "boolean", "datetime"}
    assert known["stage"]["choices"][0] == "view_content"


def test_options_name_what_filters_may_be_chosen_from(call: Caller) -> None:
    call.hit()
    stages = [option["id"] for option in call.get("/options/stages")]
    assert "purchase" in stages
    assert "refund" in stages
    assert "conversion" not in stages
    assert call.get("/options/offers") == [{"id": "spring-launch", "name": "spring-launch"}]
    assert call.get("/options/campaigns") == [{"id": "3", "name": "3"}]


@pytest.mark.parametrize(
    ("address", "named", "connector"),
    [
        ("https://hooks.zapier.com/hooks/standard/1/a", "", "zapier"),
        ("https://hook.eu2.make.com/abc", "", "make"),
        ("https://shop.app.n8n.cloud/webhook/1", "", "n8n"),
        ("https://flows.example.com/webhook/1", "n8n", "n8n"),
        ("https://flows.example.com/webhook/1", "", "zapier"),
    ],
)
def test_who_subscribes_is_told_by_name_or_by_address(call: Caller, address: str, named: str, connector: str) -> None:
    answer = call("POST", "/hooks", {"target_url": address, "connector": named})
    assert answer.status_code == 201
    hook_id = answer.get_json()["id"]
    assert call.get(f"/connections/{hook_id}")["connector"] == connector
    assert call("DELETE", f"/hooks/{hook_id}").status_code == 204
    assert call("GET", f"/connections/{hook_id}").status_code == 404


def test_a_tool_that_cannot_subscribe_is_refused(call: Caller) -> None:
    answer = call("POST", "/hooks", {"target_url": TARGET, "connector": "stripe"})
    assert list(answer.get_json()["error"]["fields"]) == ["connector"]


def subscribed_to(call: Caller, event: str) -> str:
    answer = call("POST", "/hooks", {"target_url": TARGET, "event": event})
    assert answer.status_code == 201
    return str(answer.get_json()["id"])


def sent_to(call: Caller, hook_id: str) -> list[tuple[str, str]]:
    """(stage or kind, state) of each delivery to a subscriber."""
    known = {row["id"]: row["stage"] or row["kind"] for row in call.conversions}
    return sorted(
        (known[row["conversion_id"]], row["state"]) for row in call.deliveries if row["connection_id"] == hook_id
    )


def test_an_event_is_what_it_says(call: Caller) -> None:
    refunds, leads = subscribed_to(call, "refund"), subscribed_to(call, "lead")
    call.hit(SALE)
    for stage in ("refund", "lead", "dispute"):
        call("POST", "/conversions", {"stage": stage, "order_id": f"x-{stage}", "value": 5, "currency": "EUR"})
    read_messages(call.store, call.workspace_id, 10)
    assert sent_to(call, refunds) == [("dispute", "waiting"), ("refund", "waiting")]
    assert sent_to(call, leads) == [("lead", "waiting")]


def test_a_new_contact_is_told_once_and_stays_new_when_its_message_comes_again(call: Caller) -> None:
    call.hit(SALE)
    hook = subscribed_to(call, "contact")
    for body in (
        {"stage": "purchase", "email": "anna@example.com", "order_id": "77"},
        {"stage": "view_content", "email": "new@example.com", "event_id": "1"},
        {"stage": "purchase", "email": "new@example.com", "order_id": "88"},
        {"stage": "view_content", "email": "new@example.com", "event_id": "2", "value": 3, "currency": "EUR"},
    ):
        call("POST", "/conversions", body)
        read_messages(call.store, call.workspace_id, 10)
    waiting = [stage for stage, state in sent_to(call, hook) if state == "waiting"]
    assert waiting == ["view_content"]


@pytest.mark.parametrize(("event", "key", "value"), [("refund", "kind", "refund"), ("lead", "stage", "lead")])
def test_before_anything_happened_samples_are_of_their_event(call: Caller, event: str, key: str, value: str) -> None:
    (body,) = call.get(f"/samples/{event}")
    assert body[key] == value
    assert body["id"].endswith(f"_{value}")


def test_an_event_that_says_its_stages_takes_no_others(call: Caller) -> None:
    answer = call("POST", "/hooks", {"target_url": TARGET, "event": "lead", "filters": {"stages": ["purchase"]}})
    assert list(answer.get_json()["error"]["fields"]) == ["filters"]

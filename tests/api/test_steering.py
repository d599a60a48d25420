"""Setting things up and doing them again through the API."""

from __future__ import annotations

import pytest
from calling import Caller

from hub.contract.errors import BadCredentials
from hub.steer import connections as steer
from hub.steer import routes
from hub.store import now


def test_a_connection_lives_from_making_to_removal(call: Caller) -> None:
    body = {"connector": "webhook", "role": "destination", "name": "CRM", "settings": {"url": "https://example.com/a"}}
    made = call("POST", "/connections", body)
    assert made.status_code == 201
    path = f"/connections/{made.get_json()['id']}"
    assert made.get_json()["settings"]["secret"] == "***"
    changed = call("PATCH", path, {"name": "New", "settings": {"url": "https://example.com/b"}}).get_json()
    assert (changed["name"], changed["settings"]["url"]) == ("New", "https://example.com/b")
    assert call("POST", f"{path}/pause").get_json()["state"] == "paused"
    assert call("POST", f"{path}/resume").get_json()["state"] == "active"
    assert ("lanes", "deliver", made.get_json()["id"]) in call.hub.woken
    assert [one["name"] for one in call.get("/connections?role=destination")] == ["Hook", "New"]
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404


def test_settings_that_do_not_fit_are_said_by_field(call: Caller) -> None:
    answer = call("POST", "/connections", {"connector": "webhook", "role": "destination", "settings": {"url": "x"}})
    assert answer.status_code == 422
    assert list(answer.get_json()["error"]["fields"]) == ["url"]


def test_a_check_tells_what_the_other_side_said(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/connections/{call.destination_id}/check"

    def refuse(_: object) -> str:
        raise BadCredentials("The destination refused our credentials (401). Enter a new key, then resume.")

    monkeypatch.setattr(steer, "check", refuse)
    answer = call("POST", path)
    assert (answer.status_code, answer.get_json()["ok"]) == (200, False)
    assert "Enter a new key" in answer.get_json()["message"]
    monkeypatch.setattr(steer, "check", lambda _: "All is well.")
    assert call("POST", path).get_json() == {"ok": True, "message": "All is well."}


def test_a_destination_tells_its_fields_and_a_source_has_none(call: Caller) -> None:
    fields = call.get(f"/connections/{call.destination_id}/fields")
    assert {"key": "id", "label": "Conversion id", "type": "text", "required": True, "group": ""} in fields
    assert call("GET", f"/connections/{call.source_id}/fields").status_code == 404


def test_a_route_and_its_mapping_are_changed_and_tried(call: Caller) -> None:
    call.hit()
    made = call(
        "POST", "/routes", {"connection_id": call.destination_id, "name": "Leads", "stages": ["lead"]}
    ).get_json()
    path = f"/routes/{made['id']}"
    assert made["stages"] == ["lead"]
    assert call("PATCH", path, {"stages": ["purchase"], "filter": {}}).get_json()["stages"] == ["purchase"]
    rules = {"id": {"from": "event_id"}, "mail": {"from": "contact.email"}}
    difference = call("POST", f"{path}/difference", {"rules": rules}).get_json()
    assert difference["tried"] == 1
    assert difference["changed"][0]["fields"]["mail"] == [None, "anna@example.com"]
    preview = call("POST", f"{path}/preview", {"rules": rules}).get_json()
    assert preview["calls"][0]["body"]["data"]["mail"] == "anna@example.com"
    assert call("POST", f"{path}/mappings", {"rules": rules}).get_json() == {"version": 2}
    assert [one["version"] for one in call.get(f"{path}/mappings")] == [2, 1]
    assert len(call.get(f"/routes?connection_id={call.destination_id}")) == 2
    assert call("DELETE", path).status_code == 204


def test_a_malformed_mapping_is_said_by_place(call: Caller) -> None:
    answer = call("POST", f"/routes/{call.route['id']}/mappings", {"rules": {"mail": {"form": "contact.email"}}})
    assert answer.status_code == 422
    assert any(place.startswith("mail") for place in answer.get_json()["error"]["fields"])


def test_a_replay_counts_what_it_took_and_wakes_who_must_work(call: Caller) -> None:
    message = call.hit()
    call.fail(call.deliveries[0]["id"])
    assert call("POST", "/replay/inbound", {"ids": [message]}).get_json() == {"replayed": 1}
    assert ("reading", "read_messages", call.workspace_id) in call.hub.woken
    assert call("POST", "/replay/failed", {}).get_json() == {"replayed": 1, "held_back": []}
    assert call.deliveries[0]["state"] == "waiting"
    body = {"ids": [call.deliveries[0]["id"]], "mapping": "old"}
    assert call("POST", "/replay/deliveries", body).get_json() == {"replayed": 1, "held_back": []}
    assert ("lanes", "deliver", call.destination_id) in call.hub.woken
    assert call("POST", "/replay/failed", {"connection_id": "nothing"}).status_code == 404
    assert call("POST", "/replay/inbound", {"ids": []}).status_code == 422


def test_a_replay_names_the_rule_that_holds_back_and_takes_an_override_with_its_why(call: Caller) -> None:
    with call.store.write() as tx:
        routes.change(tx, now(), call.route["id"], filter={"path": "value", "op": "greater", "value": "100"})
    call.hit()
    body = {"ids": [call.deliveries[0]["id"]]}
    held = {"id": call.deliveries[0]["id"], "reason": "filtered_by_rule", "rule": "filter"}
    assert call("POST", "/replay/deliveries", body).get_json() == {"replayed": 0, "held_back": [held]}
    assert call("POST", "/replay/deliveries", body | {"override": "filter"}).status_code == 422
    assert call("POST", "/replay/deliveries", body | {"override": "all", "why": "as agreed"}).status_code == 422
    agreed = body | {"override": "filter", "why": "as agreed"}
    assert call("POST", "/replay/deliveries", agreed).get_json() == {"replayed": 1, "held_back": []}
    assert call.deliveries[0]["state"] == "waiting"

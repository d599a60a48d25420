"""Routes and mappings, and trying them out."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from shop import Shop

from hub.run.lanes import deliver
from hub.steer import connections
from hub.steer import routes as steer
from hub.steer.errors import Invalid, NotFound
from hub.store import Store, now, routes


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": ["bought"]}, "stages"),
        ({"stages": "purchase"}, "stages"),
        ({"kinds": []}, "kinds"),
        ({"trust": "everything"}, "trust"),
        ({"wait_minutes": -1}, "wait_minutes"),
        ({"wait_minutes": "soon"}, "wait_minutes"),
        ({"enabled": "yes"}, "enabled"),
        ({"name": " "}, "name"),
        ({"filter": {"all": [{"path": "value", "op": "like", "value": 1}]}}, "filter.all[0]"),
    ],
)
def test_what_cannot_be_used_is_said_by_field(shop: Shop, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised, shop.store.write() as tx:
        steer.change(tx, now(), shop.route["id"], **change)
    assert field in raised.value.messages
    assert raised.value.in_("fr")[field] != raised.value.messages[field]


def test_a_change_keeps_what_is_not_given(shop: Shop) -> None:
    before = shop.route
    with shop.store.write() as tx:
        steer.change(tx, now(), before["id"], stages=["lead", "purchase"], wait_minutes=30)
    after = shop.route
    assert after["stages"] == ["purchase", "lead"]
    assert after["wait_minutes"] == 30
    assert {name: after[name] for name in ("name", "kinds", "trust")} == {
        name: before[name] for name in ("name", "kinds", "trust")
    }


def test_a_saved_mapping_is_the_next_version_and_the_one_in_use(shop: Shop) -> None:
    with shop.store.write() as tx:
        assert steer.save_mapping(tx, now(), shop.route["id"], {"mail": {"from": "contact.email"}}, "anna") == 2
    with shop.store.read() as tx:
        assert steer.current_mapping(tx, shop.route)["rules"] == {"mail": {"from": "contact.email"}}
        assert [row["version"] for row in routes.mapping_versions(tx, shop.route["id"])] == [2, 1]


def test_a_malformed_mapping_is_refused_with_the_place_and_not_saved(shop: Shop) -> None:
    with pytest.raises(Invalid) as raised, shop.store.write() as tx:
        steer.save_mapping(tx, now(), shop.route["id"], {"mail": {"from": "contact.email", "do": ["shout"]}})
    assert "mail.do" in raised.value.messages
    with shop.store.read() as tx:
        assert len(routes.mapping_versions(tx, shop.route["id"])) == 1


def test_a_preview_shows_a_made_up_conversion_before_the_first_real_one(shop: Shop) -> None:
    with shop.store.read() as tx:
        found = steer.preview(tx, shop.route["id"])
    assert found["made_up"] is True
    assert found["problems"] == []
    assert found["calls"][0]["url"] == "https://example.com/hook"
    assert found["calls"][0]["headers"]["webhook-signature"] == "***"


def test_a_preview_shows_the_latest_conversions_with_what_the_books_know(shop: Shop) -> None:
    shop.hit()
    rules = {
        "id": {"value": "x"},
        "net": {"from": "order.net"},
        "mail": {"from": "contact.email"},
        "names": {"from": "campaign_names"},
    }
    with shop.store.read() as tx:
        found = steer.preview(tx, shop.route["id"], rules)
    assert found["made_up"] is False
    assert found["calls"][0]["body"]["data"] == {
        "id": "x",
        "net": "49.99",
        "mail": "anna@example.com",
        "names": ["3"],
    }


def test_a_preview_shows_exactly_what_is_then_sent(shop: Shop) -> None:
    received: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    shop.hit()
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with shop.store.write() as tx:
            url = f"http://127.0.0.1:{server.server_port}/hook"
            connections.change(tx, now(), shop.destination_id, settings={"url": url})
        with shop.store.read() as tx:
            shown = steer.preview(tx, shop.route["id"])
        deliver(shop.store, shop.destination_id, 5)
        server.shutdown()
    assert [row["state"] for row in shop.deliveries] == ["delivered"]
    assert received == [call["body"] for call in shown["calls"]]


def test_a_preview_shows_only_what_the_route_takes(shop: Shop) -> None:
    shop.hit()
    shop.hit("email=bob%40example.com&stage=ViewContent")
    with shop.store.write() as tx:
        steer.change(tx, now(), shop.route["id"], stages=["view_content"])
        found = steer.preview(tx, shop.route["id"], {"mail": {"from": "contact.email"}})
    assert [one["contact"]["email"] for one in found["conversions"]] == ["bob@example.com"]


def test_a_change_is_tried_on_real_conversions_before_it_is_saved(shop: Shop) -> None:
    shop.hit()
    with shop.store.write() as tx:
        steer.save_mapping(tx, now(), shop.route["id"], {"mail": {"from": "contact.email"}})
        found = steer.try_change(
            tx, shop.route["id"], {"mail": {"from": "contact.email", "do": ["upper"]}, "who": {"from": "contact.phone"}}
        )
    assert found.tried == 1
    assert found.changed[0].fields == {"mail": ("anna@example.com", "ANNA@EXAMPLE.COM")}


def test_a_removed_route_sends_nothing_more(shop: Shop) -> None:
    shop.hit()
    with shop.store.write() as tx:
        steer.remove(tx, now(), shop.route["id"])
    assert [(row["state"], row["reason"]) for row in shop.deliveries] == [("not_sent", "route_removed")]


def test_a_route_needs_a_destination_of_its_own_workspace(shop: Shop) -> None:
    other = Shop(shop.store, "Other")
    for target in (shop.source_id, other.destination_id, "nothing"):
        with pytest.raises(NotFound), shop.store.write() as tx:
            steer.add(tx, now(), shop.workspace_id, connection_id=target)
    with pytest.raises(NotFound), shop.store.read() as tx:
        steer.preview(tx, other.route["id"], workspace_id=shop.workspace_id)

"""Whatever strangers send is text on our pages, never part of them."""

import json

import pytest
from flask import Flask
from shop import Shop
from visitors import Visitor, member

from hub.store import Store, accounts, connections, inbound, new_id, now, routes
from hub.store import deliveries as outbox
from hub.store.attempts import ExchangeRow, Verdict

BAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture
def stuffed(shop: Shop, store: Store) -> Shop:
    """A shop with scripts in every text that people or senders can choose."""
    from urllib.parse import quote

    at, bad = now(), quote(BAD)
    query = (
        f"email=anna%40example.com&orderId={bad}&amount=5&currency=EUR&productName={bad}&productId={bad}&coupon={bad}"
    )
    shop.hit(
        f"{query}&offer={bad}&webinarId={bad}&tag={bad}&firstName={bad}&lastName={bad}&externalId={bad}&phone={bad}",
        headers={"user-agent": BAD, "referer": BAD, "x-<b>": BAD},
        body=json.dumps({BAD: [BAD]}).encode(),
        path=f"/{BAD}",
        remote_ip="<b>1</b>",
    )
    shop.hit(body=BAD.encode(), query="x=1", state=inbound.PARKED, reason="not_understood", detail=BAD)
    exchange = ExchangeRow(
        id=new_id(),
        connection_id=shop.destination_id,
        at=at,
        milliseconds=1,
        records=1,
        calls=[
            {
                "call": {"method": BAD, "url": BAD, "headers": {BAD: BAD}, "body": BAD},
                "reply": {"status": BAD, "headers": {BAD: BAD}, "body": BAD},
            }
        ],
    )
    verdict = Verdict(
        id=shop.deliveries[0]["id"],
        number=1,
        state=outbox.FAILED,
        reason=BAD[:40],
        detail=BAD,
        due_at=at,
        done_at=at,
        mapping_id=shop.route["mapping_id"],
        result="refused",
        exchange_id=exchange.id,
        ticket=None,
        ticket_at=None,
        uncounted=0,
    )
    with store.write() as tx:
        outbox.record(tx, at, [verdict], [exchange])
        for connection_id in (shop.source_id, shop.destination_id):
            connections.change_connection(tx, connection_id, at, name=BAD)
        connections.set_state(tx, shop.destination_id, at, connections.NEEDS_YOU, BAD[:40], BAD)
        routes.change_route(tx, shop.route["id"], at, name=BAD)
        routes.new_mapping(tx, at, shop.route["id"], {BAD: {"value": BAD}}, BAD)
        tx.execute(accounts.workspace.update().values(name=BAD))
    return shop


def test_scripts_in_any_field_stay_text_on_every_page(app: Flask, stuffed: Shop, store: Store) -> None:
    visitor = member(app, stuffed.workspace_id)
    with store.read() as tx:
        messages = [row["id"] for row in inbound.latest(tx, stuffed.workspace_id)]
    paths = [
        "/",
        "/live",
        "/live/rows",
        "/connections",
        f"/connections/{stuffed.source_id}",
        f"/connections/{stuffed.destination_id}",
        f"/connections/{stuffed.destination_id}/remove",
        f"/routes/{stuffed.route['id']}",
        *(f"/live/{message_id}" for message_id in messages),
    ]
    shown = 0
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
        assert "<b>1</b>" not in answer.text, path
        shown += answer.text.count("&lt;script&gt;alert(1)")
    assert shown > 40


def test_scripts_in_the_address_bar_and_in_forms_stay_text(owner: Visitor, shop: Shop) -> None:
    for name in ("source", "state", "stage", "person", "before"):
        assert "<script>alert" not in owner.get("/live", query_string={name: BAD}).text
    answers = [
        owner.post("/connections/new/destination/webhook", {"name": BAD, "set.url": BAD}),
        owner.post(f"/routes/{shop.route['id']}", {"name": BAD * 9, "trust": BAD, "wait_minutes": BAD}),
        owner.post(f"/routes/{shop.route['id']}/mapping", {"rules": json.dumps({BAD: {BAD: BAD}}), "do": "try"}),
        owner.post("/login", {"email": BAD, "password": BAD, "next": BAD}),
        owner.get(f"/{BAD}"),
    ]
    for answer in answers:
        assert answer.status_code in (401, 404, 422)
        assert "<script>alert" not in answer.text

"""Who unsubscribes in an e-mail tool is not written to by another, whatever arrives when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from journey.world import World, world
from sqlalchemy import select

from hub.store import Store, contacts, deliveries
from hub.store.base import Row
from hub.toolkit.signing import make_hmac

SECRET = "made_up_key"


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


def unsubscribe(hub: World, at: str, secret: str = SECRET) -> int:
    fields = {
        "type": "unsubscribe",
        "fired_at": at,
        "data[action]": "unsub",
        "data[reason]": "manual",
        "data[email]": "Anna@Example.com",
    }
    answer = hub.client.post(
        f"/in/{hub.source('mailchimp', secret=[SECRET])}?secret={secret}",
        data=urlencode(fields),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    return answer.status_code


def buy(hub: World, order_id: str, at: str, **rest: Any) -> None:
    sale = {
        "order_id": order_id,
        "email": "anna@example.com",
        "amount": "49.00",
        "currency": "EUR",
        "occurred_at": at,
        "event_id": f"e-{order_id}",
    }
    body = json.dumps(sale | rest).encode()
    headers = {"X-Signature": make_hmac(body, SECRET), "Content-Type": "application/json"}
    hub.client.post(
        f"/in/{hub.source('webhook', scheme='hmac_hex', header='X-Signature', secret=[SECRET])}",
        data=body,
        headers=headers,
    )


def consents(hub: World) -> list[tuple[str, bool]]:
    with hub.store.read() as tx:
        people = set(tx.scalars(select(contacts.contact.c.id)))
        return sorted((purpose, granted) for (_, purpose), granted in contacts.consents_of(tx, people).items())


def sent(hub: World) -> list[Row]:
    with hub.store.read() as tx:
        return list(tx.execute(select(deliveries.delivery)).mappings())


def test_an_opt_out_is_recorded_as_a_no_for_that_person(hub: World) -> None:
    assert unsubscribe(hub, "2026-11-20 10:00:00") == 200
    hub.work()
    assert consents(hub) == [("email", False)]


def test_a_forged_opt_out_changes_nothing(hub: World) -> None:
    assert unsubscribe(hub, "2026-11-20 10:00:00", secret="guessed") == 401
    hub.work()
    assert consents(hub) == []


@pytest.mark.parametrize("first", ["opt-out", "sale"])
def test_a_yes_from_before_the_opt_out_does_not_bring_the_person_back(hub: World, first: str) -> None:
    steps = [
        lambda: unsubscribe(hub, "2026-11-20 10:00:00"),
        lambda: buy(hub, "1001", "2026-11-19T10:00:00Z", consent="email"),
    ]
    for step in steps if first == "opt-out" else reversed(steps):
        step()
        hub.work()
    assert ("email", False) in consents(hub)


def test_what_is_due_to_an_email_tool_is_not_sent_after_the_opt_out(hub: World) -> None:
    hub.destination("mailchimp", api_key="made-up-us21", audience="a1b2c3d4e5")
    unsubscribe(hub, "2026-11-20 10:00:00")
    buy(hub, "1002", "2026-11-19T10:00:00Z", consent="email")
    hub.work()
    assert {(row["state"], row["reason"]) for row in sent(hub)} == {("not_sent", "no_consent")}


def test_a_pixel_that_anyone_can_call_does_not_bring_the_person_back(hub: World) -> None:
    hub.destination("mailchimp", api_key="made-up-us21", audience="a1b2c3d4e5")
    unsubscribe(hub, "2026-11-20 10:00:00")
    hub.source("pixel", currency="EUR")
    hub.client.get("/v1/conversion/pixel/1?orderId=7&amount=49&email=Anna%40Example.com&consent=email,ads,analytics")
    hub.work()
    assert dict(consents(hub)) == {"ads": True, "analytics": True, "email": False}
    assert {(row["state"], row["reason"]) for row in sent(hub)} == {("not_sent", "no_consent")}


def test_a_later_yes_that_is_proven_does(hub: World) -> None:
    unsubscribe(hub, "2026-11-20 10:00:00")
    buy(hub, "1003", "2026-11-20T11:00:00Z", consent="email")
    hub.work()
    assert ("email", True) in consents(hub)

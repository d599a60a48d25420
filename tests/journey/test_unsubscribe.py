"""One click in an e-mail, and its person gets no e-mails any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from journey.world import World, world
from sqlalchemy import select

from hub.connecting import vault
from hub.privacy import unsubscribe
from hub.store import Store, accounts, contacts, deliveries, now

ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        made.source("pixel", currency="EUR")
        yield made


def link(hub: World, email: str = "anna@example.com") -> str:
    """The path of the address in her e-mails."""
    return unsubscribe.address(hub.workspace_id, email).removeprefix("http://127.0.0.1:8000")


def suppressed(hub: World) -> dict[str, str]:
    with hub.store.read() as tx:
        return dict(tx.execute(select(contacts.suppression.c.email_hash, contacts.suppression.c.reason)).all())


def reasons(hub: World) -> dict[str, str]:
    """By destination: why its delivery ended as it did."""
    with hub.store.read() as tx:
        return {row["connection_id"]: row["reason"] for row in deliveries.latest(tx, hub.workspace_id)}


def sell(hub: World) -> None:
    hub.client.get("/v1/conversion/pixel/1?orderId=1&amount=49&email=Anna%40Example.com&consent=email,ads,analytics")
    hub.work()


def test_a_mail_programs_one_click_stops_her_emails_and_nothing_else(hub: World) -> None:
    mailchimp = hub.destination("mailchimp", api_key="made-up-us21", audience="a1b2c3d4e5")
    webhook = hub.destination("webhook", url=hub.receiver.url)
    answer = hub.client.post(link(hub), **ONE_CLICK)
    assert (answer.status_code, answer.headers.get("Location")) == (200, None)
    assert suppressed(hub) == {vault.suppression_hash("anna@example.com"): "unsubscribed"}
    sell(hub)
    assert reasons(hub) == {mailchimp: "unsubscribed", webhook: "delivered"}


def test_with_any_other_reason_nothing_is_sent_to_anyone(hub: World) -> None:
    webhook = hub.destination("webhook", url=hub.receiver.url)
    hub.client.post(link(hub), **ONE_CLICK)
    person = vault.suppression_hash("anna@example.com")
    with hub.store.write() as tx:
        assert contacts.suppress(tx, hub.workspace_id, person, "erased", now())
        assert not contacts.suppress(tx, hub.workspace_id, person, "unsubscribed", now())
    assert suppressed(hub) == {person: "erased"}
    sell(hub)
    assert reasons(hub) == {webhook: "person_suppressed"}


@pytest.mark.parametrize(
    ("language", "button", "thanks"), [("fr-FR,fr;q=0.9", "Me désinscrire", "C'est fait"), ("de", "Stop them", "Done")]
)
def test_a_visit_only_asks_and_the_button_does_it(hub: World, language: str, button: str, thanks: str) -> None:
    headers = {"Accept-Language": language}
    page = hub.client.get(link(hub), headers=headers)
    assert page.status_code == 200
    assert button in page.text
    assert suppressed(hub) == {}
    assert thanks in hub.client.post(link(hub), headers=headers).text
    assert len(suppressed(hub)) == 1


def test_told_again_nothing_changes(hub: World) -> None:
    assert {
        hub.client.post(link(hub, name), **ONE_CLICK).status_code for name in ("a@example.com", "A@Example.com ")
    } == {200}
    assert len(suppressed(hub)) == 1
    with hub.store.read() as tx:
        audit = select(accounts.audit.c.action).where(accounts.audit.c.action == "person.unsubscribed")
        assert len(list(tx.scalars(audit))) == 1


def test_the_address_tells_nobody_who_it_is_for(hub: World) -> None:
    assert "anna" not in link(hub)
    assert "@" not in link(hub)
    assert len(link(hub)) < 100
    assert link(hub) == link(hub)
    assert link(hub) != link(hub, "bob@example.com")


@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_a_made_up_address_changes_nothing(hub: World, method: str) -> None:
    good = link(hub).removeprefix("/u/")
    tokens = [
        good[:-1],
        good + "A",
        "A" * len(good),
        good.swapcase(),
        "x",
        "é",
        "%00",
        good[:40] + "!" + good[41:],
        "a" * 9000,
    ]
    for token in tokens:
        answer: Any = getattr(hub.client, method)(f"/u/{token}")
        assert answer.status_code == 404, token
    assert suppressed(hub) == {}


def test_each_bit_of_the_address_is_signed(hub: World) -> None:
    good = link(hub).removeprefix("/u/")
    for at in range(0, len(good) - 1, 5):
        other = "A" if good[at] != "A" else "B"
        assert unsubscribe.person_of(good[:at] + other + good[at + 1 :]) is None


def test_when_the_database_is_away_the_person_is_asked_to_come_back(
    hub: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(contacts, "suppress", broken)
    answer = hub.client.post(link(hub), **ONE_CLICK)
    assert (answer.status_code, "try again" in answer.text) == (503, True)


def test_the_page_loads_nothing_and_is_kept_nowhere(hub: World) -> None:
    headers = hub.client.get(link(hub)).headers
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]

"""From a failed payment to an e-mail in a mailbox, its unsubscribe link, and the owner's own alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from journey.world import World, world
from mailbox_server import Mailbox

from hub.outgoing.guard import tls_context
from hub.steer import connections as steer
from hub.store import Store, deliveries


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    made = Mailbox(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    tls_context.cache_clear()  # it is made once in a process
    yield made
    made.close()
    tls_context.cache_clear()


@pytest.fixture
def hub(store: Store, box: Mailbox) -> Iterator[World]:
    with world(store) as made:
        made.source("pixel", currency="EUR")
        yield made


def lead(hub: World, order: str = "1", consent: str = "email", name: str = "Anna") -> None:
    hub.client.get(
        f"/v1/conversion/pixel/1?stage=lead&orderId={order}&amount=49&email=anna%40example.com&firstName={name}"
        f"&consent={consent}&product=Watercolour"
    )
    hub.work()


def reasons(hub: World) -> list[tuple[str, str]]:
    with hub.store.read() as tx:
        return [(row["state"], row["reason"]) for row in deliveries.latest(tx, hub.workspace_id)]


def test_a_failed_payment_is_written_about_until_she_clicks_the_way_out(hub: World, box: Mailbox) -> None:
    hub.destination("smtp", **box.settings(footer="Atelier, 1 rue des Peintres, Lyon", language="fr"))
    lead(hub)
    (message,) = box.messages
    assert (message["To"], message["Subject"]) == ("anna@example.com", "Your order is waiting")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (link,) = re.findall(r"<(https?://\S+)>", message["List-Unsubscribe"])
    text = message.get_content()
    assert f"Ne plus recevoir ces e-mails : {link}" in text
    assert "Hello Anna," in text
    assert "1 rue des Peintres" in text
    answer = hub.client.post(urlsplit(link).path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    lead(hub, "2")
    assert reasons(hub) == [("not_sent", "unsubscribed"), ("delivered", "delivered")]
    assert len(box.messages) == 1


def test_nobody_is_written_to_who_did_not_agree(hub: World, box: Mailbox) -> None:
    hub.destination("smtp", **box.settings())
    lead(hub, consent="analytics")
    assert reasons(hub) == [("not_sent", "no_consent")]
    assert box.messages == []


def test_an_html_text_comes_with_its_plain_twin_and_the_way_out_in_both(hub: World, box: Mailbox) -> None:
    from hub.steer import routes as steer_routes
    from hub.store import now, routes

    made = hub.destination("smtp", **box.settings())
    rules: dict[str, Any] = {
        "email": {"from": "contact.email"},
        "subject": {"value": "Hi"},
        "body": {"text": "Way out: {{ unsubscribe_url }}"},
        "html": {"text": "<p>Hi {{ contact.first_name | escape }}</p>"},
        "unsubscribe_url": {"from": "unsubscribe_url"},
    }
    with hub.store.write() as tx:
        (route,) = routes.routes_of(tx, hub.workspace_id, connection_id=made)
        steer_routes.save_mapping(tx, now(), route["id"], rules)
    lead(hub, name="%3Cb%3EAnna%3C%2Fb%3E")
    (message,) = box.messages
    plain, html = (part.get_content() for part in message.iter_parts())
    (link,) = re.findall(r"<(https?://\S+)>", message["List-Unsubscribe"])
    assert plain.count(link) == 1
    assert f'<a href="{link}">' in html
    assert "&lt;b&gt;Anna" in html


def test_a_mailbox_that_is_full_is_refused_and_one_that_is_busy_tried_again(hub: World, box: Mailbox) -> None:
    hub.destination("smtp", **box.settings())
    box.refusals["anna@example.com"] = "550 5.1.1 No such user"
    lead(hub)
    box.refusals["anna@example.com"] = "450 4.2.1 Busy"
    lead(hub, "2")
    assert reasons(hub) == [("waiting", "destination_not_accepting"), ("failed", "refused_by_destination")]


def test_a_wrong_password_pauses_the_connection_and_loses_nothing(hub: World, box: Mailbox) -> None:
    hub.destination("smtp", **box.settings(password="wrong"))
    lead(hub)
    assert reasons(hub) == [("waiting", "credentials_refused")]


def test_the_check_says_whether_the_login_works(hub: World, box: Mailbox) -> None:
    made = hub.destination("smtp", **box.settings())
    with hub.store.read() as tx:
        opened = steer.opened(tx, made, hub.workspace_id)
    assert steer.check(opened) == "127.0.0.1 accepts the login."
    assert box.messages == []


def test_the_owner_is_told_of_sales_that_come_together_in_one_email(hub: World, box: Mailbox) -> None:
    hub.destination("email_alert", **box.settings(to="owner@example.com, office@example.com", language="fr"))
    box.refusals["office@example.com"] = "550 5.1.1 No such user"
    for number in range(3):
        hub.client.get(f"/v1/conversion/pixel/1?orderId={number}&amount=49.90&email=p{number}%40example.com")
    hub.work()
    (message,) = box.messages
    assert message["To"] == "owner@example.com"
    assert message["Subject"].startswith("💰 Nouvelle vente · 49.90 EUR")
    assert message["Subject"].endswith("(+2)")
    assert message.get_content().count("Nouvelle vente") == 3
    assert "p2@example.com" in message.get_content()
    with hub.store.read() as tx:
        rows = deliveries.latest(tx, hub.workspace_id)
    assert {(row["reason"], "No such user" in row["detail"]) for row in rows} == {("delivered_with_warning", True)}


def test_when_every_address_of_the_owner_is_refused_it_failed(hub: World, box: Mailbox) -> None:
    hub.destination("email_alert", **box.settings(to="owner@example.com"))
    box.refusals["owner@example.com"] = "550 5.1.1 No such user"
    hub.client.get("/v1/conversion/pixel/1?orderId=1&amount=49&email=anna%40example.com")
    hub.work()
    assert reasons(hub) == [("failed", "refused_by_destination")]

"""Granting access in the page, with a platform on this machine that checks what platforms check."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from granted import installed
from shop import Shop
from sqlalchemy import update
from vendor import CLIENT, SECRET, Vendor, vendor
from visitors import Visitor, member
from werkzeug.test import TestResponse

from hub.connecting import vault
from hub.run import lanes
from hub.steer import connections as steer
from hub.store import Store, connections, deliveries, grants, now

CALLBACK = "http://127.0.0.1:8000/oauth/callback"


@pytest.fixture(autouse=True)
def _cloud() -> Iterator[None]:
    with installed():
        yield


@pytest.fixture
def platform() -> Iterator[Vendor]:
    with vendor(redirect_uri=CALLBACK) as running:
        yield running


@pytest.fixture
def cloud(shop: Shop, platform: Vendor) -> str:
    """A destination at the platform, its client id and secret filled in; nobody has granted anything."""
    with shop.store.write() as tx:
        return steer.connect(
            tx,
            now(),
            shop.workspace_id,
            connector="cloud",
            role="destination",
            name="Our cloud",
            settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
        )


def press_connect(visitor: Visitor, connection_id: str) -> str:
    """The address that the button leads to."""
    visitor.get(f"/connections/{connection_id}")
    page = visitor.post(f"/connections/{connection_id}/grant")
    assert page.status_code == 200, page.text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    assert found
    assert f'href="{found[1]}"' in page.text
    return html.unescape(found[1])


def at_the_platform(url: str) -> str:
    """The person agrees there: where their browser is sent back to, as our path."""
    answer = requests.get(url, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def grant(visitor: Visitor, connection_id: str) -> TestResponse:
    return visitor.get(at_the_platform(press_connect(visitor, connection_id)))


def shown_after(visitor: Visitor, answer: TestResponse) -> str:
    assert answer.status_code == 302
    return visitor.get(answer.headers["Location"]).text


def row_of(store: Store, connection_id: str) -> object:
    with store.read() as tx:
        return steer.get(tx, connection_id)


def test_before_access_is_granted_the_page_says_so_and_shows_the_redirect_address(owner: Visitor, cloud: str) -> None:
    page = owner.get(f"/connections/{cloud}").text
    assert "Not connected yet" in page
    assert f'value="{CALLBACK}"' in page
    assert 'data-copy="redirect-uri"' in page
    assert "Access not granted yet" in page
    french = owner.get(f"/connections/{cloud}", headers={"Accept-Language": "fr"})
    assert french.status_code == 200


def test_connecting_goes_to_the_platform_and_back_and_what_waited_goes_out(
    owner: Visitor, store: Store, shop: Shop, platform: Vendor, cloud: str, woken: list[tuple[str, str, str]]
) -> None:
    shop.hit()
    with store.write() as tx:
        steer.resume(tx, now(), cloud)
    lanes.deliver(store, cloud, 5)  # tried in vain
    answer = grant(owner, cloud)
    page = shown_after(owner, answer)
    assert "“Our cloud” is connected." in page
    assert "1 delivery that had waited goes out now." in page
    assert "the hub renews it by itself" in page
    assert "Reconnect" in page
    assert ("lanes", "deliver", cloud) in woken
    with store.read() as tx:
        row, kept = steer.get(tx, cloud), grants.get(tx, cloud)
    assert row["state"] == connections.ACTIVE
    assert row["settings"]["account"] == "acme"
    assert kept is not None
    assert kept["expires_at"] - kept["granted_at"] == timedelta(hours=1)
    asked = platform.asked[0]
    assert (asked["grant_type"], asked["redirect_uri"]) == ("authorization_code", CALLBACK)
    tokens = vault.unseal(kept["tokens"])
    assert tokens["access"] not in page
    owner.get(f"/connections/{cloud}")
    checked = shown_after(owner, owner.post(f"/connections/{cloud}/check"))
    assert "Connected to acme." in checked
    assert platform.received[0][0] == f"Bearer {tokens['access']}"


def test_the_platform_is_asked_with_state_pkce_scopes_and_our_redirect_address(owner: Visitor, cloud: str) -> None:
    first, second = (parse_qs(urlsplit(press_connect(owner, cloud)).query) for _ in range(2))
    assert first["scope"] == ["events contacts"]
    assert first["access_type"] == ["offline"]
    assert first["redirect_uri"] == [CALLBACK]
    assert first["code_challenge_method"] == ["S256"]
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_an_answer_counts_once(owner: Visitor, platform: Vendor, cloud: str) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    assert "is connected" in shown_after(owner, owner.get(back))
    assert "not expected (any more)" in shown_after(owner, owner.get(back))
    assert len(platform.asked) == 1


def test_an_answer_counts_only_in_the_browser_that_asked(
    app: Flask, owner: Visitor, shop: Shop, platform: Vendor, cloud: str
) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    elsewhere = Visitor(app)
    elsewhere.log_in("owner@example.com")
    assert "not expected (any more)" in shown_after(elsewhere, elsewhere.get(back))
    assert platform.asked == []


def test_an_answer_counts_only_for_the_person_who_asked(app: Flask, owner: Visitor, shop: Shop, cloud: str) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    colleague = member(app, shop.workspace_id, "editor", "colleague@example.com")
    press_connect(colleague, cloud)  # has a secret in the session, but another one
    assert "not expected (any more)" in shown_after(colleague, colleague.get(back))


def test_an_answer_that_comes_too_late_is_not_taken(owner: Visitor, store: Store, platform: Vendor, cloud: str) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    with store.write() as tx:
        tx.execute(update(grants.grant_request).values(expires_at=now() - timedelta(seconds=1)))
    assert "came too late" in shown_after(owner, owner.get(back))
    assert platform.asked == []


@pytest.mark.parametrize("query", ["", "?code=c", "?state=s&code=c", "?error=access_denied", "?state=%00&code=%ff"])
def test_an_answer_nobody_waits_for_is_told_in_words(owner: Visitor, cloud: str, query: str) -> None:
    assert "not expected (any more)" in shown_after(owner, owner.get(f"/oauth/callback{query}"))


def test_a_person_who_declines_changes_nothing(owner: Visitor, store: Store, platform: Vendor, cloud: str) -> None:
    state = parse_qs(urlsplit(press_connect(owner, cloud)).query)["state"][0]
    page = shown_after(owner, owner.get(f"/oauth/callback?error=access_denied&state={state}"))
    assert "Access was not granted at Cloud. Nothing has changed" in page
    with store.read() as tx:
        assert grants.get(tx, cloud) is None


def test_the_platforms_own_words_are_passed_on_as_text(owner: Visitor, cloud: str) -> None:
    state = parse_qs(urlsplit(press_connect(owner, cloud)).query)["state"][0]
    words = "error=invalid_scope&error_description=%3Cb%3Eno%20such%20scope%3C/b%3E"
    page = shown_after(owner, owner.get(f"/oauth/callback?{words}&state={state}"))
    assert "Cloud refused: &lt;b&gt;no such scope&lt;/b&gt;" in page


def test_a_refused_exchange_is_told_with_what_to_check_and_without_the_secret(
    owner: Visitor, platform: Vendor, cloud: str
) -> None:
    platform.troubles = [(400, {"error": "invalid_grant", "error_description": f"{SECRET} is not it"})]
    page = shown_after(owner, grant(owner, cloud))
    assert "Check the client id and secret, and that the redirect address" in page
    assert "*** is not it" in page
    assert SECRET not in html.unescape(page)


@pytest.mark.parametrize("trouble", [(500, {}), (200, {"nothing": "here"}), (429, {})])
def test_a_platform_in_trouble_is_told_in_words(
    owner: Visitor, platform: Vendor, cloud: str, trouble: tuple[int, dict[str, str]]
) -> None:
    platform.troubles = [trouble]
    assert "did not answer as it should" in shown_after(owner, grant(owner, cloud))


def test_a_connection_removed_in_the_meantime_is_told_in_words(owner: Visitor, store: Store, cloud: str) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    with store.write() as tx:
        steer.remove(tx, now(), cloud)
    assert "not expected (any more)" in shown_after(owner, owner.get(back))


def test_what_comes_with_the_token_must_fit_the_settings(owner: Visitor, platform: Vendor, cloud: str) -> None:
    platform.more = {"account": "x" * 100}
    page = shown_after(owner, grant(owner, cloud))
    assert "what it told of the account cannot be used" in page
    assert "Not connected yet" in page


def test_without_a_client_id_the_page_asks_for_it(owner: Visitor, store: Store, cloud: str) -> None:
    with store.write() as tx:
        steer.change(tx, now(), cloud, settings={"client_secret": None})
    owner.get(f"/connections/{cloud}")
    answer = owner.post(f"/connections/{cloud}/grant")
    assert "Fill in and save the client id and secret" in shown_after(owner, answer)


def test_connecting_again_takes_the_place_of_a_broken_grant(
    owner: Visitor, store: Store, shop: Shop, platform: Vendor, cloud: str
) -> None:
    grant(owner, cloud)
    with store.write() as tx:
        tx.execute(update(grants.grant).values(broken_at=now()))
        connections.set_state(tx, cloud, now(), connections.NEEDS_YOU, "grant_broken")
    page = owner.get(f"/connections/{cloud}").text
    assert "has ended the access granted" in page
    assert "press Connect again" in page
    page = shown_after(owner, grant(owner, cloud))
    assert "the hub renews it by itself" in page
    with store.read() as tx:
        assert steer.get(tx, cloud)["state"] == connections.ACTIVE


def test_a_connection_that_was_paused_by_hand_stays_paused(owner: Visitor, store: Store, cloud: str) -> None:
    with store.write() as tx:
        steer.pause(tx, now(), cloud)
    grant(owner, cloud)
    with store.read() as tx:
        assert steer.get(tx, cloud)["state"] == connections.PAUSED
        assert deliveries.waiting_of(tx, cloud) == []


def test_who_may_only_look_cannot_connect(app: Flask, owner: Visitor, shop: Shop, cloud: str) -> None:
    back = at_the_platform(press_connect(owner, cloud))
    viewer = member(app, shop.workspace_id, "viewer", "viewer@example.com")
    assert "/grant" not in viewer.get(f"/connections/{cloud}").text
    assert viewer.post(f"/connections/{cloud}/grant").status_code == 403
    assert viewer.get(back).status_code == 403


def test_another_workspaces_connection_cannot_be_granted(app: Flask, store: Store, owner: Visitor, cloud: str) -> None:
    stranger = member(app, Shop(store, "Another").workspace_id, email="stranger@example.com")
    stranger.get("/connections")
    assert stranger.post(f"/connections/{cloud}/grant").status_code == 404


def test_a_stranger_is_sent_to_the_login(anyone: Visitor, shop: Shop, owner: Visitor, cloud: str) -> None:
    answer = anyone.get("/oauth/callback?state=x&code=y")
    assert urlsplit(answer.headers["Location"]).path == "/login"


def test_the_page_speaks_french(owner: Visitor, platform: Vendor, cloud: str) -> None:
    owner.post("/language", {"language": "fr"})
    page = owner.get(f"/connections/{cloud}").text
    assert "Pas encore connecté" in page
    assert "Adresse de redirection" in page
    assert "Connecter" in page
    assert "Accès pas encore accordé" in page
    assert "L&#39;accès n&#39;a pas été accordé" in shown_after(
        owner,
        owner.get(
            "/oauth/callback?error=access_denied&state="
            + parse_qs(urlsplit(press_connect(owner, cloud)).query)["state"][0]
        ),
    )
    assert "est connectée" in shown_after(owner, grant(owner, cloud))

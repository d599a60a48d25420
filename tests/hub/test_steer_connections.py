"""Connecting, changing, pausing and removing."""

from __future__ import annotations

import pytest
from shop import URL, Shop

from hub.contract.errors import TryLater
from hub.settings import settings
from hub.steer import connections as steer
from hub.steer.errors import Invalid, NotFound
from hub.store import Store, accounts, deliveries, now, routes


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_destination_is_connected_with_its_first_route_and_a_secret_of_its_own(shop: Shop) -> None:
    with shop.store.read() as tx:
        connected = steer.opened(tx, shop.destination_id, shop.workspace_id)
    assert connected.settings["url"] == URL
    assert connected.settings["secret"][0].startswith("whsec_")
    assert set(shop.route["stages"]) == {str(stage) for stage in connected.destination.stages}
    assert set(shop.route["kinds"]) == {str(kind) for kind in connected.destination.kinds}


def test_what_is_shown_holds_no_secret(shop: Shop) -> None:
    with shop.store.read() as tx:
        row = steer.get(tx, shop.destination_id)
        secret = steer.opened(tx, shop.destination_id).settings["secret"][0]
    shown = steer.shown(row)
    assert shown["settings"]["secret"] == "***"
    assert shown["settings"]["url"] == URL
    assert secret not in str(shown)


def test_a_source_shows_the_address_its_sender_is_given(shop: Shop) -> None:
    with shop.store.write() as tx:
        other = steer.connect(tx, now(), shop.workspace_id, connector="stripe", role="source", name="S", settings={})
        pixel, webhook = steer.get(tx, shop.source_id), steer.get(tx, other)
    assert steer.shown(pixel)["url"] == f"{settings().base_url}/v1/conversion/pixel/{pixel['number']}"
    assert steer.shown(webhook)["url"] == f"{settings().base_url}/in/{webhook['address']}"
    with shop.store.read() as tx:
        assert steer.shown(steer.get(tx, shop.destination_id))["url"] is None


def test_a_missing_setting_is_said_by_field_in_both_languages(shop: Shop) -> None:
    with pytest.raises(Invalid) as raised, shop.store.write() as tx:
        steer.connect(
            tx, now(), shop.workspace_id, connector="webhook", role="destination", name="", settings={"url": ""}
        )
    assert raised.value.messages == {"url": ["Fill this in."]}
    assert raised.value.in_("fr") == {"url": ["À remplir."]}


@pytest.mark.parametrize(("connector", "role"), [("nosuch", "source"), ("stripe", "destination"), ("", "source")])
def test_a_connector_that_is_not_there_is_said_so(shop: Shop, connector: str, role: str) -> None:
    with pytest.raises(Invalid) as raised, shop.store.write() as tx:
        steer.connect(tx, now(), shop.workspace_id, connector=connector, role=role, name="x", settings={})  # type: ignore[arg-type]  # wrong on purpose
    assert list(raised.value.messages) == ["connector"]


@pytest.mark.parametrize("given", ["", "***", ["***"]])
def test_a_secret_left_alone_is_kept(shop: Shop, given: object) -> None:
    with shop.store.write() as tx:
        before = steer.opened(tx, shop.destination_id).settings["secret"]
        steer.change(tx, now(), shop.destination_id, settings={"secret": given, "url": "https://example.com/2"})
        after = steer.opened(tx, shop.destination_id).settings
    assert after["secret"] == before
    assert after["url"] == "https://example.com/2"


def test_a_second_secret_goes_beside_the_one_that_is_shown_masked(shop: Shop) -> None:
    new = "whsec_" + "QUJD" * 8
    with shop.store.write() as tx:
        before = steer.opened(tx, shop.destination_id).settings["secret"]
        steer.change(tx, now(), shop.destination_id, settings={"secret": f"***\n{new}"})
        assert steer.opened(tx, shop.destination_id).settings["secret"] == [*before, new]
        steer.change(tx, now(), shop.destination_id, settings={"secret": None})
        assert steer.opened(tx, shop.destination_id).settings["secret"] == []


def test_a_change_that_does_not_fit_changes_nothing(shop: Shop) -> None:
    with pytest.raises(Invalid), shop.store.write() as tx:
        steer.change(tx, now(), shop.destination_id, settings={"url": "not an address"})
    with shop.store.read() as tx:
        assert steer.opened(tx, shop.destination_id).settings["url"] == URL


def test_another_workspace_cannot_touch_it(shop: Shop) -> None:
    other = Shop(shop.store, "Other")
    for touch in (steer.change, steer.pause, steer.resume, steer.remove):
        with pytest.raises(NotFound), shop.store.write() as tx:
            touch(tx, now(), shop.destination_id, workspace_id=other.workspace_id)


def test_resuming_makes_due_what_was_held_back_and_nothing_else(shop: Shop) -> None:
    shop.hit()
    (held,) = shop.deliveries
    with shop.store.write() as tx:
        steer.pause(tx, now(), shop.destination_id)
        assert steer.get(tx, shop.destination_id)["state_reason"] == "destination_paused"
        deliveries.postpone(tx, [held["id"]], now().replace(year=2090), "destination_paused")
        assert steer.resume(tx, now(), shop.destination_id) == 1
        assert steer.get(tx, shop.destination_id)["state"] == "active"
        deliveries.postpone(tx, [held["id"]], now().replace(year=2090), "waiting_for_proof")
        assert steer.resume(tx, now(), shop.destination_id) == 0
    assert shop.deliveries[0]["due_at"].year == 2090


def test_removing_a_destination_calls_off_what_waits_and_keeps_what_happened(shop: Shop) -> None:
    shop.hit()
    with shop.store.write() as tx:
        steer.remove(tx, now(), shop.destination_id)
        assert routes.routes_of(tx, shop.workspace_id) == []
    assert [(row["state"], row["reason"]) for row in shop.deliveries] == [("not_sent", "route_removed")]
    assert len(shop.conversions) == 1


def test_a_form_says_what_a_page_needs_to_draw_it() -> None:
    form = {field["name"]: field for field in steer.form_of(steer.find_connector("pixel", "source"), "fr")}
    assert form["stage"]["widget"] == "select"
    assert form["stage"]["default"] == "purchase"
    assert {"value": "lead", "label": "Lead : paiement abandonné ou refusé"} in form["stage"]["choices"]
    assert form["secret"]["secret"] is True
    hook = {field["name"]: field for field in steer.form_of(steer.find_connector("webhook", "destination"))}
    assert hook["url"]["required"] is True
    assert hook["secret"]["generate"] == "whsec"


def test_checking_credentials_tells_the_destinations_own_verdict(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.store.write() as tx:
        there = steer.connect(
            tx,
            now(),
            shop.workspace_id,
            connector="mailchimp",
            role="destination",
            name="M",
            settings={"api_key": "0123456789abcdef0123456789abcdef-us21", "audience": "a1b2c3d4e5"},
        )
        connected = steer.opened(tx, there)

    def refused(*_: object) -> None:
        raise TryLater("The name us21.api.mailchimp.com cannot be found.")

    monkeypatch.setattr(steer, "run_recipe", refused)
    with pytest.raises(TryLater):
        steer.check(connected)
    monkeypatch.setattr(steer, "run_recipe", lambda *_: "Connected to the audience Customers.")
    assert steer.check(connected) == "Connected to the audience Customers."


def test_every_act_is_written_down_with_who_did_it(shop: Shop) -> None:
    with shop.store.write() as tx:
        steer.pause(tx, now(), shop.destination_id, author="anna@example.com")
        rows = tx.execute(accounts.audit.select().order_by(accounts.audit.c.id)).mappings().all()
    assert [row["action"] for row in rows][-1] == "connection.paused"
    assert rows[-1]["detail"]["by"] == "anna@example.com"


def test_the_number_of_a_removed_pixel_is_never_given_again(shop: Shop) -> None:
    """Its address still stands on somebody's page: what is said there must not be counted as another pixel's."""

    def pixel() -> str:
        return steer.connect(tx, now(), shop.workspace_id, connector="pixel", role="source", name="P", settings={})

    with shop.store.write() as tx:
        before = pixel()
        number = steer.get(tx, before)["number"]
        steer.remove(tx, now(), before)
        assert steer.get(tx, pixel())["number"] == number + 1

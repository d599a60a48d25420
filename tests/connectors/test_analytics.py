"""PostHog, Plausible and Matomo: what samples cannot say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connecting.registry import registry
from hub.connecting.rehearsal import drive
from hub.contract import BadCredentials, Call, Headers, Kind, Record, Reply, Stage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SETTINGS = {
    "posthog": {"project": "phc_x"},
    "plausible": {"domain": "example.com"},
    "matomo": {"base": "https://m.example/matomo.php", "site": "1", "token": "t" * 32, "currency": "EUR"},
}


def calls_of(slug: str, values: dict[str, Any], *, kind: Kind = Kind.CONVERSION, event_id: str = "ev-1") -> Call:
    destination = registry().destination(slug)
    record = Record("1", event_id, kind, Stage.PURCHASE, NOW, values)
    loaded = destination.Settings().load(SETTINGS[slug])
    call: Call = next(destination.deliver([record] if destination.batch else record, loaded))
    return call


def test_a_posthog_event_has_the_same_uuid_in_every_try_and_another_for_each_event() -> None:
    def uuid(event: str, event_id: str) -> str:
        body = calls_of("posthog", {"event": event, "distinct_id": "a@example.com"}, event_id=event_id).json
        return str(body["batch"][0]["uuid"])

    assert uuid("purchase", "1") == uuid("purchase", "1")
    assert len({uuid("purchase", "1"), uuid("refund", "1"), uuid("purchase", "2")}) == 3


@pytest.mark.parametrize("person", [None, "", "NULL", "undefined", "0"])
def test_posthog_makes_no_person_of_an_id_that_many_share(person: str | None) -> None:
    event = calls_of("posthog", {"event": "purchase", "distinct_id": person, "email": "a@example.com"}).json["batch"][0]
    assert event["distinct_id"] == event["uuid"]
    assert event["properties"]["$process_person_profile"] is False
    assert "$set" not in event["properties"]


def test_a_matomo_visitor_is_the_cookies_or_the_same_for_each_person() -> None:
    def visitor(**values: Any) -> str:
        form = calls_of("matomo", {"revenue": "5", "currency": "EUR", **values}).form
        assert form is not None
        return form["_id"]

    assert visitor(_id="0123456789abcdef.1795.") == "0123456789abcdef"
    assert visitor(email="A@example.com") == visitor(email="a@example.com") != visitor(email="b@example.com")
    assert len(visitor(_id="not-hex", email="a@example.com")) == 16


def test_a_matomo_renewal_is_an_order_of_its_own() -> None:
    sale = {"ec_id": "1001", "revenue": "5", "currency": "EUR"}
    forms = [
        calls_of("matomo", sale, kind=kind, event_id=event_id).form or {}
        for kind, event_id in (
            (Kind.CONVERSION, "0-aaaaaaaa"),
            (Kind.RENEWAL, "0-bbbbbbbb"),
            (Kind.RENEWAL, "0-cccccccc"),
        )
    ]
    assert [form["ec_id"] for form in forms] == ["1001", "1001-bbbbbbbb", "1001-cccccccc"]


def matomo_says(body: bytes) -> Any:
    destination = registry().destination("matomo")
    recipe = destination.check(destination.Settings().load(SETTINGS["matomo"]))
    assert recipe is not None
    asked: list[Call] = []

    def answer(call: Call) -> Reply:
        asked.append(call)
        return Reply(200, Headers(), body)

    said = drive(recipe, answer)
    assert asked[0].url == "https://m.example/index.php"
    return said


def test_matomos_check_tells_a_wrong_token_and_a_wrong_currency() -> None:
    assert "change the currency" in matomo_says(b'{"idsite":1,"name":"Shop","currency":"USD"}')
    assert "Shop" in matomo_says(b'{"idsite":1,"name":"Shop","currency":"EUR"}')
    with pytest.raises(BadCredentials, match="not authenticated"):
        matomo_says(b'{"result":"error","message":"You are not authenticated."}')

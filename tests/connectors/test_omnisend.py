"""What Omnisend's samples cannot show: who is subscribed."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.omnisend.destination import Omnisend
from hub.contract import Result

SETTINGS = {"api_key": "made-up"}
AGREED = {"email": "anna@example.com", "email_consent": True}


def known(*statuses: str) -> tuple[int, object]:
    email = "Anna@example.com"
    identifiers = [{"type": "email", "id": email, "channels": {"email": {"status": status}}} for status in statuses]
    other = [] if identifiers else [{"type": "email", "id": email}]
    contact = {"contactID": "c1", "identifiers": [{"type": "phone", "channels": {}}, *identifiers, *other]}
    return 200, {"contacts": [{"contactID": "c0", "identifiers": [{"id": "lea@example.com"}]}, contact]}


def statuses(sent: dict[str, object]) -> list[str]:
    return [each["channels"]["email"]["status"] for each in sent.get("identifiers", [])]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (known("unsubscribed"), []),
        (known("subscribed"), []),
        (known("nonSubscribed"), ["subscribed"]),
        (known("nonSubscribed", "unsubscribed"), []),
        (known(), []),
        ((200, {"contacts": []}), ["subscribed"]),
    ],
)
def test_only_new_people_and_those_never_subscribed_are_subscribed(answer, told):
    platform = Platform(Omnisend(), SETTINGS, answer)
    platform.deliver(record(dict(AGREED)))
    assert statuses(platform.sent[0]) == told


@pytest.mark.parametrize(("consent", "subscribe"), [(None, True), (False, True), (True, False)])
def test_without_agreement_or_the_owners_wish_a_new_contact_is_not_subscribed(consent, subscribe):
    platform = Platform(Omnisend(), SETTINGS | {"subscribe": subscribe}, (200, {"contacts": []}))
    assert platform.deliver(record(AGREED | {"email_consent": consent})).result is Result.DELIVERED
    assert statuses(platform.sent[0]) == ["nonSubscribed"]


def test_the_version_belongs_to_order_events_only():
    platform = Platform(Omnisend(), SETTINGS)
    for name in ("placed order", "started checkout"):
        assert platform.deliver(record(AGREED | {"event_name": name})).result is Result.ACCEPTED_UNVERIFIED
    events = [sent for sent in platform.sent if "eventName" in sent]
    assert [event["eventVersion"] for event in events] == ["v2", ""]
    assert events[0]["eventID"] == events[1]["eventID"]  # of the same conversion, on every try


def test_a_contact_of_another_name_is_never_changed():
    answer = (200, {"contacts": [{"contactID": "c0", "identifiers": [{"type": "email", "id": "lea@example.com"}]}]})
    platform = Platform(Omnisend(), SETTINGS, answer)
    platform.deliver(record(dict(AGREED)))
    assert platform.paths == ["GET /api/contacts", "POST /api/contacts"]

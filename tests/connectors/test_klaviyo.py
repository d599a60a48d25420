"""What Klaviyo's samples cannot show: who is subscribed, what a source looks up, and names in the account."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.klaviyo.destination import Klaviyo
from hub.contract import Result

SETTINGS = {"api_key": "pk_made_up", "list_id": "Y6nRLr"}
SUBSCRIBE = "POST /api/profile-subscription-bulk-create-jobs"


def known(consent: str, **rest: object) -> dict[str, object]:
    marketing = {"consent": consent, **rest}
    return {"data": [{"attributes": {"subscriptions": {"email": {"marketing": marketing}}}}]}


@pytest.mark.parametrize(
    ("answer", "subscribed"),
    [
        ({"data": []}, True),
        (known("NEVER_SUBSCRIBED"), True),
        (known("SUBSCRIBED", suppression=[]), True),
        (known("UNSUBSCRIBED"), False),
        (known("NEVER_SUBSCRIBED", suppression=[{"reason": "SPAM_COMPLAINT"}]), False),
        (known("SUBSCRIBED", list_suppressions=[{"list_id": "Y6nRLr"}]), False),
        ({"data": [{"attributes": {}}]}, False),
        ({}, False),
    ],
)
def test_nobody_who_left_is_subscribed_again(answer, subscribed):
    platform = Platform(Klaviyo(), SETTINGS, (200, answer))
    platform.deliver(record({"email": "anna@example.com", "email_consent": True}))
    assert (SUBSCRIBE in platform.paths) is subscribed


@pytest.mark.parametrize(("consent", "list_id"), [(None, "Y6nRLr"), (False, "Y6nRLr"), (True, "")])
def test_without_agreement_or_list_nobody_is_subscribed(consent, list_id):
    platform = Platform(Klaviyo(), SETTINGS | {"list_id": list_id})
    outcome = platform.deliver(record({"email": "anna@example.com", "email_consent": consent}))
    assert platform.paths == ["POST /api/profile-import"]
    assert outcome.result is Result.DELIVERED


def test_an_event_proves_nothing():
    outcome = Platform(Klaviyo(), SETTINGS).deliver(record({"email": "anna@example.com", "event_name": "Placed Order"}))
    assert outcome.result is Result.ACCEPTED_UNVERIFIED


def test_discovery_offers_the_properties_of_known_profiles():
    profiles = {"data": [{"attributes": {"properties": {"size": "M", "hub_summary": "x"}}}, {"attributes": {}}]}
    keys = [field.key for field in Platform(Klaviyo(), SETTINGS, (200, profiles)).ask("discover")]
    assert "size" in keys
    assert keys.count("hub_summary") == 1

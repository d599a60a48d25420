"""What Brevo's samples cannot show: who is put on a list, and what is created on request."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.brevo.destination import Brevo

SETTINGS = {"api_key": "made-up", "list_id": 7}
NO_ATTRIBUTES = (200, {"attributes": []})
AGREED = {"email": "anna@example.com", "email_consent": True}


@pytest.mark.parametrize(
    ("known", "lists"),
    [
        ((404, {"code": "document_not_found"}), [7]),
        ((200, {"emailBlacklisted": False}), [7]),
        ((200, {"emailBlacklisted": False, "listUnsubscribed": [3]}), [7]),
        ((200, {"emailBlacklisted": False, "listUnsubscribed": [7]}), None),
        ((200, {"emailBlacklisted": True}), None),
        ((200, {}), None),
    ],
)
def test_nobody_who_left_is_put_on_the_list_again(known, lists):
    platform = Platform(Brevo(), SETTINGS, NO_ATTRIBUTES, known)
    platform.deliver(record(dict(AGREED)))
    assert platform.sent[0].get("listIds") == lists
    assert "emailBlacklisted" not in platform.sent[0]


def test_without_an_agreement_nobody_joins_a_list():
    platform = Platform(Brevo(), SETTINGS, NO_ATTRIBUTES)
    platform.deliver(record({"email": "anna@example.com", "FIRSTNAME": "Anna"}))
    assert platform.paths == ["GET /v3/contacts/attributes", "POST /v3/contacts"]
    assert "listIds" not in platform.sent[0]


def test_prepare_creates_only_what_is_missing():
    known = [{"name": "HUB_SUMMARY", "category": "normal", "type": "text"}]
    platform = Platform(Brevo(), SETTINGS, (200, {"attributes": known}))
    platform.ask("prepare")
    assert "POST /v3/contacts/attributes/normal/HUB_LIFETIME_VALUE" in platform.paths
    assert "POST /v3/contacts/attributes/normal/HUB_SUMMARY" not in platform.paths

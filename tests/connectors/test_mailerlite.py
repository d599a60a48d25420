"""What MailerLite's samples cannot show: the status of people it knows, groups, fields in pages."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.mailerlite.destination import Mailerlite

SETTINGS = {"api_key": "made-up", "group_id": "42"}
NO_FIELDS = (200, {"data": []})
NEW = (404, {"message": "Resource not found."})
KNOWN = (200, {"data": {"id": "1", "status": "unsubscribed"}})
EMAIL = "anna+shop@example.com"


def test_the_status_of_somebody_known_is_never_sent():
    platform = Platform(Mailerlite(), SETTINGS, NO_FIELDS, KNOWN)
    platform.deliver(record({"email": EMAIL, "email_consent": True, "status": "active", "resubscribe": True}))
    assert platform.paths[1] == "GET /api/subscribers/anna%2Bshop%40example.com"
    assert platform.sent == [{"email": EMAIL, "fields": {}, "groups": ["42"]}]


@pytest.mark.parametrize(
    ("consent", "setting", "status", "groups"),
    [
        (True, "active", "active", ["7", "42"]),
        (True, "unconfirmed", "unconfirmed", ["7", "42"]),
        (None, "active", "unsubscribed", None),
        (False, "active", "unsubscribed", None),
    ],
)
def test_only_an_agreement_makes_a_new_person_more_than_unsubscribed(consent, setting, status, groups):
    platform = Platform(Mailerlite(), SETTINGS | {"consenting": setting}, NO_FIELDS, NEW)
    platform.deliver(record({"email": EMAIL, "email_consent": consent, "groups": ["7"]}))
    assert (platform.sent[0]["status"], platform.sent[0].get("groups")) == (status, groups)


def test_fields_are_read_page_by_page():
    first = (200, {"data": [{"key": "a", "name": "A", "type": "text"}], "meta": {"current_page": 1, "last_page": 2}})
    second = (200, {"data": [{"key": "b", "name": "B", "type": "date"}], "meta": {"current_page": 2, "last_page": 2}})
    found = {field.key: field.type for field in Platform(Mailerlite(), SETTINGS, first, second).ask("discover")}
    assert (found["a"], found["b"]) == ("text", "datetime")

"""What Kit's samples cannot show: lists in pages, tags that are missing or were never there."""

from __future__ import annotations

from platforms import Platform, record

from connectors.kit.destination import Kit
from hub.contract import Result

SETTINGS = {"api_key": "made-up"}
NO_FIELDS = (200, {"custom_fields": []})
SUBSCRIBER = (200, {"subscriber": {"id": 5, "state": "cancelled"}})
EMAIL = "anna@example.com"


def test_tags_are_read_page_by_page_and_a_missing_one_is_created_once():
    more = (200, {"tags": [{"id": 1, "name": "vip"}], "pagination": {"has_next_page": True, "end_cursor": "abc"}})
    last = (200, {"tags": [{"id": 2, "name": "lead"}], "pagination": {"has_next_page": False, "end_cursor": "abd"}})
    platform = Platform(Kit(), SETTINGS, NO_FIELDS, SUBSCRIBER, more, last, (200, {}), (201, {"tag": {"id": 3}}))
    platform.deliver(record({"email": EMAIL, "tags": ["vip", "new"]}))
    assert platform.calls[3].params == {"per_page": "500", "after": "abc"}
    assert platform.paths[4:] == ["POST /v4/tags/1/subscribers", "POST /v4/tags", "POST /v4/tags/3/subscribers"]


def test_a_tag_that_was_not_on_the_person_is_taken_off_without_complaint():
    tags = (200, {"tags": [{"id": 2, "name": "lead"}]})
    platform = Platform(Kit(), SETTINGS, NO_FIELDS, SUBSCRIBER, tags, (404, {"errors": ["Not Found"]}))
    assert platform.deliver(record({"email": EMAIL, "remove_tags": ["lead"]})).result is Result.DELIVERED


def test_fields_that_kit_ignored_are_told():
    warned = (200, {"subscriber": {"id": 5}, "warnings": ["Unknown custom field: size"]})
    outcome = Platform(Kit(), SETTINGS, NO_FIELDS, warned).deliver(record({"email": EMAIL, "size": "M"}))
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "size" in outcome.detail


def test_only_an_agreement_asks_for_an_active_subscriber():
    for consent, state in ((True, "active"), (None, "inactive"), (False, "inactive")):
        platform = Platform(Kit(), SETTINGS, NO_FIELDS, SUBSCRIBER)
        platform.deliver(record({"email": EMAIL, "email_consent": consent}))
        assert platform.sent[0]["state"] == state


def test_a_tag_whose_id_kit_does_not_tell_is_a_warning():
    platform = Platform(Kit(), SETTINGS, NO_FIELDS, SUBSCRIBER, (200, {"tags": []}), (201, {}))
    outcome = platform.deliver(record({"email": EMAIL, "tags": ["vip"]}))
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "vip" in outcome.detail

"""What HighLevel's samples cannot show: tags that are kept, contacts found by their phone, dates as days."""

from __future__ import annotations

from platforms import Platform, record

from connectors.highlevel.destination import HighLevel
from hub.contract import Result

SETTINGS = {"access_token": "made-up", "location_id": "loc1"}
FIELDS = (
    200,
    {"customFields": [{"id": "f1", "name": "Renamed", "fieldKey": "contact.hub_stage_at", "dataType": "DATE"}]},
)
WRITTEN = (201, {"contact": {"id": "c1", "email": "anna@example.com"}})


def test_tags_never_go_into_the_upsert_which_would_replace_all_of_them():
    platform = Platform(HighLevel(), SETTINGS, FIELDS, WRITTEN)
    platform.deliver(record({"email": "anna@example.com", "tags": ["purchase"], "remove_tags": ["lead"]}))
    assert "tags" not in platform.sent[0]
    assert platform.paths[-2:] == ["DELETE /contacts/c1/tags", "POST /contacts/c1/tags"]
    assert platform.sent[1:] == [{"tags": ["lead"]}, {"tags": ["purchase"]}]


def test_a_renamed_field_is_still_known_by_its_key_and_dates_are_days():
    platform = Platform(HighLevel(), SETTINGS, FIELDS, WRITTEN)
    platform.deliver(record({"email": "anna@example.com", "hub_stage_at": "2026-11-20T18:42:07Z"}))
    assert platform.sent[0]["customFields"] == [{"id": "f1", "field_value": "2026-11-20"}]


def test_a_contact_found_by_phone_under_another_address_is_told():
    other = (200, {"contact": {"id": "c2", "email": "Anna@example.org"}})
    outcome = Platform(HighLevel(), SETTINGS, FIELDS, other).deliver(record({"email": "anna@example.com"}))
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "anna@example.org" in outcome.detail

"""What Close's samples cannot show: a search that finds words, fields that the account lacks."""

from __future__ import annotations

from platforms import Platform, record

from connectors.close.destination import Close
from hub.contract import Result

SETTINGS = {"api_key": "made-up"}
SUMMARY = (200, {"data": [{"id": "cf_1", "name": "Hub summary", "type": "textarea"}]})


def found(email):
    return 200, {"data": [{"id": "cont_1", "lead_id": "lead_1", "emails": [{"email": email}]}]}


def test_a_find_with_another_address_is_not_the_person():
    platform = Platform(Close(), SETTINGS, SUMMARY, found("ann@example.com.au"), (200, {"id": "lead_2"}))
    platform.deliver(record({"email": "ann@example.com"}))
    assert platform.paths[-1] == "POST /api/v1/lead/"


def test_a_known_lead_gets_the_hubs_fields_and_nothing_else():
    platform = Platform(Close(), SETTINGS, SUMMARY, found("Ann@Example.com"), (200, {"id": "lead_1"}))
    outcome = platform.deliver(
        record({"email": "ann@example.com", "name": "Ann", "phone": "+1", "hub_summary": "1 order", "hub_orders": 1})
    )
    assert platform.sent[-1] == {"custom.cf_1": "1 order"}
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "Hub orders" in outcome.detail


def test_an_answer_without_a_lead_is_no_delivery():
    outcome = Platform(Close(), SETTINGS, SUMMARY).deliver(record({"email": "ann@example.com"}))
    assert outcome.result is Result.REFUSED

"""What Freshsales' samples cannot show: last names that are kept, fields that nobody created."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.freshsales.destination import Freshsales
from hub.contract import Refused, Result

SETTINGS = {"domain": "acme.myfreshworks.com", "api_key": "made-up"}
FIELDS = (200, {"fields": [{"name": "cf_summary_of_hub", "label": "Hub summary", "type": "textarea"}]})
NAMELESS = (400, {"errors": {"code": 400, "message": ["Last name can't be blank"]}})
WRITTEN = (200, {"contact": {"id": 7}})


def test_a_stand_in_for_the_last_name_is_sent_only_when_freshsales_asks_for_one():
    platform = Platform(Freshsales(), SETTINGS, FIELDS, NAMELESS, WRITTEN)
    platform.deliver(record({"email": "anna@example.com"}))
    assert [body["contact"].get("last_name") for body in platform.sent] == [None, "anna"]


def test_a_refusal_of_somebody_with_a_last_name_is_final():
    with pytest.raises(Refused, match="refused the contact"):
        Platform(Freshsales(), SETTINGS, FIELDS, NAMELESS).deliver(
            record({"email": "anna@example.com", "last_name": "Martin"})
        )


def test_fields_are_found_by_their_label_and_the_missing_are_named():
    platform = Platform(Freshsales(), SETTINGS, FIELDS, WRITTEN)
    outcome = platform.deliver(
        record({"email": "anna@example.com", "last_name": "M", "hub_summary": "1 order", "hub_orders": 1})
    )
    assert platform.sent[0]["contact"]["custom_field"] == {"cf_summary_of_hub": "1 order"}
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "Hub orders" in outcome.detail


def test_the_check_names_the_fields_to_create_by_hand():
    said = Platform(Freshsales(), SETTINGS, FIELDS).ask("check")
    assert "Create these fields there" in said
    assert "Hub lifetime value" in said
    assert "Hub summary" not in said
    assert Freshsales().prepare(SETTINGS) is None

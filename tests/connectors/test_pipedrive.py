"""What Pipedrive's samples cannot show: strict types, people who are known, what the account lacks."""

from __future__ import annotations

from decimal import Decimal

from platforms import Platform, record

from connectors.pipedrive.destination import Pipedrive
from hub.contract import Result

SETTINGS = {"api_token": "made-up"}


def fields(*listed):
    rows = [
        {"field_code": f"k{number}", "field_name": name, "field_type": kind, "is_custom_field": True}
        for number, (name, kind) in enumerate(listed)
    ]
    return 200, {
        "success": True,
        "data": [*rows, {"field_code": "name", "field_name": "Name", "field_type": "varchar"}],
    }


def found(*emails):
    return 200, {"data": {"items": [{"item": {"id": 9, "emails": list(emails)}}]}}


def test_a_known_person_keeps_name_and_phone_and_values_have_the_fields_type():
    listed = fields(("Hub stage at", "date"), ("Hub order amount", "double"), ("Hub campaigns", "varchar"))
    platform = Platform(Pipedrive(), SETTINGS, listed, found("Anna@Example.com"), (200, {"data": {"id": 9}}))
    platform.deliver(
        record(
            {
                "email": "anna@example.com",
                "name": "A",
                "phone": "+1",
                "hub_stage_at": "2026-11-20T18:42:07Z",
                "hub_order_amount": Decimal("49.90"),
                "hub_campaigns": ["Spring", "Summer"],
            }
        )
    )
    assert platform.paths[-1] == "PATCH /api/v2/persons/9"
    assert platform.sent == [{"custom_fields": {"k0": "2026-11-20", "k1": 49.9, "k2": "Spring, Summer"}}]


def test_a_find_with_another_address_makes_a_new_person():
    platform = Platform(Pipedrive(), SETTINGS, fields(), found("anna@example.com.au"), (201, {"data": {"id": 10}}))
    outcome = platform.deliver(record({"email": "anna@example.com", "hub_orders": 1}))
    assert platform.paths[-1] == "POST /api/v2/persons"
    assert platform.sent[0]["name"] == "anna@example.com"
    assert outcome.result is Result.DELIVERED_WITH_WARNING


def test_only_custom_fields_are_offered_beside_the_hubs():
    offered = {field.key for field in Platform(Pipedrive(), SETTINGS, fields(("Shoe size", "double"))).ask("discover")}
    assert "k0" in offered
    assert {"email", "name", "hub_summary"} <= offered


def test_prepare_creates_what_is_missing_and_nothing_twice():
    platform = Platform(Pipedrive(), SETTINGS, fields(("Hub summary", "text")))
    assert platform.ask("prepare") == "Created 14 fields in Pipedrive."
    assert {"field_name": "Hub lifetime value", "field_type": "double"} in platform.sent
    assert all(body["field_name"] != "Hub summary" for body in platform.sent)

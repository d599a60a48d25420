"""What Zoho's samples cannot show: a stand-in for a last name only for new people, rows that say no."""

from __future__ import annotations

from platforms import Platform, record

from connectors.zoho_crm.destination import ZohoCrm
from hub.contract import Result

FIELDS = (200, {"fields": [{"api_name": "Hub_Summary1", "field_label": "Hub summary", "data_type": "textarea"}]})
SETTINGS = {"client_id": "1000.A", "client_secret": "made-up", "api_domain": "https://www.zohoapis.eu"}
NAMELESS = {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Last_Name"}, "message": "required field not found"}
WRITTEN = {"code": "SUCCESS", "details": {"id": "4150868000000001"}}


def test_only_someone_whom_zoho_would_create_gets_a_stand_in_for_the_last_name():
    answers = [FIELDS, (207, {"data": [WRITTEN, NAMELESS]}), (200, {"data": [WRITTEN]})]
    platform = Platform(ZohoCrm(), SETTINGS, *answers)
    outcomes = platform.deliver(
        [record({"Email": "known@example.com"}, id="known"), record({"Email": "new@example.com"}, id="new", minute=1)]
    )
    first, second = (body["data"] for body in platform.sent)
    assert [row.get("Last_Name") for row in first] == [None, None]
    assert [(row["Email"], row["Last_Name"]) for row in second] == [("new@example.com", "new")]
    assert {outcome.result for outcome in outcomes.values()} == {Result.DELIVERED}


def test_a_400_whose_rows_say_more_is_read_row_by_row():
    wrong = {"code": "INVALID_DATA", "details": {"api_name": "Hub_orders"}, "message": "invalid data"}
    platform = Platform(ZohoCrm(), SETTINGS, FIELDS, (400, {"data": [wrong]}))
    outcome = platform.deliver([record({"Email": "a@example.com"})])["r1"]
    assert (outcome.result, outcome.field) == (Result.BAD_MAPPING, "Hub_orders")


def test_a_2xx_without_rows_is_no_delivery():
    outcome = Platform(ZohoCrm(), SETTINGS, FIELDS, (200, {})).deliver([record({"Email": "a@example.com"})])["r1"]
    assert outcome.result is Result.REFUSED


def test_workflows_keep_still_when_switched_off():
    platform = Platform(ZohoCrm(), SETTINGS | {"workflows": False}, FIELDS, (200, {"data": [WRITTEN]}))
    platform.deliver([record({"Email": "a@example.com"})])
    assert platform.sent[0]["trigger"] == []


def test_a_preview_before_the_grant_goes_by_the_data_center():
    platform = Platform(ZohoCrm(), SETTINGS | {"api_domain": "", "accounts_host": "accounts.zohocloud.ca"})
    platform.deliver([record({"Email": "a@example.com"})])
    assert platform.calls[-1].url == "https://www.zohoapis.ca/crm/v8/Contacts/upsert"


def test_the_hubs_fields_go_by_the_api_names_that_the_account_gave_them():
    platform = Platform(ZohoCrm(), SETTINGS, FIELDS, (200, {"data": [WRITTEN]}))
    platform.deliver([record({"Email": "a@example.com", "hub_summary": "1 order", "hub_order_id": "7", "Shoe": "42"})])
    assert platform.sent[0]["data"] == [
        {"Email": "a@example.com", "Hub_Summary1": "1 order", "Hub_order_id": "7", "Shoe": "42"}
    ]

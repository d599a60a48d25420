"""What Salesforce's samples cannot show: quotes in addresses, answers record by record, the permission set."""

from __future__ import annotations

from platforms import Platform, record

from connectors.salesforce.destination import Salesforce
from hub.contract import Result

SETTINGS = {"client_id": "made-up", "client_secret": "made-up", "instance_url": "https://acme.my.salesforce.com"}


def test_a_quote_in_an_address_cannot_end_the_query():
    platform = Platform(Salesforce(), SETTINGS)
    platform.deliver([record({"Email": "o'neil@example.com"})])
    assert "IN ('o\\'neil@example.com')" in platform.calls[0].params["q"]


def test_of_two_contacts_with_one_address_the_older_is_updated():
    rows = [{"Id": "003NEWER", "Email": "a@example.com"}, {"Id": "003OLDER", "Email": "A@example.com"}]
    platform = Platform(Salesforce(), SETTINGS, (200, {"records": rows}), (200, [{"success": True}]))
    platform.deliver([record({"Email": "a@example.com"})])
    assert platform.sent[0]["records"][0]["id"] == "003OLDER"
    assert "LastName" not in platform.sent[0]["records"][0]


def test_each_record_has_its_own_answer():
    errors = [{"statusCode": "STRING_TOO_LONG", "message": "First name: data value too large", "fields": ["FirstName"]}]
    locked = [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}]
    answers = [{"success": False, "errors": errors}, {"success": True}, {"success": False, "errors": locked}]
    platform = Platform(Salesforce(), SETTINGS, (200, {"records": []}), (200, answers))
    outcomes = platform.deliver(
        [record({"Email": f"{name}@example.com"}, id=name, minute=number) for number, name in enumerate("abcd")]
    )
    assert {key: outcome.result for key, outcome in outcomes.items()} == {
        "a": Result.BAD_MAPPING,
        "b": Result.DELIVERED,
        "c": Result.TRY_LATER,
        "d": Result.REFUSED,
    }
    assert outcomes["a"].field == "FirstName"


def test_prepare_creates_hidden_fields_and_shows_them():
    platform = Platform(Salesforce(), SETTINGS, (200, {"fields": []}), *[(201, {"success": True})] * 15)
    platform.ask("prepare")
    made = [body["FullName"] for body in platform.sent if "FullName" in body]
    shown = [row["Field"] for body in platform.sent for row in body.get("records", [])]
    assert len(made) == 15
    assert made == shown


def test_a_field_that_exists_but_is_hidden_is_no_error():
    taken = [{"errorCode": "DUPLICATE_DEVELOPER_NAME", "message": "There is already a field named Hub_Summary"}]
    platform = Platform(Salesforce(), SETTINGS, (200, {"fields": []}), *[(400, taken)] * 15)
    assert "permission set" in platform.ask("prepare")


def test_a_preview_before_the_grant_goes_by_the_log_in_address():
    platform = Platform(Salesforce(), SETTINGS | {"instance_url": "", "login_url": "https://acme.my.salesforce.com/"})
    platform.deliver([record({"Email": "a@example.com"})])
    assert platform.calls[0].url == "https://acme.my.salesforce.com/services/data/v62.0/query"

"""What HubSpot's samples cannot show: answers that say no, and what is asked beside deliveries."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.hubspot.destination import HubSpot
from hub.contract import BadCredentials, BadMapping, Kind, Refused, Result, TryLater

SETTINGS = {"access_token": "made-up", "deals": True}
ANNA, KENJI = "anna@example.com", "kenji@example.com"


def hubspot(*answers, deals=True):
    return Platform(HubSpot(), SETTINGS | {"deals": deals}, *answers)


def test_two_conversions_of_one_person_become_one_input_and_the_later_value_wins():
    platform = hubspot((200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}))
    later = record({"email": " Anna@Example.com", "hub_stage": "purchase"}, id="later", minute=5)
    earlier = record({"email": ANNA, "hub_stage": "lead", "city": "Lyon"}, id="earlier", minute=1)
    outcomes = platform.deliver([later, earlier])
    [body] = platform.sent
    assert [(one["id"], one["properties"]) for one in body["inputs"]] == [
        (ANNA, {"hub_stage": "purchase", "city": "Lyon"})
    ]
    assert {outcome.result for outcome in outcomes.values()} == {Result.DELIVERED}
    assert set(outcomes) == {"later", "earlier"}


def test_an_answer_without_results_is_not_a_delivery():
    outcomes = hubspot((200, {"status": "COMPLETE", "results": []})).deliver([record({"email": ANNA})])
    assert outcomes["r1"].result is Result.REFUSED
    assert "did not write" in outcomes["r1"].detail


def test_results_are_told_apart_by_trace_and_never_by_position():
    platform = hubspot((207, {"results": [{"id": "2", "objectWriteTraceId": KENJI}], "errors": []}), deals=False)
    outcomes = platform.deliver([record({"email": ANNA}, id="anna"), record({"email": KENJI}, id="kenji")])
    assert (outcomes["anna"].result, outcomes["kenji"].result) == (Result.REFUSED, Result.DELIVERED)


def test_a_refused_property_of_one_record_names_its_field():
    error = {
        "category": "VALIDATION_ERROR",
        "message": 'Property values were not valid: [{"isValid":false,"error":"INVALID_INTEGER","name":"hub_orders"}]',
        "context": {"objectWriteTraceId": [ANNA]},
    }
    outcomes = hubspot((207, {"results": [], "errors": [error]})).deliver([record({"email": ANNA})])
    assert (outcomes["r1"].result, outcomes["r1"].field) == (Result.BAD_MAPPING, "hub_orders")
    assert outcomes["r1"].detail.startswith("VALIDATION_ERROR: Property values")


def test_an_unknown_contact_property_names_the_field_of_the_mapping():
    message = r'Property values were not valid: [{"message":"Property \"shoe\" does not exist","name":"shoe"}]'
    with pytest.raises(BadMapping) as caught:
        hubspot((400, {"category": "VALIDATION_ERROR", "message": message})).deliver([record({"email": ANNA})])
    assert caught.value.field == "shoe"


def test_an_unknown_deal_property_is_named_as_the_mapping_names_it():
    refusal = {"category": "VALIDATION_ERROR", "message": 'Property "colour" does not exist'}
    platform = hubspot((200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}), (400, refusal))
    with pytest.raises(BadMapping) as caught:
        platform.deliver([record({"email": ANNA, "deal.hub_order_id": "1001", "deal.colour": "red"})])
    assert caught.value.field == "deal.colour"


def test_a_person_without_email_does_not_hold_up_the_others():
    platform = hubspot((200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}), deals=False)
    outcomes = platform.deliver([record({"firstname": "Nobody"}, id="nobody"), record({"email": ANNA}, id="anna")])
    assert (outcomes["nobody"].result, outcomes["nobody"].field) == (Result.BAD_MAPPING, "email")
    assert outcomes["anna"].result is Result.DELIVERED


def test_no_call_is_made_when_nobody_has_an_email():
    platform = hubspot()
    platform.deliver([record({"firstname": "Nobody"})])
    assert platform.calls == []


def test_a_deal_that_fails_fails_its_record_although_the_contact_was_written():
    platform = hubspot(
        (200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}),
        (
            207,
            {
                "results": [],
                "errors": [{"category": "VALIDATION_ERROR", "message": "Deal stage is not in this pipeline"}],
            },
        ),
    )
    outcomes = platform.deliver([record({"email": ANNA, "deal.hub_order_id": "1001"})])
    assert outcomes["r1"].result is Result.REFUSED
    assert "not in this pipeline" in outcomes["r1"].detail
    assert len(platform.calls) == 2


def test_a_contact_that_failed_gets_no_deal():
    platform = hubspot((200, {"results": []}))
    platform.deliver([record({"email": ANNA, "deal.hub_order_id": "1001"})])
    assert len(platform.calls) == 1


@pytest.mark.parametrize(("kind", "deals"), [(Kind.REFUND, 1), (Kind.CANCELLATION, 0), (Kind.CONTACT, 0)])
def test_only_what_moves_money_touches_a_deal(kind, deals):
    platform = hubspot((200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}))
    platform.deliver([record({"email": ANNA, "deal.hub_order_id": "1001"}, kind=kind, stage=None)])
    assert sum("/deals/batch/upsert" in path for path in platform.paths) == deals


def test_a_lifecycle_stage_that_stayed_is_a_warning():
    kept = {"id": "1", "objectWriteTraceId": ANNA, "properties": {"lifecyclestage": "customer"}}
    outcomes = hubspot((200, {"results": [kept]})).deliver([record({"email": ANNA, "lifecyclestage": "lead"})])
    assert outcomes["r1"].result is Result.DELIVERED_WITH_WARNING
    assert "customer" in outcomes["r1"].detail


def test_the_lifecycle_stage_is_not_written_unless_mapped():
    assert "lifecyclestage" not in HubSpot.default_mapping


def test_values_are_written_as_hubspot_reads_them_and_empty_ones_stay_out():
    platform = hubspot((200, {"results": [{"id": "1", "objectWriteTraceId": ANNA}]}))
    platform.deliver(
        [
            record(
                {
                    "email": ANNA,
                    "vip": True,
                    "sizes": ["S", "M"],
                    "score": 4.5,
                    "raw": {"a": 1},
                    "city": "",
                    "zip": None,
                }
            )
        ]
    )
    assert platform.sent[0]["inputs"][0]["properties"] == {
        "vip": "true",
        "sizes": "S;M",
        "score": "4.5",
        "raw": '{"a": 1}',
    }


@pytest.mark.parametrize(("policy", "seconds"), [("TEN_SECONDLY_ROLLING", 10), ("DAILY", 3600)])
def test_a_limit_holds_up_the_whole_connection_for_as_long_as_its_policy_says(policy, seconds):
    body = {
        "status": "error",
        "message": "You have reached your limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
    }
    with pytest.raises(TryLater) as caught:
        hubspot((429, body)).deliver([record({"email": ANNA})])
    assert (caught.value.after, caught.value.whole_connection) == (seconds, True)


def test_a_missing_permission_is_shown_in_hubspots_own_words():
    body = {"category": "MISSING_SCOPES", "message": "This app hasn't been granted crm.objects.contacts.write"}
    with pytest.raises(BadCredentials) as caught:
        hubspot((403, body)).deliver([record({"email": ANNA})])
    assert "crm.objects.contacts.write" in caught.value.detail


def test_an_expired_key_is_bad_credentials():
    with pytest.raises(BadCredentials):
        hubspot((401, {"category": "INVALID_AUTHENTICATION", "message": "expired"})).deliver([record({"email": ANNA})])


def test_prepare_creates_the_group_and_what_is_missing_and_lives_with_names_that_exist():
    there = {"results": [{"name": "hub_summary"}, {"name": "hub_orders"}]}
    clash = (409, {"category": "OBJECT_ALREADY_EXISTS", "message": "conversion_hub exists"})
    platform = hubspot((200, there), clash, clash)
    said = platform.ask("prepare")
    created = [body["name"] for body in platform.sent]
    assert created[0] == "conversion_hub"
    assert "hub_lifetime_value" in created
    assert "hub_summary" not in created
    assert "Created" in said
    [order] = [body for body in platform.sent if body.get("hasUniqueValue")]
    assert (order["name"], order["groupName"]) == ("hub_order_id", "conversion_hub")


def test_prepare_does_nothing_the_second_time():
    everything = {"results": [{"name": prop.key.removeprefix("deal.")} for prop in HubSpot.fields]}
    platform = hubspot((200, everything), (200, everything))
    platform.ask("prepare")
    assert platform.sent == []


def test_prepare_stops_at_a_real_refusal():
    with pytest.raises(Refused):
        hubspot((200, {"results": []}), (400, {"message": "group limit reached"})).ask("prepare")


def test_without_deals_nothing_of_deals_is_asked_or_created():
    platform = hubspot(deals=False)
    platform.ask("prepare")
    platform.ask("discover")
    assert not [path for path in platform.paths if "deals" in path]


def test_discovery_gives_labels_types_and_options_and_leaves_out_what_cannot_be_written():
    listing = {
        "results": [
            {"name": "email", "label": "Email", "type": "string", "fieldType": "text", "groupName": "contacts"},
            {
                "name": "color",
                "label": "Colors",
                "type": "enumeration",
                "fieldType": "checkbox",
                "options": [{"label": "Red", "value": "r"}],
            },
            {"name": "hs_score", "label": "Score", "type": "number", "modificationMetadata": {"readOnlyValue": True}},
            {"name": "hidden", "label": "Hidden", "type": "string", "hidden": True},
            {"name": "born", "label": "Born", "type": "date", "description": "Birthday"},
        ]
    }
    found = hubspot((200, listing), (200, {"results": [{"name": "amount", "label": "Amount", "type": "number"}]})).ask(
        "discover"
    )
    assert [(field.key, field.type, field.required) for field in found] == [
        ("email", "text", True),
        ("color", "list", False),
        ("born", "datetime", False),
        ("deal.amount", "number", False),
    ]
    assert found[1].options == (("r", "Red"),)
    assert found[2].help.en == "Birthday"


def test_check_says_when_prepare_is_still_to_be_pressed():
    assert "Prepare" in hubspot((200, {"results": []})).ask("check")
    everything = {"results": [{"name": field.key} for field in HubSpot.fields]}
    assert "Prepare" not in hubspot((200, everything)).ask("check")

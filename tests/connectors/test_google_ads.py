"""Google Ads: bodies held against the vendor's own schema, verdicts that come later, refunds and lists."""

import json

import pytest
from google.ads import datamanager_v1 as data_manager
from google.protobuf import json_format
from marshmallow import ValidationError
from platforms import Platform, record

from connectors.google_ads.destination import GoogleAds, verdict
from hub.contract import Kind, Outcome, Result, Stage
from hub.testing.subject import subject

SETTINGS = json.loads(subject("google_ads").settings_file("destination").read_text("utf-8"))
ANN = {"email": "ann@example.com", "value": "74.90", "currency": "EUR", "order_id": "A-1"}
TAKEN = (200, {"requestId": "req-1"})


def platform(*answers, **settings):
    return Platform(GoogleAds(), SETTINGS | settings, *answers)


def body(values=ANN, *, kind=Kind.CONVERSION, stage=Stage.PURCHASE, **settings):
    google = platform(TAKEN, **settings)
    google.deliver([record(dict(values), kind=kind, stage=stage)])
    return google.sent[0], google.paths[0]


BODIES = [
    pytest.param(call.body, id=f"{sample.name}-{number}")
    for sample in subject("google_ads").outgoing
    for number, call in enumerate(sample.expected or [])
]


@pytest.mark.parametrize("content", BODIES)
def test_every_sample_is_a_request_by_googles_own_schema(content):
    json_format.Parse(content, data_manager.IngestEventsRequest.pb(data_manager.IngestEventsRequest()))


@pytest.mark.parametrize(
    ("action", "path", "request_type"),
    [
        ("add", "POST /v1/audienceMembers:ingest", data_manager.IngestAudienceMembersRequest),
        ("remove", "POST /v1/audienceMembers:remove", data_manager.RemoveAudienceMembersRequest),
    ],
)
def test_people_join_and_leave_a_list_by_googles_own_schema(action, path, request_type):
    person = ANN | {"first_name": "Ann", "last_name": "Lee", "postal_code": "94035", "country": "us"}
    sent, asked = body(person | {"audience_action": action, "consent_ads": True}, sends="audience", audience_id="77")
    assert asked == path
    json_format.Parse(json.dumps(sent), request_type.pb(request_type()))
    assert sent["destinations"][0]["productDestinationId"] == "77"
    assert sent["audienceMembers"][0]["userData"]["userIdentifiers"][1]["address"]["regionCode"] == "US"


def test_a_list_without_its_number_is_not_taken():
    with pytest.raises(ValidationError) as caught:
        platform(sends="audience")
    assert caught.value.messages == {"audience_id": ["Enter the number of the list."]}


def test_only_one_click_id_goes_along_and_an_address_needs_all_of_its_parts():
    sent, _ = body(ANN | {"gclid": "G", "gbraid": "B", "first_name": "Ann", "country": "FR"})
    assert sent["events"][0]["adIdentifiers"] == {"gclid": "G"}
    assert [list(each) for each in sent["events"][0]["userData"]["userIdentifiers"]] == [["emailAddress"]]


def test_refunds_go_only_where_their_sale_went_and_that_has_a_conversion_action():
    assert GoogleAds.amends == {Kind.REFUND}
    google = platform(conversion_actions={"add_to_cart": "1"})
    told = google.deliver([record(dict(ANN), kind=Kind.REFUND, stage=None)])
    assert not google.calls
    assert told["r1"].result is Result.SKIPPED


def test_a_refund_is_the_sale_again_with_what_is_left_of_it():
    sale, _ = body()
    refund, _ = body(ANN | {"value": "49.90"}, kind=Kind.REFUND, stage=None)
    assert sale["destinations"] == refund["destinations"]
    assert sale["events"][0]["transactionId"] == refund["events"][0]["transactionId"] == "A-1"
    assert refund["events"][0]["conversionValue"] == 49.9


def test_a_refund_without_its_order_id_would_be_a_new_sale_and_is_held_back():
    told = platform().deliver([record(ANN | {"order_id": None}, kind=Kind.REFUND, stage=None)])
    assert (told["r1"].result, told["r1"].field) == (Result.BAD_MAPPING, "order_id")


def test_each_conversion_action_has_requests_and_so_verdicts_of_its_own():
    google = platform()
    groups = {
        google.destination.group(record(dict(ANN), kind=kind, stage=stage), google.settings)
        for kind, stage in (
            (Kind.CONVERSION, Stage.PURCHASE),
            (Kind.REFUND, None),
            (Kind.CONVERSION, Stage.ADD_TO_CART),
        )
    }
    assert len(groups) == 2


def test_what_is_taken_waits_for_its_verdict():
    told = platform(TAKEN).deliver([record(dict(ANN))])
    assert told["r1"] == Outcome.pending("req-1", 900.0)


def test_an_event_that_google_names_is_taken_out_and_the_others_go_again():
    named = {
        "error": {"details": [{"fieldViolations": [{"field": "events.events[1].currency", "description": "Bad"}]}]}
    }
    google = platform((400, named), TAKEN)
    told = google.deliver([record(dict(ANN), id=name) for name in ("a", "b", "c")])
    assert [len(sent["events"]) for sent in google.sent] == [3, 2]
    assert told["b"].result is Result.REFUSED
    assert {told["a"].result, told["c"].result} == {Result.PENDING}


def status(state, *reasons):
    counts = [{"reason": f"PROCESSING_ERROR_REASON_{reason}", "recordCount": "2"} for reason in reasons]
    return {"requestStatus": state} | ({"errorInfo": {"errorCounts": counts}} if counts else {})


@pytest.mark.parametrize(
    ("said", "result", "reason"),
    [
        (status("PROCESSING"), Result.PENDING, "verdict_awaited"),
        (None, Result.PENDING, "verdict_awaited"),
        (status("SUCCESS"), Result.DELIVERED, ""),
        (status("PARTIAL_SUCCESS", "CLICK_NOT_FOUND"), Result.DELIVERED_WITH_WARNING, ""),
        (status("FAILED", "DUPLICATE_TRANSACTION_ID"), Result.DUPLICATE, "had_it_already"),
        (status("FAILED", "DUPLICATE_GCLID"), Result.DUPLICATE, "had_it_already"),
        (status("FAILED", "EVENT_TOO_OLD"), Result.EXPIRED, "too_old"),
        (status("FAILED", "CONVERSION_PRECEDES_CLICK"), Result.REFUSED, "refused_by_destination"),
        (status("FAILED", "TOO_RECENT_CLICK"), Result.TRY_LATER, ""),
        (status("FAILED", "DENIED_CONSENT"), Result.SKIPPED, "no_consent"),
        (status("FAILED", "DENIED_CONSENT", "INVALID_GCLID"), Result.REFUSED, "refused_by_destination"),
        (status("FAILED"), Result.REFUSED, "refused_by_destination"),
    ],
)
def test_each_verdict_has_its_outcome(said, result, reason):
    told = verdict(said, "req-1")
    assert (told.result, told.reason) == (result, reason)


def test_the_reasons_that_have_outcomes_of_their_own_are_googles():
    from connectors.google_ads.destination import VERDICTS

    known = {each.name.removeprefix("PROCESSING_ERROR_REASON_") for each in data_manager.ProcessingErrorReason}
    assert set(VERDICTS) <= known


def test_the_verdict_is_asked_for_under_its_ticket():
    google = platform((200, {"requestStatusPerDestination": [status("SUCCESS")]}))
    recipe = google.destination.poll("req-1", google.settings)
    call = next(recipe)
    assert (call.method, call.params) == ("GET", {"requestId": "req-1"})
    with pytest.raises(StopIteration) as end:
        recipe.send(google.answer(call))
    assert end.value.value.result is Result.DELIVERED

"""What sets one ad platform apart from the others, beyond what its samples say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from platforms import Platform, record

from hub.connecting.registry import registry
from hub.contract import BadCredentials, Kind, Outcome, Record, Refused, Result, Stage, TryLater
from hub.testing.subject import subject
from hub.toolkit.ads import AdPlatform

ANN = {"email": "ann@example.com", "value": "49.90", "currency": "EUR", "order_id": "A-1"}
PLATFORMS = [
    slug
    for slug in registry().slugs()
    if "destination" in registry().roles(slug) and isinstance(registry().destination(slug), AdPlatform)
]
EVENTS = [slug for slug in PLATFORMS if slug not in ("meta", "meta_audiences")]  # Meta's fields have names of their own


def platform(slug: str, *answers: tuple[int, Any], **settings: Any) -> Platform:
    given = json.loads(subject(slug).settings_file("destination").read_text("utf-8"))
    return Platform(registry().destination(slug), given | settings, *answers)


def three(**values: Any) -> list[Record]:
    return [record(ANN | values, id=name) for name in ("a", "b", "c")]


def results(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.result.value for name, outcome in sorted(outcomes.items())}


def listed(body: Any) -> list[Any]:
    """The events in a body, whatever its member is called."""
    if isinstance(body, list):
        return body
    for name in ("data", "events", "elements", "conversions"):
        if name in body:
            return listed(body[name])
    raise AssertionError(body)


@pytest.mark.parametrize("slug", PLATFORMS)
def test_leads_are_off_and_ads_consent_is_asked_for_everywhere(slug: str) -> None:
    destination = registry().destination(slug)
    assert destination.default_stages is not None
    assert Stage.LEAD not in destination.default_stages
    assert destination.purpose == "ads"


@pytest.mark.parametrize("slug", EVENTS)
def test_what_the_platform_would_refuse_does_not_enter_the_batch(slug: str) -> None:
    nobody = record({"value": "5", "currency": "EUR"}, id="nobody")
    no_number = record(ANN | {"value": "49,90 €"}, id="no_number")
    at = platform(slug)
    told = at.deliver([nobody, no_number, record(dict(ANN), id="good")])
    assert (told["nobody"].result, told["no_number"].result) == (Result.BAD_MAPPING, Result.BAD_MAPPING)
    assert told["no_number"].field == "value"
    assert [len(listed(body)) for body in at.sent] == [1]


@pytest.mark.parametrize("slug", [slug for slug in EVENTS if slug != "linkedin"])  # takes conversions without a value
def test_a_missing_currency_is_never_filled_in(slug: str) -> None:
    told = platform(slug).deliver([record(ANN | {"currency": None})])
    assert (told["r1"].result, told["r1"].field) == (Result.BAD_MAPPING, "currency")


@pytest.mark.parametrize("slug", EVENTS)
def test_empty_identifiers_are_left_out_and_never_hashed(slug: str) -> None:
    at = platform(slug)
    at.deliver([record(ANN | {"phone": "", "first_name": " ", "ip": "", "country": "Atlantis", "external_id": None})])
    assert "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" not in json.dumps(at.sent)


@pytest.mark.parametrize("slug", EVENTS)
def test_all_tries_carry_the_same_id_and_time(slug: str) -> None:
    first, second = platform(slug), platform(slug)
    for at in (first, second):
        at.deliver(three())
    assert first.sent == second.sent


@pytest.mark.parametrize(
    ("slug", "status", "answer"),
    [
        ("tiktok", 200, {"code": 40002, "message": "Batch.1.event_time: too old"}),
        ("linkedin", 400, {"message": "Index: 1, ERROR :: /user/userIds :: invalid"}),
        ("linkedin", 422, {"message": "Index: 1, ERROR :: /conversionHappenedAt :: older than 90 days"}),
    ],
)
def test_a_row_that_the_platform_names_is_taken_out_and_the_others_go_again(
    slug: str, status: int, answer: Any
) -> None:
    at = platform(slug, (status, answer))
    assert results(at.deliver(three())) == {"a": "delivered", "b": "refused", "c": "delivered"}
    assert [len(listed(body)) for body in at.sent] == [3, 2]


def test_a_platform_that_names_ever_new_rows_is_not_asked_for_ever() -> None:
    at = platform("tiktok", *[(200, {"code": 40002, "message": "Batch.0.event: bad"})] * 50)
    with pytest.raises(Refused, match="goes on naming"):
        at.deliver([record(dict(ANN), id=f"r{number}") for number in range(50)])
    assert len(at.calls) == 10


def test_a_row_named_outside_the_batch_is_a_refusal_of_all() -> None:
    with pytest.raises(Refused):
        platform("tiktok", (200, {"code": 40002, "message": "Batch.7.event: bad"})).deliver(three())


@pytest.mark.parametrize(
    ("slug", "status", "answer"),
    [
        ("pinterest", 422, {"events": [{"status": "processed"}, {"status": "failed"}, {"status": "processed"}]}),
        ("pinterest", 200, {"events": [{"status": "processed"}, {"status": "failed"}, {"status": "processed"}]}),
        ("microsoft_ads", 200, {"eventsReceived": 2, "error": {"details": [{"index": 1, "errorMessage": "old"}]}}),
        ("microsoft_ads", 400, {"eventsReceived": 2, "error": {"details": [{"index": 1, "errorMessage": "old"}]}}),
        ("linkedin", 200, {"elements": [{"status": 201}, {"status": 400}, {"status": 201}]}),
    ],
)
def test_each_event_has_the_verdict_that_the_platform_gives_it(slug: str, status: int, answer: Any) -> None:
    at = platform(slug, (status, answer))
    assert results(at.deliver(three())) == {"a": "delivered", "b": "refused", "c": "delivered"}
    assert len(at.calls) == 1


def test_a_batch_of_which_pinterest_took_none_refuses_each_by_its_own_words() -> None:
    failed = {"events": [{"status": "failed", "error_message": f"words {number}"} for number in range(3)]}
    told = platform("pinterest", (422, failed)).deliver(three())
    assert [told[name].detail for name in ("a", "b", "c")] == ["words 0", "words 1", "words 2"]


def test_tests_go_where_they_are_not_counted() -> None:
    marked = {}
    for slug in ("tiktok", "reddit", "pinterest", "snapchat", "google_ads"):
        at = platform(slug)
        test = record(dict(ANN))
        test.test = True
        at.deliver([test])
        marked[slug] = at
    assert marked["tiktok"].sent[0]["test_event_code"] == "TEST40231"
    assert marked["reddit"].sent[0]["data"]["test_id"] == "t2_abc123"
    assert marked["pinterest"].calls[0].params == {"test": "true"}
    assert marked["snapchat"].paths[0].endswith("/events/validate")
    assert marked["google_ads"].sent[0]["validateOnly"] is True
    for slug in ("linkedin", "microsoft_ads", "x_ads", "meta_audiences"):
        assert not registry().destination(slug).sends_tests


@pytest.mark.parametrize("slug", ["tiktok", "reddit"])
def test_a_test_is_not_sent_without_the_code_that_marks_it(slug: str) -> None:
    destination = registry().destination(slug)
    assert isinstance(destination, AdPlatform)
    at = platform(slug, **{destination.test_code: ""})
    test = record(dict(ANN))
    test.test = True
    assert at.deliver([test])["r1"].reason == "test_not_sent"
    assert not at.calls


@pytest.mark.parametrize(
    ("slug", "setting"), [("linkedin", "rules"), ("x_ads", "events"), ("google_ads", "conversion_actions")]
)
def test_a_stage_without_an_id_of_the_owners_is_passed_over(slug: str, setting: str) -> None:
    at = platform(slug, **{setting: {"purchase": "77"}})
    assert at.deliver([record(dict(ANN), stage=Stage.ADD_TO_CART)])["r1"].reason == "stage_not_accepted"
    assert not at.calls
    at.deliver([record(dict(ANN))])
    assert "77" in json.dumps(at.sent)


def test_linkedin_takes_names_both_or_not_at_all() -> None:
    def user(**values: str) -> Any:
        at = platform("linkedin")
        at.deliver([record(ANN | values)])
        return at.sent[0]["elements"][0]["user"]

    assert "userInfo" not in user(first_name="Ann", country="US")
    assert user(first_name="Ann", last_name="Lee")["userInfo"] == {"firstName": "Ann", "lastName": "Lee"}


def test_x_takes_an_address_and_a_browser_together_or_inside_another_identifier() -> None:
    def found(**values: str) -> Any:
        at = platform("x_ads")
        at.deliver([record({"value": "5", "currency": "EUR"} | values)])
        return at.sent[0]["conversions"][0]["identifiers"]

    assert found(ip="203.0.113.7", user_agent="M") == [{"ip_address": "203.0.113.7", "user_agent": "M"}]
    assert found(ip="203.0.113.7", twclid="T") == [{"twclid": "T", "ip_address": "203.0.113.7"}]
    alone = platform("x_ads").deliver([record({"value": "5", "currency": "EUR", "ip": "203.0.113.7"})])
    assert alone["r1"].result is Result.BAD_MAPPING


def test_reddit_alone_takes_the_address_hashed_and_the_click_id_in_clear() -> None:
    at = platform("reddit")
    at.deliver([record(ANN | {"ip": "203.0.113.7", "rdt_cid": "Click_01"})])
    event = at.sent[0]["data"]["events"][0]
    assert event["click_id"] == "Click_01"
    assert len(event["user"]["ip_address"]) == 64


@pytest.mark.parametrize("slug", ["tiktok", "pinterest", "snapchat", "microsoft_ads", "reddit", "google_ads"])
def test_checking_tells_a_wrong_token_from_an_empty_message(slug: str) -> None:
    assert "answers to these credentials" in platform(slug, (400, {"message": "no events"})).ask("check")
    with pytest.raises(BadCredentials):
        platform(slug, (401, {})).ask("check")
    with pytest.raises(Refused):
        platform(slug, (404, {})).ask("check")
    with pytest.raises(TryLater):
        platform(slug, (503, {})).ask("check")


def test_an_audience_is_a_table_with_empty_cells_where_nothing_is_known() -> None:
    at = platform("meta_audiences")
    at.deliver([record({"email": "ann@example.com", "external_id": "U-1"}), record({"phone": "+33612345678"}, id="r2")])
    payload = json.loads(at.calls[0].form["payload"])  # type: ignore[index]  # this platform sends forms
    rows = [dict(zip(payload["schema"], row, strict=True)) for row in payload["data"]]
    assert rows[0]["EXTERN_ID"] == "U-1"
    assert [len(row["EMAIL"]) for row in rows] == [64, 0]
    assert [len(row["PHONE"]) for row in rows] == [0, 64]


def test_those_who_join_and_those_who_leave_an_audience_never_share_a_request() -> None:
    at = platform("meta_audiences")
    join, leave = record({"action": "add"}), record({"action": "remove"})
    other = record({"action": "add", "audience": "42"})
    assert len({at.destination.group(each, at.settings) for each in (join, leave, other)}) == 3
    at.deliver([record({"email": "ann@example.com", "audience": "42/../7"})])
    assert at.paths == ["POST /v25.0/23851234567890123/users"]


def test_an_event_without_a_stage_is_held_back() -> None:
    told = platform("tiktok").deliver([record(dict(ANN), kind=Kind.CONVERSION, stage=None)])
    assert told["r1"].result is Result.BAD_MAPPING

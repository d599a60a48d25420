"""What Mailchimp's samples cannot show: people it locks, odd fields, and what is asked beside deliveries."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError
from platforms import Platform, record

from connectors.mailchimp.destination import Mailchimp
from hub.contract import BadCredentials, BadMapping, Refused, Result, TryLater

SETTINGS = {"api_key": "made-up-us21", "audience": "a1b2c3d4e5"}
EMAIL = "anna@example.com"


def mailchimp(*answers, **settings):
    return Platform(Mailchimp(), SETTINGS | settings, *answers)


@pytest.mark.parametrize(
    ("consent", "setting", "status"),
    [
        (True, "pending", "pending"),
        (True, "subscribed", "subscribed"),
        (None, "subscribed", "transactional"),
        (False, "subscribed", "transactional"),
        ("true", "subscribed", "transactional"),
    ],
)
def test_only_a_recorded_agreement_makes_a_new_person_more_than_transactional(consent, setting, status):
    platform = mailchimp(consenting=setting)
    platform.deliver(record({"email": EMAIL, "email_consent": consent}))
    assert platform.sent[0] == {"email_address": EMAIL, "status_if_new": status}


def test_the_status_of_someone_known_is_never_sent():
    platform = mailchimp()
    platform.deliver(record({"email": EMAIL, "status": "subscribed", "STATUS": "x", "email_consent": True}))
    assert "status" not in platform.sent[0]


@pytest.mark.parametrize("title", ["Member In Compliance State", "Forgotten Email Not Subscribed"])
def test_a_locked_person_is_skipped_with_the_reason_and_nothing_more_is_sent(title):
    platform = mailchimp((400, {"title": title, "status": 400, "detail": "anna cannot be subscribed"}))
    outcome = platform.deliver(record({"email": EMAIL, "tags": ["lead"]}))
    assert (outcome.result, outcome.reason) == (Result.SKIPPED, "person_suppressed")
    assert title in outcome.detail
    assert len(platform.calls) == 1


def test_a_supposed_fake_sign_up_is_tried_again_after_hours():
    detail = "anna has signed up to a lot of lists very recently; we're not allowing more signups for now"
    with pytest.raises(TryLater) as caught:
        mailchimp((400, {"title": "Invalid Resource", "status": 400, "detail": detail})).deliver(
            record({"email": EMAIL})
        )
    assert caught.value.after >= 3600
    assert not caught.value.whole_connection


def test_a_merge_field_that_is_refused_is_named():
    body = {
        "title": "Invalid Resource",
        "detail": "The resource submitted could not be validated.",
        "errors": [{"field": "BIRTHDAY", "message": "Please enter a month and day"}],
    }
    with pytest.raises(BadMapping) as caught:
        mailchimp((400, body)).deliver(record({"email": EMAIL, "BIRTHDAY": "1980-01-02"}))
    assert caught.value.field == "BIRTHDAY"
    assert "month and day" in caught.value.message


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadCredentials), (403, BadCredentials), (404, Refused), (429, TryLater)]
)
def test_other_answers_mean_what_their_status_says(status, error):
    with pytest.raises(error):
        mailchimp((status, {"title": "No", "detail": "no"})).deliver(record({"email": EMAIL}))


def test_a_whole_address_is_sent_and_a_partial_one_is_left_out_with_a_warning():
    whole = {"ADDRESS.addr1": "1 rue X", "ADDRESS.city": "Lyon", "ADDRESS.state": "ARA", "ADDRESS.zip": "69002"}
    platform = mailchimp()
    outcome = platform.deliver(record({"email": EMAIL, **whole}))
    assert platform.sent[0]["merge_fields"]["ADDRESS"] == {
        "addr1": "1 rue X",
        "city": "Lyon",
        "state": "ARA",
        "zip": "69002",
    }
    assert outcome.result is Result.DELIVERED
    platform = mailchimp()
    outcome = platform.deliver(record({"email": EMAIL, "ADDRESS.city": "Lyon", "FNAME": "Anna"}))
    assert platform.sent[0]["merge_fields"] == {"FNAME": "Anna"}
    assert outcome.result is Result.DELIVERED_WITH_WARNING
    assert "ADDRESS" in outcome.detail


def test_an_event_comes_last_with_texts_as_values():
    platform = mailchimp()
    platform.deliver(
        record(
            {"email": EMAIL, "tags": "vip", "event_name": "bought", "event_properties": {"amount": 4.5, "none": None}}
        )
    )
    assert [path.rpartition("/")[2] for path in platform.paths][1:] == ["tags", "events"]
    assert platform.sent[2] == {
        "name": "bought",
        "properties": {"amount": "4.5"},
        "occurred_at": "2026-11-21T12:00:00+00:00",
    }


@pytest.mark.parametrize("name", ["x", "a b", "é" * 5, "x" * 31])
def test_an_event_name_that_mailchimp_would_refuse_is_a_mapping_error(name):
    with pytest.raises(BadMapping) as caught:
        mailchimp().deliver(record({"email": EMAIL, "event_name": name}))
    assert caught.value.field == "event_name"


def test_a_missing_email_is_a_mapping_error_before_any_call():
    platform = mailchimp()
    with pytest.raises(BadMapping):
        platform.deliver(record({"FNAME": "Anna"}))
    assert platform.calls == []


@pytest.mark.parametrize("key", ["0123456789abcdef", "abc-", "abc-evil.example/", "abc-us21.evil", "abc-us21\n"])
def test_a_key_whose_data_center_would_lead_elsewhere_is_not_accepted(key):
    if key.endswith("\n"):
        assert Mailchimp.Settings().load(SETTINGS | {"api_key": key})["api_key"] == "abc-us21"
        return
    with pytest.raises(ValidationError):
        Mailchimp.Settings().load(SETTINGS | {"api_key": key})


def test_the_call_goes_to_the_data_center_of_the_key():
    platform = mailchimp()
    platform.deliver(record({"email": EMAIL}))
    assert platform.calls[0].url.startswith("https://us21.api.mailchimp.com/3.0/lists/a1b2c3d4e5/members/")


def test_check_names_the_audience():
    platform = mailchimp((200, {"health_status": "Everything's Chimpy!"}), (200, {"name": "Customers"}))
    assert "Customers" in platform.ask("check")
    assert platform.paths == ["GET /3.0/ping", "GET /3.0/lists/a1b2c3d4e5"]


def test_discovery_gives_the_audiences_merge_fields_beside_the_fixed_ones():
    merges = [
        {"tag": "FNAME", "name": "First", "type": "text", "required": True},
        {"tag": "ADDRESS", "name": "Address", "type": "address", "required": False},
        {"tag": "SIZE", "name": "Size", "type": "dropdown", "options": {"choices": ["S", "M"]}},
    ]
    found = {field.key: field for field in mailchimp((200, {"merge_fields": merges})).ask("discover")}
    assert {"email", "email_consent", "tags", "event_name"} <= set(found)
    assert found["FNAME"].required
    assert {"ADDRESS.addr1", "ADDRESS.zip"} <= set(found)
    assert found["SIZE"].options == (("S", "S"), ("M", "M"))
    assert "LNAME" not in found

"""What Customer.io's samples cannot show: one person several times in a batch, long values, the wrong data center."""

from __future__ import annotations

from platforms import Platform, record

from connectors.customerio.destination import Customerio
from hub.contract import Result

SETTINGS = {"site_id": "site", "api_key": "made-up"}


def test_a_person_is_sent_once_with_the_latest_values_and_every_event():
    platform = Platform(Customerio(), SETTINGS)
    platform.deliver(
        [
            record({"email": "anna@example.com", "city": "Lyon", "event_name": "purchase"}, id="new", minute=2),
            record({"email": "Anna@Example.com", "city": "Paris", "event_name": "lead"}, id="old", minute=1),
        ]
    )
    (batch,) = (sent["batch"] for sent in platform.sent)
    assert [entry["action"] for entry in batch] == ["identify", "event", "event"]
    assert batch[0]["attributes"]["city"] == "Lyon"
    assert {entry["name"] for entry in batch[1:]} == {"lead", "purchase"}


def test_a_person_that_is_refused_takes_along_all_that_was_told_of_them():
    errors = [{"batch_index": 0, "reason": "invalid", "field": "email", "message": "no"}, {"batch_index": 99}, {}]
    platform = Platform(Customerio(), SETTINGS, (207, {"errors": errors}))
    people = [
        record({"email": "a@example.com"}, id="a"),
        record({"email": "b@example.com"}, id="b"),
        record({}, id="c"),
    ]
    outcomes = platform.deliver(people)
    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "a": Result.REFUSED,
        "b": Result.DELIVERED,
        "c": Result.BAD_MAPPING,
    }


def test_unsubscribed_is_never_sent_and_long_values_are_cut():
    platform = Platform(Customerio(), SETTINGS)
    platform.deliver([record({"email": "anna@example.com", "unsubscribed": False, "note": "é" * 600})])
    attributes = platform.sent[0]["batch"][0]["attributes"]
    assert "unsubscribed" not in attributes
    assert attributes["note"] == "é" * 500


def test_check_tells_credentials_of_the_other_data_center():
    assert "EU" in Platform(Customerio(), SETTINGS, (200, {"data_center": "eu"})).ask("check")
    assert "knows" in Platform(Customerio(), SETTINGS, (200, {"data_center": "us"})).ask("check")

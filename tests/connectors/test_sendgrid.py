"""What SendGrid's samples cannot show: imports that are judged later, and who joins the list."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.sendgrid.destination import Sendgrid
from hub.connecting.rehearsal import drive
from hub.contract import Outcome, Result

LIST = "5f0c1f7e-3b1a-4c55-9a31-0f2f3b1a4c55"
SETTINGS = {"api_key": "SG.made-up", "list_id": LIST}
NO_FIELDS = (200, {"custom_fields": []})


def poll(body: object) -> Outcome:
    platform = Platform(Sendgrid(), SETTINGS, (200, body))
    outcome = drive(platform.destination.poll("job-1", platform.settings), platform.answer)
    assert platform.paths == ["GET /v3/marketing/contacts/imports/job-1"]
    return outcome


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"status": "pending"}, Result.PENDING),
        ({}, Result.PENDING),
        ({"status": "completed", "results": {"requested_count": 2, "errored_count": 0}}, Result.DELIVERED),
        ({"status": "completed", "results": {"requested_count": 2, "errored_count": 1}}, Result.DELIVERED_WITH_WARNING),
        ({"status": "errored", "results": {"requested_count": 2, "errored_count": 2}}, Result.REFUSED),
        ({"status": "failed", "results": {}}, Result.REFUSED),
    ],
)
def test_an_import_ends_as_sendgrid_says(body, result):
    outcome = poll(body)
    assert outcome.result is result
    if result is Result.PENDING:
        assert (outcome.ticket, outcome.after) == ("job-1", 60.0)


def test_all_records_of_an_import_wait_under_its_ticket_and_a_person_is_named_once():
    platform = Platform(Sendgrid(), SETTINGS, NO_FIELDS, (202, {"job_id": "job-1"}))
    outcomes = platform.deliver(
        [
            record({"email": "anna@example.com"}, id="a"),
            record({"email": "Anna@example.com"}, id="b"),
            record({}, id="c"),
        ]
    )
    assert {name: outcome.ticket for name, outcome in outcomes.items()} == {"a": "job-1", "b": "job-1", "c": ""}
    assert outcomes["c"].result is Result.BAD_MAPPING
    assert len(platform.sent[0]["contacts"]) == 1


def test_a_yes_without_a_ticket_proves_nothing():
    platform = Platform(Sendgrid(), SETTINGS, NO_FIELDS, (202, {}))
    outcomes = platform.deliver([record({"email": "anna@example.com"})])
    assert outcomes["r1"].result is Result.ACCEPTED_UNVERIFIED


def test_only_those_who_agreed_share_a_call_with_the_list():
    destination, settings = Sendgrid(), Sendgrid.Settings().load(SETTINGS)
    yes, unknown = record({"email_consent": True}), record({})
    assert destination.group(yes, settings) != destination.group(unknown, settings)
    assert destination.group(yes, {**settings, "list_id": ""}) == destination.group(unknown, settings)

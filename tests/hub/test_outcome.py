"""What an answer of a destination means."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from timeit import timeit

import pytest

from hub.contract import (
    BadCredentials,
    BadMapping,
    ConnectorBroken,
    DeliveryError,
    Destination,
    Gone,
    Headers,
    Outcome,
    Refused,
    Reply,
    Result,
    TryLater,
)
from hub.outgoing.answers import judge, outcome_of, retry_after

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Plain(Destination):
    slug = "plain"


class Picky(Destination):
    """Says no inside a 200, calls 409 a duplicate, and trips over anything that is no JSON object."""

    slug = "picky"

    def judge(self, reply: Reply) -> Outcome | None:
        if reply.json()["status"] == "no":
            raise Refused("It said no.", status=reply.status)
        return Outcome(Result.DUPLICATE) if reply.status == 409 else None


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


def error_for(status: int, body: bytes = b"", destination: Destination | None = None, **headers: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        judge(destination or Plain(), reply(status, body, **headers), NOW)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    assert judge(Plain(), reply(status), NOW) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (404, Refused),
        (413, Refused),
        (422, Refused),
        (401, BadCredentials),
        (403, BadCredentials),
        (410, Gone),
        (100, TryLater),
        (301, TryLater),
        (302, TryLater),
        (304, TryLater),
        (308, TryLater),
        (405, TryLater),
        (408, TryLater),
        (409, TryLater),
        (425, TryLater),
        (429, TryLater),
        (500, TryLater),
        (502, TryLater),
        (503, TryLater),
        (504, TryLater),
        (599, TryLater),
        (0, TryLater),
    ],
)
def test_each_status_has_its_consequence(status: int, kind: type[DeliveryError]) -> None:
    assert type(error_for(status)) is kind


def test_the_errors_of_a_refusal_carry_the_status_and_the_destinations_words() -> None:
    error = error_for(422, b'{"errors":[{"detail":"email is invalid"}]}')
    assert isinstance(error, Refused)
    assert (error.status, error.detail) == (422, "email is invalid")


def test_an_error_page_is_shown_as_text() -> None:
    assert error_for(500, b"<html><h1>Bad\n Gateway</h1></html>").detail == "Bad Gateway"


@pytest.mark.parametrize("body", [b"", b"{", b"[[[", b"[]", b"{}", b"\xff\xfe", b'{"error":{"message":["x"]}}'])
def test_a_broken_body_never_breaks_the_verdict(body: bytes) -> None:
    assert isinstance(error_for(503, body), TryLater)


def test_the_connector_may_say_no_inside_a_200() -> None:
    assert error_for(200, b'{"status":"no"}', Picky()).message == "It said no."


def test_the_connector_may_call_an_error_status_a_success() -> None:
    outcome = judge(Picky(), reply(409, b'{"status":"yes"}'), NOW)
    assert outcome is not None
    assert outcome.result is Result.DUPLICATE


def test_a_connector_that_trips_over_an_error_page_leaves_the_verdict_to_the_status() -> None:
    assert isinstance(error_for(503, b"<html>", Picky()), TryLater)
    assert isinstance(error_for(401, b"<html>", Picky()), BadCredentials)


def test_a_connector_that_trips_over_a_success_is_called_broken_and_not_tried_again() -> None:
    outcome = outcome_of(error_for(200, b"<html>", Picky()))
    assert (outcome.result, outcome.reason) == (Result.REFUSED, "connector_broken")
    assert "TypeError" in outcome.detail


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("1.2", 2),
        ("0.01", 1),
        ("86400", 86400),
        ("86401", 86400),
        ("31536000", 86400),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=365), usegmt=True), 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("0x10", None),
        ("12, 13", None),
        ("٣", None),
        ("9" * 400, None),
        ("Sat, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_honored_up_to_a_day_and_garbage_is_ignored(header: str, seconds: float | None) -> None:
    assert retry_after(Headers({"Retry-After": header}), NOW) == seconds


def test_a_rate_limit_holds_back_the_whole_connection() -> None:
    error = error_for(429, retry_after="30")
    assert isinstance(error, TryLater)
    assert (error.after, error.whole_connection) == (30, True)


def test_an_overload_that_names_a_time_holds_back_the_whole_connection_too() -> None:
    named, bare = error_for(503, retry_after="30"), error_for(503)
    assert isinstance(named, TryLater)
    assert isinstance(bare, TryLater)
    assert (named.whole_connection, bare.whole_connection) == (True, False)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TryLater("Later.", after=9.0), Outcome(Result.TRY_LATER, "destination_not_accepting", "Later.", after=9.0)),
        (Refused("No.", detail="bad e-mail"), Outcome(Result.REFUSED, "refused_by_destination", "No. bad e-mail")),
        (BadCredentials("Key."), Outcome(Result.BAD_CREDENTIALS, "credentials_refused", "Key.")),
        (Gone("Gone."), Outcome(Result.REFUSED, "destination_gone", "Gone.")),
        (BadMapping("email", "Empty."), Outcome(Result.BAD_MAPPING, "required_field_empty", "Empty.", field="email")),
        (ConnectorBroken("Broken."), Outcome(Result.REFUSED, "connector_broken", "Broken.")),
    ],
)
def test_every_error_becomes_an_outcome_with_a_reason(error: DeliveryError, expected: Outcome) -> None:
    assert outcome_of(error) == expected


def test_a_success_costs_a_few_microseconds() -> None:
    destination, success = Plain(), reply(200, b'{"id":1}')
    assert timeit(lambda: judge(destination, success, NOW), number=10_000) / 10_000 < 20e-6

"""What samples of the mail connectors cannot say: settings that are refused, and e-mails that are not written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from hub.connecting.registry import registry
from hub.contract import BadMapping, DeliveryError, Kind, Record, Stage

SETTINGS = {"host": "smtp.example.com", "sender": "hello@example.com", "to": "owner@example.com"}
VALUES = {
    "email": "anna@example.com",
    "subject": "Hi",
    "body": "Text",
    "unsubscribe_url": "https://hub.example.com/u/abc",
}


@pytest.mark.parametrize("slug", ["smtp", "email_alert"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sender", "hello"),
        ("sender", "Atelier <hello>"),
        ("sender", "héllo@example.com"),
        ("host", "a b"),
        ("host", "smtp.\nexample.com"),
        ("host", "http://smtp.example.com/"),
        ("port", 0),
        ("port", 70000),
        ("security", "none"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_the_form(slug: str, name: str, value: Any) -> None:
    schema = registry().destination(slug).Settings()
    schema.load(SETTINGS)
    with pytest.raises(ValidationError):
        schema.load(SETTINGS | {name: value})


@pytest.mark.parametrize("to", ["", "owner", "a@example.com, b", "\n".join(f"p{n}@example.com" for n in range(11))])
def test_an_alert_needs_one_to_ten_addresses(to: str) -> None:
    with pytest.raises(ValidationError):
        registry().destination("email_alert").Settings().load(SETTINGS | {"to": to})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": None}, BadMapping),
        ({"email": "nobody"}, BadMapping),
        ({"email": "é@example.com"}, DeliveryError),
        ({"subject": " \n"}, BadMapping),
        ({"body": ""}, BadMapping),
        ({"unsubscribe_url": "/u/abc"}, BadMapping),
        ({"unsubscribe_url": "https://example.com/\r\nBcc: eve@example.com"}, BadMapping),
    ],
)
def test_an_email_that_would_be_wrong_is_not_written(changes: dict[str, Any], error: type[DeliveryError]) -> None:
    with pytest.raises(error):
        written(**changes)


def test_a_subject_of_several_lines_is_one_line() -> None:
    assert b"Subject: Hi Bcc: eve@example.com\r\n" in written(subject="Hi\r\nBcc: eve@example.com")


def test_the_way_out_stands_in_the_text_once() -> None:
    url = VALUES["unsubscribe_url"].encode()
    assert written().count(url) == 2  # the header's and the text's
    assert written(body=f"Stop: {VALUES['unsubscribe_url']}").count(url) == 2


def written(**changes: Any) -> bytes:
    destination = registry().destination("smtp")
    settings = destination.Settings().load(SETTINGS)
    at = datetime(2026, 11, 20, tzinfo=UTC)
    record = Record("d1", "e1", Kind.CONVERSION, Stage.LEAD, at, {**VALUES, **changes})
    return next(destination.deliver(record, settings)).body or b""

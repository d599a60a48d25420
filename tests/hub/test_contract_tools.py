"""What the contract gives every connector: ids, names, minor units, a signature that carries its time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.contract import NotUnderstood, NotVerified, Reply
from hub.contract.inbound import Headers
from hub.contract.money import from_minor
from hub.toolkit.cleaning import split_name
from hub.toolkit.paths import all_at, required_text
from hub.toolkit.signing import check_timed, make_hmac, sign_timed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{"id": 7}'


def test_an_id_is_text_with_every_digit_whatever_the_sender_writes() -> None:
    data = {"id": 12345678901234567890, "data": {"order": {"id": " A-1 "}}, "lines": [{"id": "L"}]}
    assert required_text(data, "id") == "12345678901234567890"
    assert required_text(data, "data.order.id") == "A-1"
    assert required_text(data, "lines[0].id") == "L"


def test_all_that_stands_at_several_places_comes_as_one_flat_list() -> None:
    data = {"id": 1, "units": [{"lines": [{"id": 2}, {"id": None}]}, {}, {"lines": [{"id": 3}]}], "tags": ["a", ["b"]]}
    assert all_at(data, "units[].lines[].id", "none", "id", "tags", "units[].lines") == [
        2,
        3,
        1,
        "a",
        "b",
        {"id": 2},
        {"id": None},
        {"id": 3},
    ]


@pytest.mark.parametrize("value", [None, "", "  ", True, {}, [], {"id": None}])
def test_a_missing_id_is_named_and_never_written_out(value: Any) -> None:
    with pytest.raises(NotUnderstood, match=r"no usable “data\.id”"):
        required_text({"data": {"id": value}}, "data.id")
    with pytest.raises(NotUnderstood, match=r"no usable “data\.id”"):
        required_text({}, "data.id")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace")),
        (" Ada  King Lovelace ", ("Ada", "King Lovelace")),
        ("Ada", ("Ada", None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_whole_name_is_split_at_its_first_space(name: str | None, parts: tuple[str | None, str | None]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (
            b'{"id": 12345678901234567890123, "value": 49.90}',
            {"id": 12345678901234567890123, "value": Decimal("49.90")},
        ),
        (b'\xef\xbb\xbf{"id": "a"}', {"id": "a"}),
        ('{"id": "é"}'.encode("utf-16"), {"id": "é"}),
        (b"<html>", None),
        (b"", None),
        (b"[" * 100_000, None),
    ],
)
def test_an_answer_is_read_as_json_if_it_is_any(body: bytes, read: Any) -> None:
    assert Reply(200, Headers(), body).json() == read


def test_minor_units_follow_their_currency_and_without_one_have_two_decimals() -> None:
    read = [from_minor(4900, currency) for currency in ("EUR", "jpy", "KWD", None, "")]
    assert read == [Decimal(text) for text in ("49.00", "4900", "4.900", "49.00", "49.00")]
    assert from_minor(None, "BTC") is None


@pytest.mark.parametrize("currency", ["BTC", "EURO", "$", 5, {}])
def test_minor_units_of_an_unknown_currency_are_never_guessed(currency: Any) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        from_minor(4900, currency)


def test_a_signature_with_its_time_verifies_while_it_is_fresh_and_with_either_secret() -> None:
    header = sign_timed(BODY, "made-up", NOW)
    assert header == f"t={int(NOW.timestamp())},v1={make_hmac(b'%d.' % int(NOW.timestamp()) + BODY, 'made-up')}"
    check_timed(header, BODY, ["newer", "made-up"], NOW + timedelta(seconds=299))
    check_timed(f"{header},v1=00,v0=11", BODY, ["made-up"], NOW)
    named = sign_timed(BODY, "made-up", NOW, time="ts", signature="s")
    check_timed(named, BODY, ["made-up"], NOW, time="ts", signature="s")


@pytest.mark.parametrize(
    ("header", "body", "secrets", "late", "reason"),
    [
        (sign_timed(BODY, "made-up", NOW), BODY + b" ", ["made-up"], 0, "signature_wrong"),
        (sign_timed(BODY, "made-up", NOW), BODY, ["another"], 0, "signature_wrong"),
        (sign_timed(BODY, "made-up", NOW), BODY, [""], 0, "secret_not_set"),
        (sign_timed(BODY, "made-up", NOW), BODY, [], 0, "secret_not_set"),
        (sign_timed(BODY, "made-up", NOW), BODY, ["made-up"], 301, "signature_too_old"),
        (sign_timed(BODY, "made-up", NOW), BODY, ["made-up"], -301, "signature_from_future"),
        (sign_timed(BODY, "made-up", NOW, signature="v0"), BODY, ["made-up"], 0, "signature_wrong"),
        (sign_timed(BODY, "made-up", NOW).replace("t=", "t=1"), BODY, ["made-up"], 0, "signature_from_future"),
        (f"v1={make_hmac(BODY, 'made-up')}", BODY, ["made-up"], 0, "signature_wrong"),
        ("t=é,v1=\ud800", BODY, ["made-up"], 0, "signature_wrong"),
    ],
)
def test_a_signature_with_its_time_is_refused_when_anything_is_wrong(
    header: str, body: bytes, secrets: list[str], late: int, reason: str
) -> None:
    with pytest.raises(NotVerified) as caught:
        check_timed(header, body, secrets, NOW + timedelta(seconds=late))
    assert caught.value.reason == reason

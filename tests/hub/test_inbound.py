"""Bodies as the wire delivers them: whole or cut, packed or not, in the charset they claim or in another."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Headers, Inbound, NotUnderstood
from hub.contract.inbound import MAX_INFLATED

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def inbound(body: bytes, **headers: str) -> Inbound:
    return Inbound(body, Headers({name.replace("_", "-"): value for name, value in headers.items()}), NOW)


def test_numbers_keep_every_digit():
    assert inbound(b'{"id": 9007199254740993, "total": 49.10}').json() == {
        "id": 9007199254740993,
        "total": Decimal("49.10"),
    }


def test_a_list_at_the_top_stays_a_list():
    assert inbound(b"[1, 2]").json() == [1, 2]


def test_of_two_equal_keys_the_last_counts():
    assert inbound(b'{"a": 1, "a": 2}').json() == {"a": 2}


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_body_is_said_to_be_empty(body):
    with pytest.raises(NotUnderstood, match="empty"):
        inbound(body).json()


@pytest.mark.parametrize("body", [b'{"a": ', b'{"a": 1', b"[1, 2", b'"abc', b"not json", b"\x00", b"<a/>", b"1" * 5000])
def test_a_truncated_or_foreign_body_is_said_not_to_be_json(body):
    with pytest.raises(NotUnderstood, match="not valid JSON"):
        inbound(body).json()


@pytest.mark.parametrize("body", [b"NaN", b'{"a": Infinity}', b"[-Infinity]", b"1e99999999999999999999"])
def test_numbers_that_no_ledger_can_hold_are_not_json(body):
    with pytest.raises(NotUnderstood, match="not valid JSON"):
        inbound(body).json()


@pytest.mark.parametrize("depth", [101, 900, 10_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_deeper_than_any_sender_nests_is_refused(depth, opening, closing):
    with pytest.raises(NotUnderstood, match="nested too deeply"):
        inbound(opening * depth + b"1" + closing * depth).json()


def test_nesting_as_deep_as_a_sender_may_nest_is_read():
    assert inbound(b"[" * 100 + b"]" * 100).json() != []


def test_what_no_text_store_takes_is_taken_out_of_texts():
    body = json.dumps({"na\0me": "a\0b", "list": ["\ud800", "\U0001f600"]}).encode()
    assert inbound(body).json() == {"name": "ab", "list": ["\ufffd", "\U0001f600"]}


@pytest.mark.parametrize(
    ("text", "encoding", "claimed"),
    [
        ("é", "utf-8", "application/json"),
        ("é", "utf-8", "application/json; charset=iso-8859-1"),
        ("é", "utf-8-sig", "application/json"),
        ("é", "utf-16", "application/json"),
        ("é", "latin-1", "application/json; charset=ISO-8859-1"),
        ("€", "cp1252", 'application/json; charset="windows-1252"'),
    ],
)
def test_utf8_is_believed_before_the_header_and_the_header_after_it(text, encoding, claimed):
    assert inbound(json.dumps({"a": text}, ensure_ascii=False).encode(encoding), Content_Type=claimed).json() == {
        "a": text
    }


@pytest.mark.parametrize("claimed", ["application/json", "application/json; charset=utf-8", "x; charset=nonsense"])
def test_bytes_that_fit_no_charset_are_refused_and_not_mended(claimed):
    with pytest.raises(NotUnderstood, match="not valid JSON"):
        inbound(b'{"a": "\xe9\xff"}', Content_Type=claimed).json()


def test_a_surrogate_written_as_bytes_is_refused():
    with pytest.raises(NotUnderstood, match="not valid JSON"):
        inbound(b'"\xed\xa0\x80"').json()


@pytest.mark.parametrize("name", ["gzip", "GZIP", " x-gzip "])
def test_a_gzip_body_is_unpacked_for_reading_and_left_alone_for_signatures(name):
    packed = gzip.compress(b'{"a": 1}', mtime=0)
    message = inbound(packed, Content_Encoding=name)
    assert message.json() == {"a": 1}
    assert message.body == packed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1}', "but is not"),
        (gzip.compress(b'{"a": 1}', mtime=0)[:-9], "cut short"),
        (b"", "cut short"),
        (gzip.compress(bytes(MAX_INFLATED + 1)), "more than 10 MB"),
    ],
)
def test_a_gzip_body_that_lies_is_cut_short_or_explodes_is_refused(body, said):
    with pytest.raises(NotUnderstood, match=said):
        inbound(body, Content_Encoding="gzip").json()


def test_a_form_keeps_empty_fields_and_the_last_of_two():
    assert inbound(b"a=1&b=&a=2&c=x%2By+z").form() == {"a": "2", "b": "", "c": "x+y z"}


def test_a_form_is_read_in_the_charset_asked_for():
    assert inbound(b"name=J%E9r%F4me&raw=\xe9").form("cp1252") == {"name": "Jérôme", "raw": "é"}


def test_a_form_whose_sender_forgot_to_encode_it_is_read_all_the_same():
    assert inbound("name=Jérôme".encode()).form() == {"name": "Jérôme"}


def test_bytes_a_form_cannot_decode_are_replaced_and_a_nul_is_taken_out():
    assert inbound(b"a=%FF&b=x%00y").form() == {"a": "\ufffd", "b": "xy"}


@pytest.mark.parametrize(("body", "encoding"), [(b"a=%41", "no-such-charset"), (b"&".join([b"a=1"] * 2001), "utf-8")])
def test_a_form_that_cannot_be_read_is_said_so(body, encoding):
    with pytest.raises(NotUnderstood, match="form"):
        inbound(body).form(encoding)


def test_a_header_sent_twice_keeps_both_values_whatever_its_case():
    headers = Headers([("X-Sig", "a"), ("x-sig", "b")])
    assert headers["X-SIG"] == "a,b"


def test_five_megabytes_are_read():
    assert len(inbound(json.dumps(["x" * 100] * 50_000).encode()).json()) == 50_000


@given(
    st.binary(max_size=200),
    st.sampled_from(["", "gzip"]),
    st.sampled_from(["", "a/b; charset=latin-1", "a/b; charset=utf-7"]),
)
def test_no_body_makes_anything_but_json_or_not_understood(body, encoding, content_type):
    message = inbound(body, Content_Encoding=encoding, Content_Type=content_type)
    for read in (message.json, message.form):
        try:
            read()
        except NotUnderstood:
            continue

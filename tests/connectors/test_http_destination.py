"""The HTTP request: what a mapping puts where, and what it may not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from marshmallow import ValidationError

from hub.connecting.registry import registry
from hub.contract import BadMapping, Call, Kind, Record, Stage

URL = "https://api.example.com/orders/{order_id}"


def call_of(values: dict[str, Any], **settings: Any) -> Call:
    destination = registry().destination("http")
    loaded = destination.Settings().load({"url": URL, **settings})
    record = Record("1", "ev", Kind.CONVERSION, Stage.PURCHASE, datetime(2026, 11, 21, tzinfo=UTC), values)
    call: Call = next(destination.deliver(record, loaded))
    return call


def test_query_headers_and_nested_fields_go_to_their_places() -> None:
    call = call_of({"order_id": 7, "query.v": 2, "header.X-Kind": "sale", "buyer.email": "a@b.c", "buyer.tags": ["x"]})
    assert (call.url, call.params, call.headers) == ("https://api.example.com/orders/7", {"v": "2"}, {"X-Kind": "sale"})
    assert call.json == {"order_id": 7, "buyer": {"email": "a@b.c", "tags": ["x"]}}


def test_a_key_in_the_way_of_another_loses_nothing() -> None:
    assert call_of({"order_id": "7", "buyer": "A", "buyer.email": "a@b.c"}).json == {
        "order_id": "7",
        "buyer": "A",
        "buyer.email": "a@b.c",
    }


@pytest.mark.parametrize("value", ["../admin", "a/b?c=d#e", "x@evil.example"])
def test_a_value_cannot_leave_its_place_in_the_address(value: str) -> None:
    address = call_of({"order_id": value}).url
    assert address.startswith("https://api.example.com/orders/")
    assert not set("/?#@") & set(address.removeprefix("https://api.example.com/orders/"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"order_id": None}, "order_id"),
        ({"order_id": ".."}, "order_id"),
        ({"order_id": "1", "header.Host": "evil.example"}, "header.Host"),
        ({"order_id": "1", "header.X-A": "one\r\nX-B: two"}, "header.X-A"),
        ({"order_id": "1", "header.X-A": "é"}, "header.X-A"),
    ],
)
def test_what_fits_nowhere_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(BadMapping) as refused:
        call_of(values)
    assert refused.value.field == field


def test_xml_reads_back_whatever_the_texts_hold() -> None:
    call = call_of(
        {"order_id": "1", "name": "<b>&\x00\x1f</b>", "2nd key!": [1, {"a": "b"}]}, body="xml", xml_root="sale"
    )
    root = ElementTree.fromstring(call.content()[0])
    assert root.tag == "sale"
    assert root.findtext("name") == "<b>&</b>"
    assert root.findtext("_2nd_key_/item/a") == "b"
    assert call.headers["Content-Type"].startswith("application/xml")


def test_a_form_holds_one_text_a_field() -> None:
    assert call_of({"order_id": 1, "paid": True, "items": [{"id": 2}]}, body="form").form == {
        "order_id": "1",
        "paid": "true",
        "items": '[{"id":2}]',
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "https://{host}.example.com/"},
        {"url": "ftp://example.com"},
        {"method": "GET"},
        {"auth": "header", "auth_secret": "x"},
        {"auth": "header", "auth_name": "Content-Length", "auth_secret": "x"},
        {"auth": "bearer", "auth_secret": "two\nlines"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry().destination("http").Settings().load({"url": URL, **settings})


@pytest.mark.parametrize(
    ("auth", "headers", "params"),
    [
        ("none", {}, {}),
        ("bearer", {"Authorization": "Bearer s"}, {}),
        ("basic", {"Authorization": "Basic bjpz"}, {}),
        ("header", {"n": "s"}, {}),
        ("query", {}, {"n": "s"}),
    ],
)
def test_credentials_go_where_the_person_chose(auth: str, headers: dict[str, str], params: dict[str, str]) -> None:
    destination = registry().destination("http")
    made: tuple[dict[str, str], dict[str, str]] = ({}, {})
    loaded = destination.Settings().load({"url": URL, "auth": auth, "auth_name": "n", "auth_secret": "s"})
    destination.auth.apply(loaded, *made)
    assert made == (headers, params)

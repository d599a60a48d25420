"""Who may call, and how trouble is told."""

from __future__ import annotations

from typing import Any

import pytest
from calling import Caller

from hub.steer import api_keys
from hub.store import accounts, now


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer hub_wrong", "Basic aHViOng=", "hub_", "Bearer \xe9"])
def test_a_call_without_a_live_key_is_answered_with_401(call: Caller, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = call.app.test_client().get("/api/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.get_json()["error"]["reason"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_answered_with_401(call: Caller) -> None:
    assert call("GET", "/me").status_code == 200
    with call.store.write() as tx:
        api_keys.revoke(tx, now(), call.workspace_id, call.key_id)
    assert call("GET", "/me").status_code == 401


def test_a_key_opens_its_own_workspace_and_its_use_is_noted(call: Caller) -> None:
    assert call.get("/me")["id"] == call.workspace_id
    with call.store.read() as tx:
        first = accounts.api_keys(tx, call.workspace_id)[0]["last_used_at"]
    assert first is not None
    call.get("/me")
    with call.store.read() as tx:
        assert accounts.api_keys(tx, call.workspace_id)[0]["last_used_at"] == first


def test_nothing_of_another_workspace_is_found(call: Caller, stranger: Caller) -> None:
    call.hit()
    conversion, delivery = call.conversions[0], call.deliveries[0]
    paths = [
        f"/connections/{call.destination_id}",
        f"/routes/{call.route['id']}",
        f"/routes/{call.route['id']}/mappings",
        f"/conversions/{conversion['id']}",
        f"/conversions/{conversion['id']}/timeline",
        f"/deliveries/{delivery['id']}",
        f"/orders/{conversion['order_id']}",
        f"/contacts/{conversion['contact_id']}",
        f"/inbound/{call.get('/inbound')['items'][0]['id']}",
    ]
    for path in paths:
        assert call("GET", path).status_code == 200, path
        assert stranger("GET", path).status_code == 404, path
    for path in ("/conversions", "/orders", "/contacts", "/deliveries", "/inbound"):
        assert stranger.get(path) == {"items": [], "next": None}, path


CALLS = [
    ("POST", "/connections"),
    ("PATCH", "/connections/{destination}"),
    ("POST", "/routes"),
    ("PATCH", "/routes/{route}"),
    ("POST", "/routes/{route}/mappings"),
    ("POST", "/routes/{route}/preview"),
    ("POST", "/routes/{route}/difference"),
    ("POST", "/replay/inbound"),
    ("POST", "/replay/deliveries"),
    ("POST", "/replay/failed"),
    ("POST", "/hooks"),
]
NAMES = (
    "connector",
    "role",
    "name",
    "settings",
    "connection_id",
    "stages",
    "kinds",
    "filter",
    "trust",
    "wait_minutes",
    "enabled",
    "rules",
    "last",
    "ids",
    "mapping",
    "since",
    "target_url",
    "event",
    "filters",
    "order_scope",
)
ODD: list[Any] = [
    None,
    [],
    {},
    1,
    -1,
    10**30,
    True,
    "",
    "a\ud800b",
    "x" * 5000,
    [[]],
    [{}],
    [None],
    {"": {}},
    {"a": {"from": "é"}},
    {"email": {"text": "{% for"}},
    {"url": 7},
    "2026-13-01",
    "http://[",
    [10**400],
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_odd_input_is_answered_in_words_and_never_with_500(call: Caller, method: str, path: str) -> None:
    where = path.format(destination=call.destination_id, route=call.route["id"])
    for odd in ODD:
        bodies = [odd, *({name: odd} for name in NAMES), dict.fromkeys(NAMES, odd)]
        for body in bodies:
            answer = call(method, where, body)
            assert answer.status_code < 500, (body, answer.get_data(as_text=True))
            if answer.status_code >= 400:
                assert answer.get_json()["error"]["message"], body


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"[" * 100_000, 400),
        (b'{"target_url": "a\\u0000b"}', 400),
        (b"\xff", 400),
        (b"null", 422),
    ],
)
def test_a_body_that_is_no_json_is_said_so(call: Caller, raw: bytes, status: int) -> None:
    answer = call("POST", "/hooks", data=raw, content_type="application/json")
    assert answer.status_code == status
    assert answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "stage=bought",
        "since=yesterday",
        "before=" + "x" * 40,
        "before=%00",
        "stage=%ff",
    ],
)
def test_a_query_that_cannot_be_used_is_refused(call: Caller, query: str) -> None:
    assert call("GET", f"/conversions?{query}").status_code in (400, 422)


def test_an_address_that_is_no_call_is_answered_in_the_same_form(call: Caller) -> None:
    for method, path in (("GET", "/nothing"), ("DELETE", "/me"), ("GET", "/"), ("POST", "/conversions/%00/x")):
        answer = call(method, path)
        assert answer.status_code == 404
        assert answer.get_json()["error"]["reason"] == "not_found"


def test_what_is_too_large_is_refused(call: Caller) -> None:
    answer = call("POST", "/hooks", data=b'"' + b"x" * 1_100_000 + b'"', content_type="application/json")
    assert answer.status_code == 413
    assert answer.get_json()["error"]["reason"] == "too_large"

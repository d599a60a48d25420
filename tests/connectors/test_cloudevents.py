"""CloudEvents: the handshake, the token in either place, and several sources with equal ids."""

import json
from typing import Any

import pytest
from senders import message, read, trust

from connectors.cloudevents.source import CloudEvents
from hub.contract import Headers, Inbound, NotUnderstood, NotVerified, Trust

SOURCE = CloudEvents()
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "data": {"order_id": "7"}}


def probe(**headers: str) -> Headers:
    asked = message(b"", {name.replace("_", "-"): value for name, value in headers.items()})
    asked.method = "OPTIONS"
    reply = SOURCE.handshake(asked, {})
    assert reply is not None
    assert reply.status == 200
    return reply.headers


def test_the_origin_that_asks_may_send() -> None:
    answer = probe(WebHook_Request_Origin="events.example.com", WebHook_Request_Rate="120")
    assert (answer["webhook-allowed-origin"], answer["webhook-allowed-rate"]) == ("events.example.com", "120")


def test_a_strange_origin_is_not_repeated() -> None:
    assert dict(probe(WebHook_Request_Origin="a\r\nSet-Cookie: b")) == {}


def test_a_message_is_no_handshake() -> None:
    assert SOURCE.handshake(message(EVENT), {}) is None


@pytest.mark.parametrize(
    ("authorization", "query", "verdict"),
    [
        ("Bearer t0", "", Trust.PROVEN),
        ("bearer t0", "", Trust.PROVEN),
        ("", "access_token=t0", Trust.PROVEN),
        ("Bearer t1", "", None),
        ("Basic t0", "", None),
        ("", "", None),
        ("", "access_token=", None),
    ],
)
def test_the_token_may_stand_in_the_header_or_the_query(authorization: str, query: str, verdict: Trust | None) -> None:
    inbound = message(EVENT, {"authorization": authorization} if authorization else {})
    inbound.query = query
    if verdict is None:
        with pytest.raises(NotVerified):
            trust(SOURCE, inbound, {"token": "t0"})
    else:
        assert trust(SOURCE, inbound, {"token": "t0"}) is verdict


def test_without_a_token_events_are_only_claimed() -> None:
    assert trust(SOURCE, message(EVENT), {}) is Trust.CLAIMED


def test_equal_ids_of_two_sources_are_two_events() -> None:
    batch = [EVENT, {**EVENT, "source": "/b", "data": {"order_id": "8"}}]
    found = read(SOURCE, message(json.dumps(batch)))
    assert [each.event_id for each in found] == ["/a#1", "/b#1"]


@pytest.mark.parametrize("body", [{"order_id": "7"}, {**EVENT, "id": ""}, {**EVENT, "source": None}])
def test_what_is_no_event_is_parked(body: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, message(body))


def test_binary_mode_takes_its_attributes_from_the_headers() -> None:
    headers = {f"ce-{name}": EVENT[name] for name in ("specversion", "id", "source", "type")}
    inbound = Inbound(b'{"order_id":"7"}', Headers(headers), message(b"").received_at)
    [conversion] = read(SOURCE, inbound)
    assert (conversion.event_id, conversion.order_id) == ("/a#1", "7")

"""Flows as senders and receivers: what samples cannot say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.connecting.registry import registry
from hub.contract import Headers, Inbound, NotVerified, Unsigned
from hub.steer.hooks import subscribers
from hub.steer.records import recorders
from hub.toolkit.automation import TOKEN, FlowStarter, RecordSource

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PASSWORD = "made-up-password"


def verify(headers: dict[str, str], **settings: Any) -> None:
    source = registry().source("make")
    source.verify(Inbound(b"{}", Headers(headers), NOW), source.Settings().load(settings))


def test_the_address_alone_is_enough_only_where_the_person_said_so() -> None:
    with pytest.raises(NotVerified):
        verify({})
    with pytest.raises(NotVerified):
        verify({}, token=PASSWORD)
    with pytest.raises(Unsigned):
        verify({}, refuse_unsigned=False)


def test_a_password_that_is_given_must_be_right_whatever_the_person_said() -> None:
    verify({TOKEN: PASSWORD}, token=PASSWORD, refuse_unsigned=False)
    with pytest.raises(NotVerified):
        verify({TOKEN: "another"}, token=PASSWORD, refuse_unsigned=False)
    with pytest.raises(NotVerified):
        verify({TOKEN: ""}, refuse_unsigned=False)


def test_who_subscribes_and_who_records_are_the_tools_made_for_it() -> None:
    assert all(isinstance(one, FlowStarter) for one in subscribers())
    assert all(isinstance(one, RecordSource) for one in recorders().values())
    patterns = [pattern for one in subscribers() for pattern in one.hook_hosts]
    assert len(patterns) == len(set(patterns)), "two tools claim the same hosts"


def test_a_flow_without_a_password_header_gets_none() -> None:
    destination = registry().destination("n8n")
    headers: dict[str, str] = {}
    destination.auth.apply(destination.Settings().load({"hook_url": "https://n8n.example/webhook/1"}), headers, {})
    assert headers == {}

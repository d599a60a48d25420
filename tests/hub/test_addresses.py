"""The public address of a source: one function says it to people, to senders and to connectors that read by it."""

from __future__ import annotations

import pytest
from rows import connection_row

from hub.connecting.connected import public_url
from hub.settings import settings
from hub.steer.connections import address


@pytest.mark.parametrize(
    ("connector", "path"),
    [("stripe", "/in/s3cret"), ("pixel", "/v1/conversion/pixel/7"), ("uninstalled", "/in/s3cret")],
)
def test_an_address_is_the_same_wherever_it_is_said(connector: str, path: str) -> None:
    row = connection_row("s1", role="source", connector=connector, address="s3cret", number=7)
    assert public_url(row) == address(row) == f"{settings().base_url}{path}"


def test_a_destination_has_no_address() -> None:
    row = connection_row("d1", connector="zapier")
    assert address(row) is None

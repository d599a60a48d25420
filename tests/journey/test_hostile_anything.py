"""Anything at all, sent to the webhooks' door: never an error, never in our hands a failure. Hypothesis makes it up."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journey.sale import Atelier, Told
from journey.verdicts import messages
from journey.world import World, world

from hub.connecting.registry import registry
from hub.store import Store
from hub.testing.samples import incoming


@pytest.fixture
def hub(store: Store) -> Iterator[World]:
    with world(store) as made:
        yield made


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["a@b.fr", "EUR", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["order_id", "email", "amount", "currency", "kind", "stage", "data", "id", "object", "time", "test"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
NAMES = [
    "Content-Type",
    "Content-Encoding",
    "Stripe-Signature",
    "X-Thinkific-Hmac-Sha256",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "PayPal-Transmission-Sig",
    "PayPal-Cert-Url",
    "Cookie",
    "Expect",
    "Content-Length-X",
    "Origin",
]
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40) | st.sampled_from(
    [
        "gzip",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-16",
        "t=1,v1=a",
        "v1,YQ==",
    ]
)


def test_nothing_that_can_be_sent_to_a_webhook_is_an_error(hub: World) -> None:
    addresses = [hub.source(slug) for slug in ("webhook", "stripe", "paypal", "thinkific")]

    @settings(
        max_examples=200 if hub.store.sqlite else 40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        address=st.sampled_from(addresses),
        method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"]),
        query=st.text(st.characters(max_codepoint=255), max_size=30),
        headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5),
        body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    )
    def never_an_error(address: str, method: str, query: str, headers: Any, body: bytes) -> None:
        environ = {"QUERY_STRING": query}
        answer = hub.client.open(f"/in/{address}", method=method, headers=headers, data=body, environ_overrides=environ)
        assert answer.status_code < 500

    never_an_error()
    assert messages(hub)


def bodies() -> list[tuple[str, bytes]]:
    """Every sample of a source that is a JSON object."""
    slugs = ("webhook", "stripe", "paypal", "thinkific")
    homes = {slug: Path(inspect.getfile(type(registry().source(slug)))).parent for slug in slugs}
    found = [(slug, one.inbound.body) for slug, home in homes.items() for one in incoming(home / "samples" / "in")]
    return [(slug, body) for slug, body in found if body.startswith(b"{")]


def test_a_genuine_message_with_any_part_gone_or_strange_never_fails_in_our_hands(store: Store) -> None:
    atelier = Atelier(store)

    @settings(
        max_examples=20 if store.sqlite else 4, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.tuples(st.sampled_from(bodies()), st.integers(0, 10_000), JSON), min_size=5, max_size=30))
    def is_counted_or_explained(changes: list[tuple[tuple[str, bytes], int, Any]]) -> None:
        atelier.read(
            [
                Told(slug, number, json.dumps(spoiled(json.loads(body), place, value)).encode())
                for number, ((slug, body), place, value) in enumerate(changes)
            ]
        )
        assert "internal_error" not in {reason for _, reason, _ in atelier.verdicts()}

    is_counted_or_explained()


def spoiled(whole: Any, place: int, value: Any) -> Any:
    """``whole`` with one of its parts replaced by ``value``."""
    parts: list[tuple[Any, Any]] = []
    waiting = [whole]
    while waiting:
        inner = waiting.pop()
        keys = inner if isinstance(inner, dict) else range(len(inner))
        parts += [(inner, key) for key in keys]
        waiting += [inner[key] for key in keys if isinstance(inner[key], dict | list)]
    holder, key = parts[place % len(parts)]
    holder[key] = value
    return whole

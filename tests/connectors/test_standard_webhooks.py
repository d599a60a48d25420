"""Standard Webhooks: the published vector and its near miss, Svix's names, and what the hub itself sends."""

from datetime import UTC, datetime
from typing import Any

import pytest
from senders import message, read, trust, vector

from connectors.standard_webhooks.source import StandardWebhooks
from hub.contract import NotVerified, Stage, Trust

SOURCE = StandardWebhooks()
VECTOR = vector("standard_webhooks")
KEY = {"secret": VECTOR["secret"]}
AT = datetime.fromtimestamp(1614265330, UTC)


def test_the_published_vector_verifies() -> None:
    assert trust(SOURCE, message(VECTOR["body"], VECTOR["headers"], AT), KEY) is Trust.PROVEN


def test_one_good_signature_among_several_is_enough() -> None:
    both = f"{VECTOR['invalid_headers']['webhook-signature']} {VECTOR['headers']['webhook-signature']}"
    assert (
        trust(SOURCE, message(VECTOR["body"], {**VECTOR["headers"], "webhook-signature": both}, AT), KEY)
        is Trust.PROVEN
    )


def test_the_published_near_miss_does_not() -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, message(VECTOR["body"], {**VECTOR["headers"], **VECTOR["invalid_headers"]}, AT), KEY)


def test_svix_names_verify_too() -> None:
    renamed = {name.replace("webhook-", "svix-"): value for name, value in VECTOR["headers"].items()}
    assert trust(SOURCE, message(VECTOR["body"], renamed, AT), KEY) is Trust.PROVEN


@pytest.mark.parametrize(("words", "count"), [({}, 1), ({"stage_values": {"order.paid": "purchase"}}, 0)])
def test_the_type_counts_once_its_words_are_named(words: dict[str, Any], count: int) -> None:
    body = {"type": "user.updated", "timestamp": "2026-01-01T00:00:00Z", "data": {"id": "u1", "email": "a@example.com"}}
    assert len(read(SOURCE, message(body, {"webhook-id": "msg_1"}), words)) == count


def test_what_the_hub_itself_sends_is_read() -> None:
    data = {
        "id": "c1",
        "stage": "lead",
        "order_id": "7",
        "value": "49.99",
        "currency": "EUR",
        "contact": {"email": "a@example.com"},
    }
    [lead] = read(SOURCE, message({"type": "conversion.lead.created", "data": data}, {"webhook-id": "msg_1"}))
    assert (lead.stage, str(lead.value), lead.contact.email, lead.event_id) == (
        Stage.LEAD,
        "49.99",
        "a@example.com",
        "msg_1",
    )

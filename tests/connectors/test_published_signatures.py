"""The signature examples that senders and their libraries publish verify, and none with another secret."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from senders import message, trust, vector

from hub.connecting.registry import registry
from hub.contract import NotVerified, Trust

SENDERS = ("shopify", "woocommerce", "paddle", "square", "razorpay", "lemonsqueezy")


def published() -> list[Any]:
    found = []
    for slug in SENDERS:
        given = vector(slug)
        cases = given.get("cases", [given])
        found += [pytest.param(slug, case, id=f"{slug}-{number}") for number, case in enumerate(cases)]
    return found


def signed_at(case: dict[str, Any]) -> datetime:
    stamp = case["headers"].get("Paddle-Signature", "ts=0;").split(";")[0].removeprefix("ts=")
    return datetime.fromtimestamp(int(stamp), UTC)


@pytest.mark.parametrize(("slug", "case"), published())
def test_a_published_signature_verifies_and_only_under_its_secret(slug: str, case: dict[str, Any]) -> None:
    source = registry().source(slug)
    sent = replace(message(case["body"], case["headers"], signed_at(case)), url=case.get("notification_url", ""))
    secrets = case.get("secrets") or [case.get("secret") or case["key"]]
    assert trust(source, sent, {"secret": secrets}) is Trust.PROVEN
    with pytest.raises(NotVerified):
        trust(source, sent, {"secret": [f"{secret}x" for secret in secrets]})


def test_square_signs_the_registered_address_whatever_address_the_message_came_in_by() -> None:
    case = vector("square")["cases"][0]
    source, sent = registry().source("square"), message(case["body"], case["headers"])
    settings = {"secret": case["key"], "notification_url": case["notification_url"]}
    assert trust(source, replace(sent, url="https://inside.example/in/1"), settings) is Trust.PROVEN
    with pytest.raises(NotVerified):
        trust(
            source, replace(sent, url=case["notification_url"]), {**settings, "notification_url": "https://x.example"}
        )

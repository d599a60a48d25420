"""What Drip's samples cannot show: what is an order and what an event, and the status of new people."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.drip.destination import Drip
from hub.contract import Kind, Result, Stage

SETTINGS = {"account_id": "1234567", "api_key": "made-up"}
EMAIL = "anna@example.com"


@pytest.mark.parametrize(
    ("consents", "status"),
    [((True,), "active"), ((None, True), "active"), ((None, False), "unsubscribed"), ((True, False), "unsubscribed")],
)
def test_a_new_person_is_active_only_with_an_agreement(consents, status):
    platform = Platform(Drip(), SETTINGS)
    platform.deliver([record({"email": EMAIL, "email_consent": yes}, id=str(n)) for n, yes in enumerate(consents)])
    (subscriber,) = platform.sent[0]["batches"][0]["subscribers"]
    assert subscriber["initial_status"] == status
    assert "status" not in subscriber


def test_without_an_order_id_a_purchase_is_an_event():
    platform = Platform(Drip(), SETTINGS)
    platform.deliver(
        [
            record({"email": EMAIL, "event_name": "purchase", "order_id": "1", "value": "9"}, id="a"),
            record({"email": EMAIL, "event_name": "purchase", "value": "9"}, id="b"),
            record({"email": EMAIL, "event_name": "lead", "order_id": "1"}, id="c", stage=Stage.LEAD),
        ]
    )
    assert [path.split("/", 3)[3] for path in platform.paths] == [
        "subscribers/batches",
        "shopper_activity/order/batch",
        "events/batches",
    ]
    assert [order["order_id"] for order in platform.sent[1]["orders"]] == ["1"]
    assert [event["action"] for event in platform.sent[2]["batches"][0]["events"]] == ["purchase", "lead"]


def test_a_refund_says_how_much_of_which_order():
    platform = Platform(Drip(), SETTINGS)
    values = {"email": EMAIL, "event_name": "refund", "order_id": "1", "value": "9.50", "currency": "EUR"}
    outcomes = platform.deliver([record(values, kind=Kind.REFUND, stage=None), record({}, id="nobody")])
    (order,) = platform.sent[1]["orders"]
    assert (order["action"], order["refund_amount"], order["currency"]) == ("refunded", 9.5, "EUR")
    assert "grand_total" not in order
    assert outcomes["r1"].result is Result.ACCEPTED_UNVERIFIED
    assert outcomes["nobody"].result is Result.BAD_MAPPING


def test_the_tags_of_one_person_in_a_batch_follow_each_other():
    platform = Platform(Drip(), SETTINGS)
    platform.deliver(
        [
            record({"email": EMAIL, "tags": ["purchase"], "remove_tags": ["lead"]}, id="b", minute=2),
            record({"email": EMAIL, "tags": ["lead"]}, id="a", minute=1),
        ]
    )
    (subscriber,) = platform.sent[0]["batches"][0]["subscribers"]
    assert (subscriber["tags"], subscriber["remove_tags"]) == (["purchase"], ["lead"])

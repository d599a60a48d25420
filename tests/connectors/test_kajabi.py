"""Kajabi: three events tell of one sale, and only the chosen one counts."""

from typing import Any

import pytest
from senders import message, read

from connectors.kajabi.source import SALES, Kajabi
from hub.contract import Inbound

SOURCE = Kajabi()


def told(event: str, **more: Any) -> Inbound:
    kind, amount, currency = SALES[event]
    facts = {amount: 1000, currency: "USD", "action": "charge", "state": "succeeded", **more}
    customer = {"id": "5", "type": "customers", "attributes": {"name": "Jane Doe", "email": "jane@example.com"}}
    offer = {"id": "9", "type": "offers", "attributes": {"title": "Club", "subscription": True}}
    # Resources stand in any order.
    return message(
        {"id": "h", "event": event, "payload": [offer, customer, {"id": "1", "type": kind, "attributes": facts}]}
    )


@pytest.mark.parametrize("chosen", SALES)
def test_only_the_chosen_event_is_the_sale(chosen: str) -> None:
    found = {event: read(SOURCE, told(event), {"purchase_event": chosen}) for event in SALES}
    assert [event for event, conversions in found.items() if conversions] == [chosen]
    assert str(found[chosen][0].value) == "10.00"


@pytest.mark.parametrize("more", [{"action": "refund"}, {"state": "failed"}])
def test_a_payment_that_is_no_charge_is_not_a_sale(more: dict[str, str]) -> None:
    assert read(SOURCE, told("payment_succeeded", **more), {"purchase_event": "payment_succeeded"}) == []


def test_charges_of_one_subscription_may_be_renewals() -> None:
    [charge] = read(SOURCE, told("payment_succeeded"), {"purchase_event": "payment_succeeded"})
    assert (charge.subscription_id, charge.recurring, charge.flags) == ("5/9", True, ["maybe_renewal"])

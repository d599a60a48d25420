"""Mollie: the same id again and again, read anew each time."""

from typing import Any

import pytest
from senders import message, read, read_back_and_read, reply

from connectors.mollie.source import Mollie
from hub.contract import BadCredentials, Call, Kind, NotUnderstood, Refused, Reply

SOURCE = Mollie()
SETTINGS = {"api_key": "live_sample"}
PAYMENT = {
    "id": "tr_1",
    "mode": "live",
    "status": "paid",
    "amount": {"value": "10.00", "currency": "EUR"},
    "paidAt": "2026-03-01T10:00:00+00:00",
    "customerId": "cst_1",
}
CUSTOMER = {"id": "cst_1", "name": "Ada Lovelace", "email": "ada@example.com"}
REFUND = {"id": "re_1", "status": "refunded", "amount": {"value": "4.00", "currency": "EUR"}}


def told(payment: dict[str, Any]) -> Any:
    def answer(call: Call) -> Reply:
        if "/customers/" in call.url:
            return reply(CUSTOMER)
        assert (call.url, call.params) == ("https://api.mollie.com/v2/payments/tr_1", {"embed": "refunds"})
        return reply(payment)

    return read_back_and_read(SOURCE, message("id=tr_1"), SETTINGS, answer)


def test_a_payment_gets_its_buyer_from_the_customer() -> None:
    [sale] = told(PAYMENT)
    assert sale.contact.email == "ada@example.com"


def test_the_same_id_later_tells_the_sale_again_and_its_refund() -> None:
    first, later = told(PAYMENT), told({**PAYMENT, "_embedded": {"refunds": [REFUND]}})
    assert [each.event_id for each in later] == [first[0].event_id, "tr_1:re_1:refunded"]
    assert later[1].kind is Kind.REFUND


def test_an_id_that_mollie_does_not_know_is_nothing_to_us() -> None:
    def unknown(_call: Call) -> Reply:
        raise Refused("Not found", status=404)

    assert read_back_and_read(SOURCE, message("id=tr_9"), SETTINGS, unknown) == []


def test_a_refused_key_is_told_instead_of_losing_the_payment() -> None:
    def refused(_call: Call) -> Reply:
        raise BadCredentials("The key was revoked.", status=401)

    with pytest.raises(BadCredentials):
        read_back_and_read(SOURCE, message("id=tr_1"), SETTINGS, refused)


def test_nothing_is_made_of_an_id_alone() -> None:
    with pytest.raises(NotUnderstood):
        read(SOURCE, message("id=tr_1"), SETTINGS)

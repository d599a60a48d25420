"""Paddle: the buyer, read back from another address in the sandbox."""

from typing import Any

import pytest
from senders import message, no_call, read, read_back_and_read, reply, trust

from connectors.paddle.source import Paddle
from hub.contract import Call, NotVerified, Refused, Reply
from hub.toolkit.signing import make_hmac

SOURCE = Paddle()
EVENT = {
    "event_id": "evt_1",
    "event_type": "transaction.completed",
    "occurred_at": "2026-03-01T10:00:00Z",
    "data": {
        "id": "txn_1",
        "customer_id": "ctm_1",
        "origin": "web",
        "details": {"totals": {"grand_total": "4900", "currency_code": "EUR"}, "line_items": []},
    },
}


@pytest.mark.parametrize(("mode", "host"), [("live", "api.paddle.com"), ("sandbox", "sandbox-api.paddle.com")])
def test_the_buyer_is_read_back_where_the_sale_was_made(mode: str, host: str) -> None:
    def answer(call: Call) -> Reply:
        assert call.url == f"https://{host}/customers/ctm_1"
        return reply({"data": {"id": "ctm_1", "email": "ada@example.com", "name": "Ada Lovelace"}})

    settings: dict[str, Any] = {"secret": "s", "api_key": "k", "mode": mode}
    [sale] = read_back_and_read(SOURCE, message(EVENT), settings, answer)
    assert (sale.contact.email, sale.test) == ("ada@example.com", mode == "sandbox")


def test_a_sale_whose_buyer_may_not_be_read_is_a_sale_all_the_same() -> None:
    def refused(_call: Call) -> Reply:
        raise Refused("Forbidden", status=403)

    [sale] = read_back_and_read(SOURCE, message(EVENT), {"secret": "s", "api_key": "k"}, refused)
    assert (sale.contact.email, sale.contact.external_id) == (None, "ctm_1")


def test_without_a_key_nothing_is_asked() -> None:
    assert read(SOURCE, message(EVENT), {"secret": "s"})[0].contact.external_id == "ctm_1"


def test_an_old_signature_is_accepted_only_as_long_as_set() -> None:
    stamp = int(message("").received_at.timestamp()) - 600
    body = b"{}"
    header = {"Paddle-Signature": f"ts={stamp};h1={make_hmac(b'%d:' % stamp + body, 's')}"}
    trust(SOURCE, message(body, header), {"secret": "s", "tolerance": 900}, no_call)
    with pytest.raises(NotVerified):
        trust(SOURCE, message(body, header), {"secret": "s"}, no_call)

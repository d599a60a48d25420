"""Gumroad: a sale believed because Gumroad has it, and in which currency its price is."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from senders import message, read, reply, trust

from connectors.gumroad.source import Gumroad
from hub.contract import BadCredentials, Call, NotVerified, Reply, Trust

SOURCE = Gumroad()
SALE = {"sale_id": "a/b==", "product_id": "p==", "email": "ada@example.com", "price": "4900", "currency": "eur"}
TOKEN = {"access_token": "sample-token"}


def test_without_a_token_a_ping_is_only_claimed() -> None:
    assert trust(SOURCE, message(urlencode(SALE)), {}) is Trust.CLAIMED


def test_with_a_token_the_sale_itself_proves_the_ping() -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.url)
        return reply({"success": True, "sale": {**SALE, "id": "a/b==", "price": 4900}})

    assert trust(SOURCE, message(urlencode(SALE)), TOKEN, answer) is Trust.PROVEN
    assert asked == ["https://api.gumroad.com/v2/sales/a%2Fb%3D%3D"]


@pytest.mark.parametrize("lie", [{"price": "9900"}, {"email": "eve@example.com"}, {"product_id": "q=="}])
def test_a_ping_that_says_otherwise_than_its_sale_is_refused(lie: dict[str, str]) -> None:
    with pytest.raises(NotVerified):
        trust(SOURCE, message(urlencode(SALE | lie)), TOKEN, lambda _call: reply({"sale": {**SALE, "price": 4900}}))


def test_a_token_that_no_longer_works_refuses_nothing() -> None:
    def answer(_call: Call) -> Reply:
        raise BadCredentials("The token was revoked.", status=401)

    with pytest.raises(BadCredentials):
        trust(SOURCE, message(urlencode(SALE)), TOKEN, answer)


@pytest.mark.parametrize(("choice", "currency"), [("usd", "USD"), ("product", "EUR")])
def test_prices_are_dollars_unless_the_owner_says_otherwise(choice: str, currency: str) -> None:
    sale = read(SOURCE, message(urlencode(SALE)), {"price_in": choice})[0]
    assert (sale.value, sale.currency) == (Decimal("49.00"), currency)

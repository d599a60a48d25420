"""BigCommerce: what is asked for each message, and an order that is gone."""

from decimal import Decimal
from typing import Any

from senders import message, read_back_and_read, reply

from connectors.bigcommerce.source import BigCommerce
from hub.contract import Call, Refused, Reply

SOURCE = BigCommerce()
SETTINGS = {"secret": "s", "store_hash": "abc", "access_token": "t"}
STORE = "https://api.bigcommerce.com/stores/abc"
ORDER = {"id": 250, "status_id": 10, "total_inc_tax": "53.0000", "default_currency_code": "USD", "cart_id": "c-1"}


def event(scope: str, **data: Any) -> dict[str, Any]:
    return {"scope": scope, "data": {"type": "order", "id": 250, **data}, "hash": "h", "created_at": 1561479335}


def test_an_order_comes_with_its_products() -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.url)
        return reply([{"product_id": 7, "name": "Mug", "quantity": 2}] if call.url.endswith("/products") else ORDER)

    [sale] = read_back_and_read(SOURCE, message(event("store/order/statusUpdated")), SETTINGS, answer)
    assert asked == [f"{STORE}/v2/orders/250", f"{STORE}/v2/orders/250/products"]
    assert (sale.value, sale.items[0].product_id, sale.order_aliases) == (Decimal("53.00"), "7", ["c-1"])


def test_a_refund_is_found_among_the_orders_refunds() -> None:
    refunds = {"data": [{"id": 13, "total_amount": 5}, {"id": 14, "total_amount": 10.5}]}
    inbound = message(event("store/order/refund/created", refund={"refund_id": 14}))
    answers = {f"{STORE}/v2/orders/250": ORDER, f"{STORE}/v3/orders/250/payment_actions/refunds": refunds}
    [refund] = read_back_and_read(SOURCE, inbound, SETTINGS, lambda call: reply(answers[call.url]))
    assert (refund.value, refund.money_id) == (Decimal("10.5"), "14")


def test_an_order_that_is_gone_is_nothing_to_us() -> None:
    def gone(_call: Call) -> Reply:
        raise Refused("Not found", status=404)

    assert read_back_and_read(SOURCE, message(event("store/order/created")), SETTINGS, gone) == []

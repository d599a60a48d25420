"""Hotmart: the token in either place, and charges of a subscription."""

import json
from typing import Any

import pytest
from senders import message, read, trust

from connectors.hotmart.source import Hotmart
from hub.contract import Kind, NotVerified, Trust

SOURCE = Hotmart()
KEY = {"hottok": "tok"}


def approved(**purchase: Any) -> dict[str, Any]:
    money = {"price": {"value": 19.9, "currency_value": "EUR"}, "transaction": "HP1", "order_date": 1774951200000}
    data = {"buyer": {"email": "ana@example.com"}, "product": {"id": 3}, "purchase": money | purchase}
    return {"id": "e1", "event": "PURCHASE_APPROVED", "version": "2.0.0", "creation_date": 1774951300000, "data": data}


@pytest.mark.parametrize(
    ("header", "body", "good"),
    [
        ("tok", None, True),
        (None, "tok", True),
        ("wrong", "tok", False),
        (None, None, False),
        ("", "", False),
        (None, 5, False),
    ],
)
def test_the_token_counts_in_the_header_or_else_in_the_body(header: str | None, body: Any, good: bool) -> None:
    headers = {} if header is None else {"X-HOTMART-HOTTOK": header}
    inbound = message({**approved(), "hottok": body}, headers)
    if good:
        assert trust(SOURCE, inbound, KEY) is Trust.PROVEN
    else:
        with pytest.raises(NotVerified):
            trust(SOURCE, inbound, KEY)


def test_the_token_is_never_told() -> None:
    [sale] = read(SOURCE, message({**approved(), "hottok": "tok-secret"}), KEY)
    assert "tok-secret" not in json.dumps(sale.to_dict())


@pytest.mark.parametrize(("number", "kind"), [(1, Kind.CONVERSION), (2, Kind.RENEWAL), (None, Kind.CONVERSION)])
def test_the_second_charge_of_a_subscription_is_a_renewal(number: int | None, kind: Kind) -> None:
    event = approved(recurrence_number=number)
    event["data"]["subscription"] = {"subscriber": {"code": "S1"}}
    [charge] = read(SOURCE, message(event))
    assert (charge.kind, charge.subscription_id, "maybe_renewal" in charge.flags) == (kind, "S1", number is None)

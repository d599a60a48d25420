"""Shops that each count their orders from 1001, as Shopify's do."""

from __future__ import annotations

import json
from typing import Any

from hub.contract.signing import make_hmac
from journey.verdicts import messages
from journey.world import World

from hub.steer import connections as steer
from hub.store import connections, now

SECRET = "made_up_secret"


def shop(hub: World, **choice: Any) -> Any:
    with hub.store.write() as tx:
        made = steer.connect(
            tx,
            now(),
            hub.workspace_id,
            connector="shopify",
            role="source",
            name="Shop",
            settings={"secret": [SECRET]},
            **choice,
        )
        return connections.get_connection(tx, made)


def sell(hub: World, source: Any, number: int, amount: str) -> str:
    """A shop tells of a paid order, which has an id of its own and a number that every shop has; returns the reason."""
    order = {
        "id": int(source["number"]) * 10**9 + number,
        "name": f"#{number}",
        "order_number": number,
        "email": "anna@example.com",
        "total_price": amount,
        "currency": "EUR",
        "financial_status": "paid",
        "created_at": "2026-10-01T10:00:00Z",
        "processed_at": "2026-10-01T10:00:00Z",
        "line_items": [],
    }
    body = json.dumps(order).encode()
    signed = {
        "X-Shopify-Topic": "orders/paid",
        "X-Shopify-Hmac-Sha256": make_hmac(body, SECRET, encoding="base64"),
        "X-Shopify-Webhook-Id": f"{source['id']}-{number}",
        "X-Shopify-Event-Id": f"{source['id']}-{number}",
        "Content-Type": "application/json",
    }
    answer = hub.client.post(f"/in/{source['address']}", data=body, headers=signed)
    assert answer.status_code == 200, answer.data
    return str(messages(hub)[-1]["reason"])


def load(hub: World, pixel: Any, number: int | str, amount: str) -> str:
    """A thank-you page is shown; returns the reason."""
    query = {"orderId": number, "amount": amount, "email": "anna@example.com", "currency": "EUR"}
    assert hub.client.get(f"/v1/conversion/pixel/{pixel['number']}", query_string=query).status_code == 200
    return str(messages(hub)[-1]["reason"])

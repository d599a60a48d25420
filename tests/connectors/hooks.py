"""Messages of a sender nobody knows, verified and read as the hub does it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.webhook.source import WebhookSource
from hub.contract import Conversion, Headers, Inbound, NotUnderstood, NotVerified, Trust
from hub.normalize import read_message
from hub.verify import prove

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "made-up-secret"
BODY = b'{"order_id": "7"}'


def settings(**given: Any) -> dict[str, Any]:
    return dict(WebhookSource.Settings().load(given))


def message(body: Any, *, at: datetime = NOW, method: str = "POST", query: str = "", **headers: str) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Inbound(raw, Headers({k.replace("_", "-"): v for k, v in headers.items()}), at, method, query=query)


def trust(inbound: Inbound, **given: Any) -> Trust:
    with pytest.raises(StopIteration) as stop:
        next(prove(WebhookSource(), inbound, settings(**given)))
    return stop.value.value


def refusal(inbound: Inbound, **given: Any) -> str:
    with pytest.raises(NotVerified) as caught:
        trust(inbound, **given)
    return caught.value.reason


def read_all(body: Any, **given: Any) -> list[Conversion]:
    inbound = body if isinstance(body, Inbound) else message(body)
    return read_message(WebhookSource(), inbound, settings(**given))


def read(body: Any, **given: Any) -> Conversion:
    [conversion] = read_all(body, **given)
    return conversion


def reason(body: Any, **given: Any) -> str:
    with pytest.raises(NotUnderstood) as caught:
        read_all(body, **given)
    return caught.value.reason

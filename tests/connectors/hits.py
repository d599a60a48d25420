"""Hits of the pixel, read and believed as the hub does it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.pixel.source import Pixel
from hub.contract import Conversion, Headers, Inbound, NotUnderstood, Trust
from hub.contract.reasons import REASONS
from hub.normalize import read_message
from hub.verify import prove

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
COOKIE = "hub_visitor=v1.k3Jx8sQ2nWm5tR7y"
ADDRESS = "https://hub.example/v1/conversion/pixel/3"


def settings(**given: Any) -> dict[str, Any]:
    return dict(Pixel.Settings().load(given))


def hit(query: str = "", *, method: str = "GET", body: bytes = b"", at: datetime = NOW, **headers: str) -> Inbound:
    named = {"User-Agent": BROWSER} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(body, Headers(named), at, method, "/v1/conversion/pixel/3", query, remote_ip="203.0.113.9")


def read(inbound: Inbound | str, **given: Any) -> Conversion:
    inbound = hit(inbound) if isinstance(inbound, str) else inbound
    [conversion] = read_message(Pixel(), inbound, settings(**given))
    return conversion


def reason(inbound: Inbound | str, **given: Any) -> str:
    with pytest.raises(NotUnderstood) as caught:
        read(inbound, **given)
    assert caught.value.reason in REASONS
    return caught.value.reason


def trust(inbound: Inbound, **given: Any) -> Trust:
    recipe = prove(Pixel(), inbound, settings(**given))
    with pytest.raises(StopIteration) as stop:
        next(recipe)
    return stop.value.value

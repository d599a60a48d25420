"""Proxies: the owner's own, and nobody else's."""

from __future__ import annotations

import pytest
from outgoing.receivers import WHOLE, Ask, Receive, answering

from hub.outgoing.guard import AddressRefused
from hub.settings import settings


def test_proxies_of_the_environment_are_not_asked(ask: Ask, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    proxy = receive(answering(WHOLE, asked=asked))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert ask(receive(answering(WHOLE)).url).status_code == 200
    assert asked == []


def test_the_owners_proxy_is_asked_and_addresses_inside_are_refused_before(
    ask: Ask, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    proxy = receive(answering(WHOLE, asked=asked))
    monkeypatch.setenv("HUB_OUTGOING_PROXY", proxy.url.rstrip("/"))
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "")
    settings.cache_clear()
    for inside in ("127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "10.1.2.3", "LOCALHOST."):
        with pytest.raises(AddressRefused):
            ask(f"http://{inside}/")
    assert asked == []
    assert ask("http://shop.example.com/path").status_code == 200
    assert asked[0].startswith(b"POST http://shop.example.com/path HTTP/1.1")

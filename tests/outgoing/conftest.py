"""Receivers on real sockets, an authority that the hub is told to trust, and the two ways in which calls leave."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycurl
import pytest
import requests
from outgoing.receivers import Ask, Authority, Behave, Receiver

from hub.outgoing import curl
from hub.outgoing.adapter import GuardedAdapter
from hub.outgoing.at_once import AtOnce


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Starts a receiver: ``receive(behave, context)``."""
    made: list[Receiver] = []

    def start(behave: Behave, context: ssl.SSLContext | None = None) -> Receiver:
        made.append(Receiver(behave, context))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    curl.authorities.cache_clear()
    yield made
    curl.authorities.cache_clear()


@pytest.fixture
def adapter() -> Iterator[GuardedAdapter]:
    made = GuardedAdapter(kept=2)
    yield made
    made.close()


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    made = AtOnce()
    yield made
    made.close()


@pytest.fixture(params=["alone", "at once"])
def ask(request: pytest.FixtureRequest, adapter: GuardedAdapter, at_once: AtOnce) -> Ask:
    """Calls an address and returns its answer, or raises why there is none."""

    def call(url: str, body: bytes = b"{}", timeout: float = 2.0, method: str = "POST") -> requests.Response:
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = method, url, body or None
        prepared.headers = requests.structures.CaseInsensitiveDict()
        if request.param == "alone":
            return adapter.send(prepared, timeout=timeout)
        at_once.start(prepared, timeout, "key")
        ((key, answer),) = at_once.finished(30)
        assert key == "key"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where names lead, as a name server would say it before each request."""
    leads: dict[str, str] = {}

    class Named(pycurl.Curl):
        def setopt(self, option: int, value: Any) -> None:
            super().setopt(option, value)
            if option == pycurl.URL:
                origin = value.split("/")[2].rpartition(":")
                super().setopt(pycurl.RESOLVE, [f"{name}:{origin[2]}:{address}" for name, address in leads.items()])

    monkeypatch.setattr(pycurl, "Curl", Named)
    return leads

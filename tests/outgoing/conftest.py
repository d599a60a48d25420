"""Receivers on real sockets, an authority that the hub is told to trust, and the two ways in which calls leave."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outgoing.receivers import Authority, Behave, Receiver

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

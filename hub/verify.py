"""Step 2: is it genuine? Asks the source's connector, before anything is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from hub.connected import Connected
from hub.contract.calls import Recipe
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Trust
from hub.reading import prove

RunRecipe = Callable[[Connected, Recipe], Any]


def verify(inbound: Inbound, connected: Connected, run: RunRecipe) -> Trust:
    """``proven`` or ``claimed``.

    Raises NotVerified with the reason, and TryLater when what the proof needs cannot be fetched just now.
    """
    trust: Trust = run(connected, prove(connected.source, inbound, connected.settings))
    return trust


def event_key(inbound: Inbound, connected: Connected) -> str | None:
    """What makes two messages of a source the same delivery: the bytes, and the headers that give them meaning.

    Not the sender's event id: a forged or changed message must not be able to take its place.
    """
    source = connected.source
    if source.resend_is_news:
        return None
    digest = hashlib.sha256(inbound.body)
    for part in (inbound.query, *(inbound.headers.get(name, "") for name in source.identity_headers)):
        digest.update(b"\n" + part.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:40]

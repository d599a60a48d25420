"""Step 2: is it genuine? Asks the source's connector, before anything is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import Any

from hub.connected import Connected
from hub.contract.calls import Recipe
from hub.contract.connector import Unsigned
from hub.contract.errors import NotVerified
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Trust

RunRecipe = Callable[[Connected, Recipe], Any]


def verify(inbound: Inbound, connected: Connected, run: RunRecipe) -> Trust:
    """``proven`` or ``claimed``; raises NotVerified with the reason, and TryLater when the proof cannot be fetched now."""
    source = connected.source
    try:
        asked = source.verify(inbound, connected.settings)
        if isinstance(asked, Generator):
            run(connected, asked)
    except Unsigned:
        return Trust.CLAIMED
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        # A forged message may have any shape: what breaks the check has not passed it.
        raise NotVerified(
            "The signature cannot be read.", detail=f"{type(error).__name__}: {error}"[:200]
        ) from error
    return Trust.PROVEN


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

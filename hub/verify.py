"""Step 2: is it genuine? Asks the source's connector, before anything is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from hub.connecting.seams import NAIVE, where
from hub.contract import Unsigned
from hub.contract.calls import Call, Recipe, Reply
from hub.contract.connector import Source
from hub.contract.errors import InboundError, NotVerified
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Trust

if TYPE_CHECKING:  # `hub verify` needs no store, which this would load
    from hub.connecting.connected import Connected

RunRecipe: TypeAlias = "Callable[[Connected, Recipe], Any]"


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


def prove(source: Source, inbound: Inbound, settings: Mapping[str, Any]) -> Generator[Call, Reply, Trust]:
    """A recipe that returns how far the message can be believed: *proven*, or *claimed* when the sender signs nothing.

    Raises NotVerified for everything else, whatever the connector tripped over (it fails closed). A DeliveryError
    raised at a yield passes through, since then nothing is known about the message yet.
    """
    try:
        recipe = source.verify(inbound, settings)
        if recipe is not None:
            yield from recipe
    except Unsigned:
        return Trust.CLAIMED
    except NotVerified:
        raise
    except InboundError as error:
        raise NotVerified(f"{error.message} So its sender could not be verified.", detail=error.detail) from error
    except NAIVE as error:
        raise NotVerified(
            "The sender could not be verified: the message is not signed in the form this sender uses.",
            detail=where(error),
        ) from error
    return Trust.PROVEN

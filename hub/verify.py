"""Step 2: is it genuine? Asks the source's connector, before anything is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from hub.connecting.rehearsal import drive
from hub.connecting.seams import NAIVE, asking, guarded, where
from hub.contract import Unsigned
from hub.contract.calls import Call, Recipe, Reply
from hub.contract.connector import Source
from hub.contract.errors import InboundError, NotVerified
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Trust

if TYPE_CHECKING:  # `hub verify` needs no store, which this would load
    from hub.connecting.connected import Connected

RunRecipe: TypeAlias = "Callable[[Connected, Recipe], Any]"


class MustAsk(Exception):
    """Somebody else has to be asked first, over the network: that is done beside reading (hub/run/asking.py)."""


def without_asking(_connected: Connected, recipe: Recipe) -> Any:
    """Drive a recipe that should need nobody. Raises MustAsk at its first call."""
    return drive(recipe, _nobody)


def _nobody(_call: Call) -> Reply:
    raise MustAsk


def verify(inbound: Inbound, connected: Connected, run: RunRecipe) -> Trust:
    """``proven`` or ``claimed``.

    Raises NotVerified with the reason, ConnectorBroken, and whatever ``run`` raises for a call that it does not make.
    """
    trust: Trust = run(connected, prove(connected.source, inbound, connected.settings))
    return trust


def event_key(inbound: Inbound, connected: Connected) -> str | None:
    """What makes two messages of a source the same delivery: the bytes, and the headers that give them meaning.

    Not the sender's event id: a forged or changed message must not be able to take its place.
    """
    with guarded(connected.connector, "telling two messages apart"):
        return None if connected.source.resend_is_news else content_key(inbound, connected)


def content_key(inbound: Inbound, connected: Connected) -> str:
    """A digest of all that tells two messages of this source apart. Equal messages are not always the same delivery."""
    digest = hashlib.sha256(inbound.body)
    for part in (inbound.query, *(inbound.headers.get(name, "") for name in connected.source.identity_headers)):
        digest.update(b"\n" + part.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:40]


def prove(source: Source, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
    """A recipe that returns how far the message can be believed: *proven*, or *claimed* when the sender signs nothing.

    Raises NotVerified for everything else, whatever the connector tripped over (it fails closed), and ConnectorBroken
    for what no message explains. A DeliveryError raised at a yield passes through, since then nothing is known about the
    message yet.
    """
    return asking(source, "verifying a message", _proof, source, inbound, settings)


def _proof(source: Source, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
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

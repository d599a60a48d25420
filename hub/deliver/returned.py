"""What a destination's connector returned or raised, in a form that can be recorded whatever it is.

One record whose verdict cannot be written would take the verdicts of its whole batch with it, and all of them would be
sent again and again.
"""

from __future__ import annotations

import math
from typing import Any

from hub.connecting.seams import broken
from hub.contract.calls import Outcome, Result
from hub.contract.connector import Connector
from hub.contract.errors import DeliveryError, HubError
from hub.contract.reasons import REASONS
from hub.outgoing.answers import REASON_OF, outcome_of

LONGEST_DETAIL = 500  # characters


def checked(told: Any, connector: Connector) -> Outcome:
    """``told`` as an Outcome whose every part is what its type says.

    What is no Outcome becomes a refusal that names the connector: it was sent, but how it fared is not known.
    """
    try:
        return _clean(told)
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the verdict
        return outcome_of(as_delivery_error(error, connector, "saying how a record fared"))


def as_delivery_error(error: Exception, connector: Connector, doing: str) -> DeliveryError:
    """The error of one record, or of a batch: the connector's own DeliveryErrors as they are, any other as its fault."""
    if isinstance(error, DeliveryError):
        return error
    known = error if isinstance(error, HubError) else broken(connector, doing, error)
    return DeliveryError(known.message, detail=known.detail, reason="connector_broken")


def seconds(after: Any) -> float | None:
    """How long to wait as a connector said it; None where that is no number of seconds."""
    try:
        number = float(after)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def words(text: Any, limit: int = LONGEST_DETAIL) -> str:
    """Text as a database takes it: no NUL, no halves of characters, cut."""
    return str(text or "").replace("\0", "").encode("utf-8", "replace").decode()[:limit]


def reason(told: Any, otherwise: str) -> str:
    """A reason of the closed list."""
    return told if isinstance(told, str) and told in REASONS else otherwise


def _clean(told: Any) -> Outcome:
    if not isinstance(told, Outcome):
        raise TypeError(f"it returned a {type(told).__name__} where an Outcome is due")
    result = Result(told.result)
    detail = words(told.detail)
    if told.reason and told.reason not in REASONS:  # its words are kept where people see them
        detail = words(f"{told.reason}: {detail}")
    return Outcome(
        result,
        reason(told.reason, REASON_OF[result]),
        detail,
        seconds(told.after) if told.after is not None else None,
        told.field,
        words(told.ticket, 2 * 1000),
    )

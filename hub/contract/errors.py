"""Everything that can go wrong. The class of an error says what should happen next.

Each error carries a ``message`` for people (what happened, what to do), a ``detail`` for the log, and a ``reason`` from
the closed list in :mod:`hub.contract.reasons`. None of them may ever hold a secret.
"""

from __future__ import annotations


class HubError(Exception):
    """Base of every error that a step of the journey catches and records."""

    reason = "internal_error"

    def __init__(self, message: str, *, detail: str = "", reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        if reason is not None:
            self.reason = reason


class InboundError(HubError):
    """The message that arrived cannot be used."""


class NotVerified(InboundError):
    """The message is not proven to come from its sender: kept, never counted, answered with 401."""

    reason = "signature_wrong"


class NotUnderstood(InboundError):
    """The message is genuine but cannot be read: parked, shown, and replayable after a fix."""

    reason = "not_understood"


class DeliveryError(HubError):
    """A destination did not take a record."""


class TryLater(DeliveryError):
    """A passing failure.

    ``after`` is the number of seconds the destination asked us to wait (None: our own schedule decides).
    ``whole_connection`` is set when the wait is for everything we send there (a rate limit), not for this record only.
    """

    reason = "destination_not_accepting"

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        whole_connection: bool = False,
        detail: str = "",
        reason: str | None = None,
    ) -> None:
        super().__init__(message, detail=detail, reason=reason)
        self.after = after
        self.whole_connection = whole_connection


class Refused(DeliveryError):
    """The destination refused this record for good. ``status`` is its HTTP status, if it answered with one."""

    reason = "refused_by_destination"

    def __init__(self, message: str, *, status: int = 0, detail: str = "", reason: str | None = None) -> None:
        super().__init__(message, detail=detail, reason=reason)
        self.status = status


class BadCredentials(Refused):
    """The key or grant no longer works: the connection pauses, its owner is told, deliveries wait."""

    reason = "credentials_refused"


class Gone(Refused):
    """The receiver says it no longer exists (410): the connection is switched off."""

    reason = "destination_gone"


class BadMapping(Refused):
    """A field is missing or malformed. ``field`` is its key at the destination."""

    reason = "required_field_empty"

    def __init__(self, field: str, message: str, *, status: int = 0, detail: str = "") -> None:
        super().__init__(message, status=status, detail=detail)
        self.field = field


class ConnectorBroken(HubError):
    """The connector's own code failed, or its folder is not whole: set aside with the reason, the rest goes on."""

    reason = "connector_broken"


class ConfigError(Exception):
    """The installation is misconfigured. Stands outside HubError so that no loop can swallow it: the start stops."""

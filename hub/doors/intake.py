"""What every door does: make an Inbound of the request, and keep it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flask import current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from hub.connecting.connected import Connected, ConnectionCache, open_connection
from hub.connecting.registry import registry
from hub.contract.errors import HubError
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Trust
from hub.receive import Receipt, Receiver
from hub.run.queue import ASKING
from hub.store import Store, connections, inbound, new_id, now
from hub.store.base import Values
from hub.toolkit.visits import NEW_VISITOR, VISITOR_COOKIE
from hub.verify import content_key, event_key

MOST_REFUSED = 60
"""Refused messages kept for each source and minute: enough to see what is wrong, too few to fill the disk with."""

MOST_UNPROVEN = 1200
"""Messages kept for each source and minute that only their sender can prove: as many as an asker is through with."""

_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|api[-_]?key|hottok|session", re.IGNORECASE)
_NOT_KEPT = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "accept-encoding",
        "cookie",
        "forwarded",
        "x-forwarded-for",
        "x-real-ip",
        "x-forwarded-proto",
        "x-forwarded-host",
        "transfer-encoding",
        "cf-connecting-ip",
        "true-client-ip",
        "expect",
    }
)
_LONGEST_HEADER = 4200


@dataclass
class Hub:
    """What the doors, pages and API of one process share. Found at ``app.extensions["hub"]``."""

    store: Store
    receiver: Receiver
    wake: Callable[[str, str, str], object]

    def __post_init__(self) -> None:
        self.by_address = ConnectionCache(self._by_address, self._version)
        self.by_number = ConnectionCache(self._by_number, self._version)

    def _version(self) -> int:
        return connections.version_now(self.store)

    def _by_address(self, address: str) -> Connected | None:
        with self.store.read() as tx:
            row = connections.source_by_address(tx, address)
        return open_connection(row) if row is not None else None

    def _by_number(self, number: int | None) -> Connected | None:
        pixels = [source.slug for source in registry().sources() if source.door == "pixel"]
        with self.store.read() as tx:
            rows = [row for slug in pixels if (row := connections.source_by_number(tx, number, slug)) is not None]
        return open_connection(rows[0]) if rows else None


def hub() -> Hub:
    """The Hub of the app that answers this request."""
    found: Hub = current_app.extensions["hub"]
    return found


def keep(hub: Hub, message: Inbound, connected: Connected, trust: Trust) -> Receipt:
    """Make a good message durable. Raises NotKept when it could not be, NotConfirmed when that is not known yet."""
    key = event_key(message, connected)
    row = _row(message, connected) | {"trust": trust.value, "event_key": key}
    return hub.receiver.keep(row) if key else hub.receiver.keep(row, lambda: _sent_by(message, connected))


def keep_unproven(hub: Hub, message: Inbound, connected: Connected) -> Receipt | None:
    """Keep a message whose sender has to be asked whether it is genuine; None when this minute has seen too many.

    It gets no event key before it is verified: what is forged must not take the place of what is genuine.
    """
    if not _counted.hit(_most_unproven, "unproven", connected.id):
        return None
    row = _row(message, connected) | {"state": inbound.READING, "reason": inbound.UNPROVEN}
    receipt = hub.receiver.keep(row, lambda: _sent_by(message, connected))
    hub.wake(ASKING, "ask_senders", connected.workspace_id)
    return receipt


def _sent_by(message: Inbound, connected: Connected) -> str:
    """What makes an equal message, where equal messages are news, the resend of one that could not be confirmed."""
    who = (message.remote_ip, *(message.headers.get(name, "") for name in ("user-agent", "cookie")))
    return "\n".join((connected.id, content_key(message, connected), *who))


def keep_refused(hub: Hub, message: Inbound, connected: Connected, error: HubError) -> Receipt | None:
    """Keep a message that was not verified, for people to see why; None when this minute has seen too many."""
    if not _counted.hit(_most_refused, "refused", connected.id):
        return None
    why = {"state": inbound.REFUSED, "reason": error.reason, "detail": f"{error.message} {error.detail}".strip()[:1000]}
    return hub.receiver.keep(_row(message, connected) | why)


def _row(message: Inbound, connected: Connected) -> Values:
    return inbound.NEW_ROW | {
        "id": new_id(),
        "workspace_id": connected.workspace_id,
        "connection_id": connected.id,
        "received_at": message.received_at,
        "due_at": message.received_at,
        "method": message.method,
        "path": _clean(message.path[:500]),
        "query": _clean(message.query),
        "headers": _kept_headers(message.headers),
        "body": message.body,
        "remote_ip": message.remote_ip[:45],
    }


def _kept_headers(headers: Headers) -> dict[str, str]:
    kept = {}
    for name, value in headers.items():
        if name == "cookie":
            kept[name] = value  # only our own visitor id is left of it
        elif name not in _NOT_KEPT:
            kept[name] = "***" if _is_secret(name) else _clean(value[:_LONGEST_HEADER])
    return kept


@lru_cache(maxsize=1024)
def _is_secret(header: str) -> bool:
    return _SECRET_HEADER.search(header) is not None


def _clean(text: str) -> str:
    # PostgreSQL takes no NUL in a text; nothing that signs or counts is changed by this.
    return text.replace("\x00", "�") if "\x00" in text else text


_most_refused, _most_unproven = RateLimitItemPerMinute(MOST_REFUSED), RateLimitItemPerMinute(MOST_UNPROVEN)
_counted = FixedWindowRateLimiter(MemoryStorage())  # in memory: a door does not ask Redis
__all__ = ["NEW_VISITOR", "VISITOR_COOKIE", "Hub", "hub", "keep", "keep_refused", "keep_unproven", "now"]

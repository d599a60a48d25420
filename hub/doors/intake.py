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

from hub.connecting.connected import Connected, Freshly, open_connection
from hub.connecting.registry import registry
from hub.contract.errors import InboundError
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Trust
from hub.receive import Receipt, Receiver
from hub.store import Store, connections, inbound, new_id, now
from hub.store.base import Values
from hub.toolkit.visits import NEW_VISITOR, VISITOR_COOKIE
from hub.verify import event_key

MOST_REFUSED = 60
"""Refused messages kept for each source and minute: enough to see what is wrong, too few to fill the disk with."""

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
        self.by_address = Freshly(self._by_address)
        self.by_number = Freshly(self._by_number)

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
    """Make a good message durable. Raises NotKept when it could not be."""
    return hub.receiver.keep(
        _row(message, connected) | {"trust": trust.value, "event_key": event_key(message, connected)}
    )


def keep_refused(hub: Hub, message: Inbound, connected: Connected, error: InboundError) -> Receipt | None:
    """Keep a message that was not verified, for people to see why; None when this minute has seen too many."""
    if not _refused.hit(_most_refused, connected.id):
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


_most_refused = RateLimitItemPerMinute(MOST_REFUSED)
_refused = FixedWindowRateLimiter(MemoryStorage())  # in memory: a door does not ask Redis
__all__ = ["NEW_VISITOR", "VISITOR_COOKIE", "Hub", "hub", "keep", "keep_refused", "now"]

"""A stored message on its way through reading and asking: as its connector sees it, and what an error makes of it."""

from __future__ import annotations

from datetime import datetime

from hub.connecting.connected import Connected, open_connection, public_url
from hub.contract.errors import ConnectorBroken, HubError, NotVerified, TryLater
from hub.contract.inbound import Headers, Inbound
from hub.deliver.retry import next_try
from hub.store import Store, connections, inbound
from hub.store.base import Values
from hub.store.inbound import InboundRow


def source_of(store: Store, connection_id: str) -> Connected:
    """The source that a message came in by, ready for use. Raises ConnectorBroken."""
    with store.read() as tx:
        row = connections.get_connection(tx, connection_id)
    if row is None:
        raise ConnectorBroken("The source this came from was removed.", reason="source_paused")
    return open_connection(row)


def as_arrived(row: InboundRow, connected: Connected) -> Inbound:
    return Inbound(
        body=bytes(row.body),
        headers=Headers(row.headers),
        received_at=row.received_at,
        method=row.method,
        path=row.path,
        query=row.query,
        url=public_url(connected.row),
        remote_ip=row.remote_ip,
        fetched=row.fetched or {},
    )


def verdict_of(error: HubError, row: InboundRow, at: datetime) -> Values:
    """The columns of a message that ``error`` kept from being read: later, refused, or set aside with the reason."""
    if isinstance(error, TryLater):
        return later(row, at, said(error), error.reason, after=error.after)
    state = inbound.REFUSED if isinstance(error, NotVerified) else inbound.PARKED
    return {"state": state, "reason": error.reason, "detail": said(error)}


def later(row: InboundRow, at: datetime, detail: str, reason: str = "waiting", after: float | None = None) -> Values:
    """The columns of a message that is tried again later, by the schedule of all retries; in the end it is given up."""
    tries = row.tries + 1
    due_at = next_try(tries, at, after=after)
    if due_at is None:
        return {"state": inbound.PARKED, "reason": "given_up", "detail": detail}
    # What has to be verified must be, whatever happens in between.
    kept = row.reason if row.reason in inbound.TO_VERIFY else reason
    return {"state": row.state, "reason": kept, "detail": detail, "due_at": due_at, "tries": tries}


def said(error: HubError) -> str:
    return f"{error.message} {error.detail}".strip()[:1000]

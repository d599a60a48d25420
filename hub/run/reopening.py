"""Connections whose connector was not installed, or could not be used, go on by themselves once it can be again."""

from __future__ import annotations

import logging

from hub.connecting.connected import UNUSABLE, open_connection
from hub.contract.errors import ConnectorBroken
from hub.store import Store, connections, inbound, now, replays
from hub.store.connections import ConnectionRow

log = logging.getLogger(__name__)


def reopen(store: Store) -> None:
    """Set to work what stands still for that reason alone and can be opened now; what waited for it is due at once."""
    with store.read() as tx:
        stopped = connections.stopped_for(tx, UNUSABLE)
    for row in stopped:
        try:
            open_connection(row)
        except ConnectorBroken:
            continue
        _go_on(store, row)
        log.info("%s can be used again and goes on", row.name)


def _go_on(store: Store, row: ConnectionRow) -> None:
    with store.write() as tx:
        if connections.go_on(tx, row.id, now(), UNUSABLE):
            replays.release(tx, row.id, now())
            inbound.read_again(tx, row.workspace_id, inbound.parked_for(tx, row.id, [UNUSABLE]), now())

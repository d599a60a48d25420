"""Steps 3 to 5 of a workspace's waiting messages: read each, book a batch in one transaction, plan its deliveries."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.attribute import Ledger, Observed
from hub.connecting.connected import Connected, open_connection, public_url
from hub.contract.conversion import Conversion
from hub.contract.errors import ConnectorBroken, DeliveryError, HubError, NotUnderstood, NotVerified, TryLater
from hub.contract.inbound import Headers, Inbound
from hub.contract.vocabulary import Trust
from hub.deliver.retry import next_try
from hub.mapping.filters import compile_filter
from hub.mapping.problems import MappingError
from hub.mapping.stored import filter_facts
from hub.normalize import needs_fetch, read_back, read_message
from hub.outgoing.sender import run_recipe
from hub.route import OpenRoute, Plan, plan
from hub.settings import settings
from hub.store import Store, connections, inbound, leases, now, routes
from hub.store.base import Values
from hub.store.inbound import InboundRow
from hub.verify import verify

log = logging.getLogger(__name__)

BATCH = 200
"""Messages read in one transaction."""
FEW = 40
"""A batch of fewer messages is followed by a rest."""
FRESH = 1.0
"""Seconds that a source's settings are used before they are looked up again."""


@dataclass(slots=True)
class Message:
    """A raw message being read: its verdict, and the conversions found in it."""

    row: InboundRow
    trust: Trust
    order_scope: str = ""
    conversions: list[Conversion] | None = None
    state: str = inbound.DONE
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None  # set when it must be read again later
    fetched: dict[str, Any] | None = None


def read_messages(
    store: Store,
    workspace_id: str,
    seconds: float,
    booked: Callable[[set[str]], None] = lambda _: None,
    stay: Callable[[], bool] = lambda: False,
) -> tuple[set[str], bool]:
    """Read what has arrived in a workspace, for at most ``seconds``.

    Returns the destinations that have something to send, and whether more is waiting; ``booked`` is told the former
    after each batch. ``stay`` is asked when nothing waits any more: it rests for a moment and says whether to look again.
    One reader at a time works in a workspace, held together by a lease that each transaction checks; while another
    reads, there is nothing to do.
    """
    with leases.hold(store, f"read:{workspace_id}", settings().lease_seconds) as lease:
        if lease is None:
            return set(), False
        woken = _read_turn(store, workspace_id, lease, time.monotonic() + seconds, booked, stay)
    # Also what was committed while the lease was being given back: whoever was woken for it found it taken.
    return woken, may_be_read(store, workspace_id)


def may_be_read(store: Store, workspace_id: str) -> bool:
    """Whether messages wait in a workspace, and nobody is reading them."""
    with store.read() as tx:
        taken = f"read:{workspace_id}" in leases.taken(tx, "read:")
        return not taken and bool(inbound.waiting(tx, workspace_id, now(), 1))


def _read_turn(
    store: Store,
    workspace_id: str,
    lease: leases.Held,
    until: float,
    booked: Callable[[set[str]], None],
    stay: Callable[[], bool],
) -> set[str]:
    woken, opened, fresh_until = set[str](), _Opened(store), time.monotonic() + FRESH
    while time.monotonic() < until:
        with store.read() as tx:
            rows = inbound.waiting(tx, workspace_id, now(), BATCH)
        if not rows:
            if stay():
                continue
            break
        if time.monotonic() > fresh_until:  # somebody may have changed a connection meanwhile
            opened, fresh_until = _Opened(store), time.monotonic() + FRESH
        messages = []
        for row in rows:
            messages.append(_read_one(row, opened))
            if time.monotonic() > until:  # slow read-backs: what has been read is booked now
                break
        lanes = _book(store, workspace_id, lease, messages)
        if lanes is None:
            log.warning("another reader took over workspace %s", workspace_id)
            break
        booked(lanes)
        woken |= lanes
        if (
            len(rows) < FEW and not stay()
        ):  # what comes in meanwhile is read together: a batch costs as much as many messages
            break
    return woken


def _read_one(row: InboundRow, opened: _Opened) -> Message:
    """Step 3. Whatever is wrong with the message or its connector becomes its verdict."""
    message = Message(row, Trust(row.trust))
    try:
        connected = opened(row.connection_id)
        message.order_scope = connected.row.order_scope
        raw = _as_arrived(row, connected)
        if row.reason == "replayed":
            message.trust = verify(raw, connected, run_recipe)
        # A source that needs its owner is still read: only what has to be asked for waits for the access to it.
        if connected.row.state not in (connections.ACTIVE, connections.NEEDS_YOU):
            message.state, message.reason = inbound.PARKED, "source_paused"
            return message
        if not raw.fetched and needs_fetch(connected.source, raw, connected.settings):
            recipe = read_back(connected.source, raw, connected.settings)
            raw.fetched = message.fetched = run_recipe(connected, recipe)
        if raw.fetched and connected.source.read_back_proves:
            message.trust = Trust.PROVEN
        message.conversions = read_message(connected.source, raw, connected.settings)
        for conversion in message.conversions:
            conversion.test |= inbound.TEST_SALE in raw.headers
        if not message.conversions:
            message.state, message.reason = inbound.IGNORED, "event_not_used"
    except NotVerified as error:
        message.state, message.reason, message.detail = inbound.REFUSED, error.reason, _said(error)
    except TryLater as error:
        _postpone(message, error)
    except (NotUnderstood, ConnectorBroken, DeliveryError) as error:
        message.state, message.reason, message.detail = inbound.PARKED, error.reason, _said(error)
    except Exception as error:
        log.exception("message %s could not be read", row.id)
        message.state, message.reason = inbound.PARKED, "internal_error"
        message.detail = f"{type(error).__name__}: {error}"[:500]
    return message


def _book(store: Store, workspace_id: str, lease: leases.Held, messages: list[Message]) -> set[str] | None:
    """Steps 4 and 5 for a batch, in one transaction. A message the books cannot take is parked, the others go on.

    None: another reader has the lease by now, and nothing was written.
    """
    at = now()
    observed = {message.row.id: _observe(message) for message in messages if message.conversions}
    everything = [one for some in observed.values() for one in some]
    try:
        folded = _fold_ahead(store, workspace_id, everything, at)
        with store.write() as tx:
            if not lease.still(tx):
                return None
            folded = folded or _fold(tx, workspace_id, everything, at)
            folded.write(tx)
            _settle(tx, messages, observed)
            return folded.plan.woken
    except Exception:  # rolled back as a whole: a savepoint would cost every batch what hardly one needs
        log.exception("a batch of %d messages could not be booked; trying them one by one", len(messages))
    with store.write() as tx:
        if not lease.still(tx):
            return None
        woken = _book_singly(tx, workspace_id, messages, observed, at)
        _settle(tx, messages, observed)
        return woken


@dataclass(slots=True)
class _Folded:
    """What a batch changes in the books, and what it sends where."""

    ledger: Ledger
    plan: Plan

    def write(self, tx: Connection) -> None:
        self.ledger.write(tx)
        self.plan.write(tx)


def _fold_ahead(store: Store, workspace_id: str, observed: list[Observed], at: datetime) -> _Folded | None:
    """Fold a batch while others go on writing. The lease keeps what was read true until it is written.

    None: the books have to be written in between (see :class:`Ledger`), so it is folded in the transaction that writes.
    """
    try:
        with store.read() as tx:
            return _fold(tx, workspace_id, observed, at)
    except DBAPIError:
        return None


def _fold(tx: Connection, workspace_id: str, observed: list[Observed], at: datetime) -> _Folded:
    ledger = Ledger(tx, workspace_id, at)
    changed = ledger.fold(observed)
    return _Folded(ledger, _route(tx, workspace_id, [one.row for one in changed], at))


def _settle(tx: Connection, messages: list[Message], observed: dict[str, list[Observed]]) -> None:
    """Write what became of each message."""
    verdicts = []
    for message in messages:
        if message.due_at is not None:
            inbound.change(
                tx,
                message.row.id,
                due_at=message.due_at,
                tries=message.row.tries + 1,
                reason=message.reason,
                detail=message.detail,
            )
            continue
        if message.trust != message.row.trust or message.fetched is not None:
            inbound.change(tx, message.row.id, trust=message.trust.value, fetched=message.fetched)
        effects = [one.effect for one in observed.get(message.row.id, [])]
        reason = message.reason or next(
            (effect for effect in effects if effect != "duplicate_event"), "duplicate_event"
        )
        verdicts.append({"id": message.row.id, "state": message.state, "reason": reason, "detail": message.detail})
    inbound.settle(tx, verdicts)


def _book_singly(
    tx: Connection, workspace_id: str, messages: list[Message], observed: dict[str, list[Observed]], at: datetime
) -> set[str]:
    woken: set[str] = set()
    for message in messages:
        mine = observed.get(message.row.id)
        if not mine:
            continue
        try:
            with tx.begin_nested():
                folded = _fold(tx, workspace_id, mine, at)
                folded.write(tx)
                woken |= folded.plan.woken
        except Exception as error:
            log.exception("message %s could not be booked", message.row.id)
            message.state, message.reason = inbound.PARKED, "internal_error"
            message.detail = f"{type(error).__name__}: {error}"[:500]
    return woken


def _route(tx: Connection, workspace_id: str, changed: list[Values], at: datetime) -> Plan:
    if not changed:
        return Plan()
    open_routes = []
    rows = routes.routes_of(tx, workspace_id, enabled_only=True)
    targets = connections.by_ids(tx, {row.connection_id for row in rows})
    for row in rows:
        try:
            connected = open_connection(targets[row.connection_id])
            open_routes.append(OpenRoute(row, connected, compile_filter(row.filter or {})))
        except (ConnectorBroken, MappingError, HubError) as error:
            log.warning("route %s is left out: %s", row.id, error)
    return plan(tx, changed, open_routes, filter_facts, at)


def _observe(message: Message) -> list[Observed]:
    row = message.row
    return [
        Observed(row.id, row.connection_id, message.order_scope, message.trust, conversion)
        for conversion in message.conversions or ()
    ]


def _postpone(message: Message, error: TryLater) -> None:
    tries = message.row.tries + 1
    message.detail = _said(error)
    message.due_at = next_try(tries, now(), after=error.after)
    if message.due_at is None:
        message.state, message.reason = inbound.PARKED, "given_up"
    else:
        # "replayed" must stay until the message has been verified again.
        message.reason = message.row.reason if message.row.reason == "replayed" else error.reason


def _as_arrived(row: InboundRow, connected: Connected) -> Inbound:
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


def _said(error: HubError) -> str:
    return f"{error.message} {error.detail}".strip()[:1000]


class _Opened:
    """The connections of one turn, each opened once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Connected] = {}

    def __call__(self, connection_id: str) -> Connected:
        if connection_id not in self._known:
            with self._store.read() as tx:
                row = connections.get_connection(tx, connection_id)
            if row is None:
                raise ConnectorBroken("The source this came from was removed.", reason="source_paused")
            self._known[connection_id] = open_connection(row)
        return self._known[connection_id]

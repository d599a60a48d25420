"""Steps 3 to 5 of a workspace's waiting messages: read each, book a batch in one transaction, plan its deliveries.

Nothing here waits for the network: a message for which somebody has to be asked goes beside (hub/run/asking.py), and
comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hub.attribute import Ledger, Observed
from hub.connecting.connected import UNUSABLE, Connected, open_connection
from hub.connecting.seams import TimeLimit, guarded
from hub.contract.conversion import Conversion
from hub.contract.errors import ConnectorBroken, HubError
from hub.contract.vocabulary import Trust
from hub.mapping.filters import condition_of
from hub.mapping.stored import filter_facts
from hub.normalize import needs_fetch, read_message
from hub.route import OpenRoute, Plan, plan
from hub.run.messages import as_arrived, later, said, source_of, verdict_of
from hub.settings import settings
from hub.store import Store, connections, inbound, leases, now, routes
from hub.store.base import Values
from hub.store.connections import ConnectionRow
from hub.store.conversions import ConversionRow
from hub.store.inbound import InboundRow
from hub.store.routes import RouteRow
from hub.verify import MustAsk, verify, without_asking

log = logging.getLogger(__name__)

BATCH = 200
"""Messages read in one transaction."""
FEW = 40
"""A batch of fewer messages is followed by a rest."""


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
    on_its_way: Values | None = None  # the columns of one that is not over: it must be read again later, or asked for


def read_messages(
    store: Store,
    workspace_id: str,
    seconds: float,
    booked: Callable[[set[str]], None] = lambda _: None,
    stay: Callable[[], bool] = lambda: False,
    to_ask: Callable[[], None] = lambda: None,
) -> tuple[set[str], bool]:
    """Read what has arrived in a workspace, for at most ``seconds``.

    Returns the destinations that have something to send, and whether more is waiting; ``booked`` is told the former
    after each batch, and ``to_ask`` when somebody has to be asked for a message of it. ``stay`` is asked when nothing
    waits any more: it rests for a moment and says whether to look again.
    One reader at a time works in a workspace, held together by a lease that each transaction checks; while another
    reads, there is nothing to do.
    """
    with leases.hold(store, f"read:{workspace_id}", settings().lease_seconds) as lease:
        if lease is None:
            return set(), False
        woken = _read_turn(store, workspace_id, lease, time.monotonic() + seconds, booked, stay, to_ask)
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
    to_ask: Callable[[], None],
) -> set[str]:
    woken, opened = set[str](), _Opened(store, 0)
    while time.monotonic() < until:
        with store.read() as tx:
            rows = inbound.waiting(tx, workspace_id, now(), BATCH)
            version = connections.version(tx) if rows else opened.version
        if not rows:
            if stay():
                continue
            break
        if version != opened.version:  # somebody changed a connection meanwhile
            opened = _Opened(store, version)
        messages = _read_batch(store, lease, rows, opened, until)
        lanes = _book(store, workspace_id, lease, messages)
        if lanes is None:
            log.warning("another reader took over workspace %s", workspace_id)
            break
        if any(message.state == inbound.READING for message in messages):
            to_ask()
        booked(lanes)
        woken |= lanes
        if len(rows) < FEW and not stay():  # a batch costs as much as many messages: let some more come together
            break
    return woken


def _read_batch(
    store: Store, lease: leases.Held, rows: list[InboundRow], opened: _Opened, until: float
) -> list[Message]:
    messages = []
    for row in rows:
        try:
            messages.append(_read_one(row, opened))
        except TimeLimit:  # no verdict on it; but what holds up everybody is not the first again at the next turn
            with store.write() as tx:
                if lease.still(tx):
                    inbound.change(tx, row.id, **later(row, now(), "The hub's time for it was up."))
            raise
        if time.monotonic() > until:  # what has been read is booked now
            break
    return messages


def _read_one(row: InboundRow, opened: _Opened) -> Message:
    """Step 3. Whatever is wrong with the message or its connector becomes its verdict."""
    message = Message(row, Trust(row.trust))
    try:
        _read(message, opened(row.connection_id))
    except MustAsk:
        message.state = inbound.READING
        message.on_its_way = {"state": inbound.READING, "due_at": now()}
    except HubError as error:
        verdict = verdict_of(error, row, now())
        message.state, message.reason, message.detail = verdict["state"], verdict["reason"], verdict["detail"]
        message.on_its_way = verdict if "due_at" in verdict else None
    except SQLAlchemyError:  # our own database: says nothing about the message
        raise
    except Exception as error:
        log.exception("message %s could not be read", row.id)
        message.state, message.reason = inbound.PARKED, "internal_error"
        message.detail = f"{type(error).__name__}: {error}"[:500]
    return message


def _read(message: Message, connected: Connected) -> None:
    """Raises MustAsk, and HubErrors."""
    row, source = message.row, connected.source
    raw = as_arrived(row, connected)
    message.order_scope = connected.row.order_scope
    if row.reason in inbound.TO_VERIFY:
        message.trust = verify(raw, connected, without_asking)
    # A source that needs its owner is still read: only what has to be asked for waits for the access to it.
    if connected.row.state not in (connections.ACTIVE, connections.NEEDS_YOU):
        message.state, message.reason = inbound.PARKED, "source_paused"
        return
    is_answered = row.reason == inbound.READ_BACK or raw.fetched
    if not is_answered and needs_fetch(source, raw, connected.settings):
        raise MustAsk
    if raw.fetched and source.read_back_proves:
        message.trust = Trust.PROVEN
    message.conversions = read_message(source, raw, connected.settings)
    for conversion in message.conversions:
        conversion.test |= inbound.TEST_SALE in raw.headers
    if not message.conversions:
        message.state, message.reason = inbound.IGNORED, "event_not_used"


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
    unusable: dict[str, str]  # destinations that need their owner, each with the reason
    at: datetime

    def write(self, tx: Connection) -> None:
        self.ledger.write(tx)
        self.plan.write(tx)
        for connection_id, why in self.unusable.items():
            connections.stop(tx, connection_id, self.at, UNUSABLE, why)


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
    made, unusable = _route(tx, workspace_id, [one.row for one in changed], at)
    return _Folded(ledger, made, unusable, at)


def _settle(tx: Connection, messages: list[Message], observed: dict[str, list[Observed]]) -> None:
    """Write what became of each message."""
    verdicts = []
    for message in messages:
        if message.on_its_way is not None:
            inbound.change(tx, message.row.id, **message.on_its_way)
            continue
        if message.trust != message.row.trust:
            inbound.change(tx, message.row.id, trust=message.trust.value)
        if message.reason == UNUSABLE:
            connections.stop(tx, message.row.connection_id, now(), UNUSABLE, message.detail)
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


def _route(
    tx: Connection, workspace_id: str, changed: list[ConversionRow], at: datetime
) -> tuple[Plan, dict[str, str]]:
    """The deliveries that follow, and the destinations whose connectors are gone, each with the reason."""
    if not changed:
        return Plan(), {}
    rows = routes.routes_of(tx, workspace_id, enabled_only=True)
    targets = connections.by_ids(tx, {row.connection_id for row in rows})
    open_routes, unusable = list[OpenRoute](), dict[str, str]()
    for row in rows:
        try:
            open_routes.append(_open_route(row, targets[row.connection_id]))
        except ConnectorBroken as error:  # this route alone: what it wants waits until its connector is there again
            log.warning("route %s has to wait: %s", row.id, said(error))
            unusable[row.connection_id] = said(error)
            open_routes.append(OpenRoute(row, condition_of(row.filter, row.id), row.kinds, row.stages, held=UNUSABLE))
    return plan(tx, changed, open_routes, filter_facts, at), unusable


def _open_route(row: RouteRow, target: ConnectionRow) -> OpenRoute:
    """Raises ConnectorBroken."""
    connected = open_connection(target)
    with guarded(connected.connector, "saying what it takes"):
        destination = connected.destination
        kinds, stages = frozenset(destination.kinds), frozenset(destination.stages)
        return OpenRoute(row, condition_of(row.filter, row.id), kinds, stages, bool(destination.sends_tests))


def _observe(message: Message) -> list[Observed]:
    row = message.row
    return [
        Observed(row.id, row.connection_id, message.order_scope, message.trust, conversion)
        for conversion in message.conversions or ()
    ]


class _Opened:
    """Connections as they were at one version of all settings, each opened once."""

    def __init__(self, store: Store, version: int) -> None:
        self._store = store
        self.version = version
        self._known: dict[str, Connected] = {}

    def __call__(self, connection_id: str) -> Connected:
        if connection_id not in self._known:
            self._known[connection_id] = source_of(self._store, connection_id)
        return self._known[connection_id]

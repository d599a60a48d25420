"""Steps 6 and 7 for one destination: prepare it, map what is due, send it."""

from __future__ import annotations

import logging
from collections.abc import Collection

from hub.connecting.connected import Connected, open_connection
from hub.connecting.registry import UnknownConnector
from hub.connecting.seams import guarded, where
from hub.contract.calls import Outcome, Record, Result
from hub.contract.errors import BadMapping, ConfigError, ConnectorBroken, HubError, TryLater
from hub.deliver.lane import Lane
from hub.deliver.outbox import OutboxItem
from hub.mapping.problems import MappingError
from hub.mapping.record import make_record
from hub.mapping.rules import CompiledMapping, compile_mapping
from hub.mapping.stored import known_facts
from hub.outgoing.sender import run_recipe
from hub.privacy import unsubscribe
from hub.settings import settings
from hub.store import Store, connections, deliveries, leases, now, routes
from hub.store.connections import ConnectionRow

log = logging.getLogger(__name__)


def deliver(store: Store, connection_id: str, seconds: float) -> tuple[bool, bool]:
    """Send what is due to one destination, for at most ``seconds``. Returns (more is due, the lane is slow).

    While another worker has the lane, nothing is due: that one asks for the next turn.
    """
    with store.read() as tx:
        row = connections.get_connection(tx, connection_id)
    if row is None or row.state != connections.ACTIVE:
        return False, False
    try:
        connected = _opened(row)
        if row.prepared_at is None:
            _prepare(store, connected)
    except HubError as error:
        log.warning("%s needs somebody: %s", row.name, _said(error))
        with store.write() as tx:
            connections.set_state(tx, connection_id, now(), connections.NEEDS_YOU, error.reason, _said(error))
        return False, False
    lane = Lane(store, connected, _Maker(connected), lease_seconds=settings().lease_seconds)
    if not lane.run(seconds):
        return False, False
    with store.read() as tx:
        return connection_id in deliveries.connections_due(tx, now()), lane.slow


def lanes_due(store: Store, without: Collection[str] = ()) -> list[str]:
    """The destinations that have something to send, and nobody who does; but for those in ``without``."""
    with store.read() as tx:
        due = [one for one in deliveries.connections_due(tx, now()) if one not in without]
        taken = leases.taken(tx, "lane:") if due else ()
    return [one for one in due if f"lane:{one}" not in taken]


def _opened(row: ConnectionRow) -> Connected:
    """The connection, ready for use. Raises ConnectorBroken for whatever its connector trips over."""
    try:
        return open_connection(row)
    except UnknownConnector as error:
        raise ConnectorBroken(str(error)) from None
    except (HubError, ConfigError):  # the latter is about the installation as a whole
        raise
    except Exception as error:
        raise ConnectorBroken(
            f"The connector {row.connector} failed while its settings were read. Report it, and try again after an update.",
            detail=where(error),
        ) from error


def _prepare(store: Store, connected: Connected) -> None:
    """Before the first delivery: create at the platform what deliveries need. A passing failure does not hold them up."""
    try:
        with guarded(connected.destination, "preparing the destination"):
            recipe = connected.destination.prepare(connected.settings)
            if recipe is not None:
                run_recipe(connected, recipe)
    except TryLater as error:
        log.warning("%s could not be prepared yet: %s", connected.row.name, error)
        return
    with store.write() as tx:
        connections.change_connection(tx, connected.id, now(), prepared_at=now())


class _Maker:
    """Step 6: from an outbox item to the record its destination is given. Mappings are compiled once a turn."""

    def __init__(self, connected: Connected) -> None:
        self._required = [field.key for field in connected.destination.fields if field.required]
        self._compiled: dict[str, CompiledMapping] = {}
        self._signs: dict[str, bool] = {}

    def __call__(self, item: OutboxItem) -> Record | Outcome:
        try:
            mapping = self._mapping(item)
        except MappingError as error:
            return Outcome(Result.BAD_MAPPING, "required_field_empty", str(error)[:500])
        data = known_facts(
            item.conversion,
            item.workspace,
            item.order,
            item.lifetime,
            item.campaign_names,
            self._unsubscribe_url(item),
        )
        record, problems = make_record(mapping, data, item.delivery.id)
        blocking = next((problem for problem in problems if problem.blocking), None)
        if blocking is not None:
            message = blocking.message.in_(item.workspace.language)
            return Outcome(Result.BAD_MAPPING, BadMapping.reason, f"{blocking.field}: {message}", field=blocking.field)
        return record

    def _mapping(self, item: OutboxItem) -> CompiledMapping:
        mapping_id = item.mapping.id
        if mapping_id not in self._compiled:
            self._compiled[mapping_id] = compile_mapping(item.mapping.rules, self._required)
        return self._compiled[mapping_id]

    def _unsubscribe_url(self, item: OutboxItem) -> str | None:
        """Where this person stops e-mails, if the mapping may read it: signing an address for everybody takes its time."""
        mapping_id, email = item.mapping.id, item.conversion.data["contact"].get("email")
        if mapping_id not in self._signs:
            self._signs[mapping_id] = routes.may_read(item.mapping.rules, "unsubscribe_url")
        return unsubscribe.address(item.workspace.id, email) if email and self._signs[mapping_id] else None


def _said(error: HubError) -> str:
    return f"{error.message} {error.detail}".strip()[:1000]

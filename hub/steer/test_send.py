"""A made-up conversion, marked as a test, sent to one destination: nothing is counted, nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.connecting.connected import Connected
from hub.connecting.seams import asking
from hub.contract.calls import Outcome, Result
from hub.contract.connector import Destination
from hub.contract.errors import Refused
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Text
from hub.deliver.returned import checked
from hub.mapping.record import make_record
from hub.mapping.rules import compile_mapping
from hub.outgoing.sender import run_recipe
from hub.steer import connections, examples, routes
from hub.store import new_id
from hub.store import routes as store

FINE = frozenset(
    {
        Result.DELIVERED,
        Result.DELIVERED_WITH_WARNING,
        Result.ACCEPTED_UNVERIFIED,
        Result.PENDING,
        Result.DUPLICATE,
    }
)


@dataclass(frozen=True, slots=True)
class Ready:
    """What will be sent: the facts of a made-up conversion, and the rules that shape it."""

    data: dict[str, Any]
    rules: dict[str, Any]


def ready(tx: Connection, connection_id: str, *, workspace_id: str, language: str = "en") -> Ready:
    """Put a test together, by the mapping of the destination's first route. Raises NotFound, ConnectorBroken."""
    destination = connections.opened(tx, connection_id, workspace_id).destination
    ways = store.routes_of(tx, workspace_id, connection_id=connection_id)
    rules = routes.current_mapping(tx, ways[0]).rules if ways else dict(destination.default_mapping)
    return Ready({**examples.made_up(destination, language), "event_id": new_id(), "test": True}, rules)


def send(connected: Connected, test: Ready) -> Text:
    """Send it, outside any transaction; what the destination made of it. Raises DeliveryError, ConnectorBroken."""
    destination = connected.destination
    if not destination.sends_tests:
        return Text(
            f"{destination.name} has no way to mark a test, so none is sent. Check the credentials instead.",
            f"{destination.name} ne sait pas marquer un test : rien n'est envoyé. Vérifiez plutôt les identifiants.",
        )
    record, problems = make_record(
        compile_mapping(test.rules, _required(destination)), test.data, test.data["event_id"]
    )
    blocking = next((problem for problem in problems if problem.blocking), None)
    if blocking:
        raise Refused(f"{blocking.field}: {blocking.message.en}", reason="required_field_empty")
    sent = [record] if destination.batch else record
    result = run_recipe(connected, asking(destination, "sending a test", destination.deliver, sent, connected.settings))
    told = result.get(record.id) if isinstance(result, dict) else result
    return _told(destination, Outcome.delivered() if told is None else checked(told, destination))


def _told(destination: Destination, outcome: Outcome) -> Text:
    if outcome.result not in FINE:
        raise Refused(outcome.detail or REASONS[outcome.reason].said.en, reason=outcome.reason)
    told = f" {outcome.detail}" if outcome.detail else ""
    return Text(
        f"{destination.name} took the test: Anna Martin, order 1001.{told}",
        f"{destination.name} a pris le test : Anna Martin, commande 1001.{told}",
    )


def _required(destination: Destination) -> frozenset[str]:
    return frozenset(field.key for field in destination.fields if field.required)

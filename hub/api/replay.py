"""Doing it again, after a fix."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, author, store, wake, workspace_id
from hub.api.shapes import Since
from hub.run.queue import LANES, READING
from hub.steer import connections as steered
from hub.steer import replay as steer
from hub.store import connections, now
from hub.store.replays import RULES

calls = Calls("replay", "Reading and sending again, after a fix")

MOST_IDS = 1000


class MessagesAgain(Schema):
    ids = fields.List(
        fields.String(validate=validate.Length(max=36)), required=True, validate=validate.Length(1, MOST_IDS)
    )


class MappingChoice(Schema):
    mapping = fields.String(
        load_default="new",
        validate=validate.OneOf(["new", "old"]),
        metadata={"description": "new: the route's current mapping; old: the version used at the last try"},
    )


class SendingAgain(MappingChoice):
    override = fields.String(
        load_default=None,
        validate=validate.OneOf(list(RULES)),
        metadata={"description": "The one rule that does not count for these; all others are asked again"},
    )
    why = fields.String(
        load_default=None,
        validate=validate.Length(max=steer.LONGEST_WHY),
        metadata={"description": "Why that rule does not count; must be given with override, and is written down"},
    )


class DeliveriesAgain(SendingAgain, MessagesAgain):
    """Which deliveries, and how."""


class FailedAgain(SendingAgain):
    connection_id = fields.String(load_default=None, validate=validate.Length(max=36))
    since = Since(load_default=None)


class Replayed(Schema):
    replayed = fields.Integer()


class HeldBack(Schema):
    id = fields.String()
    reason = fields.String()
    rule = fields.String(metadata={"description": "What override takes; empty: nothing that can be overridden"})


class SentAgain(Replayed):
    held_back = fields.List(fields.Nested(HeldBack), metadata={"description": "Not sent: a rule speaks against it now"})


@calls("POST", "/replay/inbound", body=MessagesAgain, answer=Replayed)
def replay_inbound(body: dict[str, Any]) -> dict[str, int]:
    """Read these messages again; what was not proven is verified again."""
    with store().write() as tx:
        number = steer.inbound_again(tx, now(), workspace_id(), body["ids"], author=author())
    wake(READING, "read_messages", workspace_id())
    return {"replayed": number}


@calls("POST", "/replay/deliveries", body=DeliveriesAgain, answer=SentAgain)
def replay_deliveries(body: dict[str, Any]) -> dict[str, Any]:
    """Send these again, unless a rule speaks against it now; destinations see the same event id as before."""
    overriding = steer.override(body["override"], body["why"])
    with store().write() as tx:
        again = steer.deliveries_again(
            tx, now(), workspace_id(), body["ids"], body["mapping"], author=author(), overriding=overriding
        )
    _wake_lanes()
    return _told(again)


@calls("POST", "/replay/failed", body=FailedAgain, answer=SentAgain)
def replay_failed(body: dict[str, Any]) -> dict[str, Any]:
    """Send again all that failed, of one destination or of all, since a time or ever, as replaying deliveries does."""
    overriding = steer.override(body["override"], body["why"])
    with store().write() as tx:
        if body["connection_id"]:
            steered.get(tx, body["connection_id"], workspace_id())
        again = steer.failed_again(
            tx,
            now(),
            workspace_id(),
            body["connection_id"],
            body["since"],
            mapping=body["mapping"],
            author=author(),
            overriding=overriding,
        )
    _wake_lanes()
    return _told(again)


def _told(again: steer.Again) -> dict[str, Any]:
    return {"replayed": again.number, "held_back": again.held_back}


def _wake_lanes() -> None:
    with store().read() as tx:
        rows = connections.connections_of(tx, workspace_id(), "destination")
    for row in rows:
        wake(LANES, "deliver", row.id)

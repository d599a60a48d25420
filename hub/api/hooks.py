"""Subscriptions: what the Zapier app, Make and n8n call when a flow is switched on or off. See docs/zapier.md."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from marshmallow import EXCLUDE, Schema, fields, validate

from hub.api.frame import Calls, author, store, workspace_id
from hub.contract.vocabulary import Text
from hub.steer import hooks as steer
from hub.steer.errors import NotFound
from hub.store import accounts, now
from hub.store.accounts import WorkspaceRow

calls = Calls("hooks", "Subscriptions of Zapier, Make, n8n and the like")


class NewHook(Schema):
    class Meta:
        unknown = EXCLUDE  # the platforms send facts of their own along

    target_url = fields.String(required=True, validate=validate.Length(1, 2000))
    event = fields.String(load_default="conversion")
    connector = fields.String(
        load_default="", metadata={"description": "The tool that asks; left out, it is told by the address"}
    )
    filters = fields.Dict(keys=fields.String(), load_default=dict, allow_none=True)


class Hook(Schema):
    id = fields.String()


class SamplesQuery(Schema):
    limit = fields.Integer(load_default=3, validate=validate.Range(1, 100))


class Option(Schema):
    id = fields.String()
    name = fields.String()


class Body(Schema):
    id = fields.String(metadata={"description": "Beside it the keys that /fields tells"})


class BodyField(Schema):
    key = fields.String()
    label = fields.String()
    type = fields.String()
    required = fields.Boolean()
    choices = fields.List(fields.String())


@calls("POST", "/hooks", body=NewHook, answer=Hook, status=201)
def subscribe(body: dict[str, Any]) -> dict[str, str]:
    """Send each conversion of the event that passes the filters to this address."""
    _known(body["event"])
    with store().write() as tx:
        hook_id = steer.subscribe(
            tx, now(), workspace_id(), **(body | {"filters": body["filters"] or {}}), author=author()
        )
    return {"id": hook_id}


@calls("DELETE", "/hooks/<hook_id>")
def unsubscribe(hook_id: str) -> None:
    """Stop sending; also fine for an id that is not known any more."""
    with store().write() as tx:
        steer.unsubscribe(tx, now(), workspace_id(), hook_id, author=author())


@calls(
    "GET",
    "/samples/<event>",
    query=SamplesQuery,
    answer=Body(many=True),
)
def list_samples(query: dict[str, Any], event: str) -> Any:
    """The newest bodies as a subscriber gets them; a made-up one when nothing has happened yet."""
    _known(event)
    with store().read() as tx:
        return jsonify(steer.samples(tx, workspace_id(), query["limit"], _workspace(tx).language, event))


@calls("GET", "/options/<kind>", answer=Option(many=True))
def list_options(kind: str) -> list[dict[str, str]]:
    """What filters may be chosen from: stages, offers or campaigns."""
    with store().read() as tx:
        try:
            return steer.options(tx, workspace_id(), kind, _workspace(tx).language)
        except KeyError:
            raise NotFound(
                Text("The lists are stages, offers and campaigns.", "Listes : stages, offers, campaigns.")
            ) from None


@calls("GET", "/fields/<event>", answer=BodyField(many=True))
def list_fields(event: str) -> list[dict[str, Any]]:
    """Every key that a body may have."""
    _known(event)
    with store().read() as tx:
        return steer.fields(_workspace(tx).language)


def _workspace(tx: Any) -> WorkspaceRow:
    row = accounts.get_workspace(tx, workspace_id())
    assert row is not None  # noqa: S101 - a key does not outlive its workspace
    return row


def _known(event: str) -> None:
    if event not in steer.EVENTS:
        events = ", ".join(steer.EVENTS)
        raise NotFound(Text(f"The events are {events}.", f"Les événements sont {events}."))

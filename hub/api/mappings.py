"""Mappings: how conversions look at a destination. Versioned; a change can be tried before it is saved."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, author, store, workspace_id
from hub.api.shapes import At, plain
from hub.mapping.problems import Problem
from hub.steer import routes as steer
from hub.store import now, routes
from hub.store.routes import MappingRow

calls = Calls("mappings", "How conversions look at a destination")


class NewMapping(Schema):
    rules = fields.Dict(keys=fields.String(), required=True)


class Saved(Schema):
    version = fields.Integer()


class MappingShape(Schema):
    id = fields.String()
    version = fields.Integer()
    rules = fields.Dict()
    author = fields.String()
    created_at = At()


class PreviewAsked(Schema):
    rules = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)
    last = fields.Integer(load_default=5, validate=validate.Range(1, steer.MOST_EXAMPLES))


class Preview(Schema):
    conversions = fields.List(fields.Dict())
    calls = fields.List(fields.Dict(), metadata={"description": "What would be sent; secrets are ***"})
    problems = fields.List(fields.Dict())
    made_up = fields.Boolean(metadata={"description": "There is no real conversion yet, so an invented one is shown"})


class ChangeTried(Schema):
    rules = fields.Dict(keys=fields.String(), required=True)
    last = fields.Integer(load_default=20, validate=validate.Range(1, steer.MOST_EXAMPLES))


class DifferenceShape(Schema):
    tried = fields.Integer(metadata={"description": "On how many conversions"})
    fields_changed = fields.Dict(data_key="fields", metadata={"description": "How often each field changes"})
    changed = fields.List(
        fields.Dict(), metadata={"description": "Per conversion: fields as [before, after], problems"}
    )


@calls("GET", "/routes/<route_id>/mappings", answer=MappingShape(many=True))
def list_mappings(route_id: str) -> list[MappingRow]:
    """Every version, newest first."""
    with store().read() as tx:
        steer.get(tx, route_id, workspace_id())
        return routes.mapping_versions(tx, route_id)


@calls("POST", "/routes/<route_id>/mappings", body=NewMapping, answer=Saved, status=201)
def save_mapping(body: dict[str, Any], route_id: str) -> dict[str, int]:
    """Use these rules from now on."""
    with store().write() as tx:
        version = steer.save_mapping(tx, now(), route_id, body["rules"], author(), workspace_id=workspace_id())
    return {"version": version}


@calls("POST", "/routes/<route_id>/preview", body=PreviewAsked, answer=Preview)
def preview(body: dict[str, Any], route_id: str) -> Any:
    """What would be sent for the latest conversions, with these rules or those in use."""
    with store().read() as tx:
        return plain(steer.preview(tx, route_id, body["rules"], body["last"], workspace_id=workspace_id()))


@calls("POST", "/routes/<route_id>/difference", body=ChangeTried, answer=DifferenceShape)
def difference(body: dict[str, Any], route_id: str) -> dict[str, Any]:
    """What these rules would change on the latest conversions."""
    with store().read() as tx:
        found = steer.try_change(tx, route_id, body["rules"], body["last"], workspace_id=workspace_id())
    changed = [
        {
            "event_id": one.event_id,
            "fields": plain(one.fields),
            "new_problems": [_problem(problem) for problem in one.new_problems],
            "solved_problems": [_problem(problem) for problem in one.solved_problems],
        }
        for one in found.changed
    ]
    return {"tried": found.tried, "fields_changed": dict(found.fields), "changed": changed}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"field": problem.field, "code": problem.code, "message": problem.message.en, "blocking": problem.blocking}

"""What is installed, and the form that each connector asks people to fill in."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls
from hub.connecting.registry import Entry, UnknownConnector, registry
from hub.contract.errors import ConnectorBroken
from hub.contract.vocabulary import Text
from hub.steer.connections import find_connector, form_of
from hub.steer.errors import NotFound

calls = Calls("connectors", "What can be connected")


class LanguageQuery(Schema):
    language = fields.String(load_default="en", validate=validate.OneOf(["en", "fr"]))


class Connector(Schema):
    slug = fields.String()
    name = fields.String()
    category = fields.String(allow_none=True)
    status = fields.String(allow_none=True)
    roles = fields.List(fields.String())
    broken = fields.String(allow_none=True, metadata={"description": "Why it was set aside, if it was"})


class ConnectorForms(Connector):
    forms = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Dict()),
        metadata={"description": "By role: its settings, in order"},
    )


@calls("GET", "/connectors", answer=Connector(many=True))
def list_connectors() -> list[Entry]:
    """Everything installed."""
    return registry().all()


@calls("GET", "/connectors/<slug>", query=LanguageQuery, answer=ConnectorForms)
def show_connector(query: dict[str, Any], slug: str) -> dict[str, Any]:
    """One connector with the settings that each of its roles takes."""
    try:
        entry = registry().entry(slug)
    except UnknownConnector as error:
        raise NotFound(Text(str(error), str(error))) from None
    if entry.broken:
        raise ConnectorBroken(f"The connector {slug} is set aside: {entry.broken}.")
    names = ("slug", "name", "category", "status", "roles", "broken")
    forms = {role: form_of(find_connector(slug, role), query["language"]) for role in entry.roles}
    return {name: getattr(entry, name) for name in names} | {"forms": forms}

"""Contacts: the people behind conversions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import Amount, At, PageQuery, page, page_of
from hub.contract.vocabulary import Text
from hub.steer.errors import NotFound
from hub.store import contacts, orders

calls = Calls("contacts", "The people behind conversions")


class ContactsQuery(PageQuery):
    email = fields.String(load_default=None, validate=validate.Length(max=320))


class ContactShape(Schema):
    id = fields.String()
    email = fields.String(allow_none=True)
    data = fields.Dict()
    merged_into = fields.String(allow_none=True)
    created_at = At()
    updated_at = At()


class Identity(Schema):
    type = fields.String()
    value = fields.String()
    seen_at = At()


class LifetimeValue(Schema):
    currency = fields.String()
    net = Amount()
    orders = fields.Integer()
    first_at = At()
    last_at = At()


class WholeContact(ContactShape):
    identities = fields.List(fields.Nested(Identity))
    lifetime = fields.List(fields.Nested(LifetimeValue), metadata={"description": "One a currency"})
    consents = fields.Dict(keys=fields.String(), values=fields.Boolean())


@calls("GET", "/contacts", query=ContactsQuery, answer=page_of(ContactShape))
def list_contacts(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        return page(contacts.latest(tx, workspace_id(), **query), query["limit"])


@calls("GET", "/contacts/<contact_id>", answer=WholeContact)
def show_contact(contact_id: str) -> dict[str, Any]:
    """One person: what they are recognized by, what they agreed to, what they spent."""
    with store().read() as tx:
        row = contacts.get(tx, contact_id, workspace_id())
        if row is None:
            raise NotFound(Text("There is no such contact.", "Ce contact n'existe pas."))
        consents = {purpose: granted for (_, purpose), granted in contacts.consents_of(tx, [contact_id]).items()}
        lifetime = orders.lifetime(tx, [contact_id]).get(contact_id, [])
        identities = contacts.identities_of(tx, contact_id)
    return {**row, "identities": identities, "lifetime": lifetime, "consents": consents}

"""Contacts: the people behind conversions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from hub.api.conversions import Recorded, RecordQuery, keep_record
from hub.api.frame import Calls, store, workspace_id
from hub.api.shapes import Amount, At, PageQuery, page, page_of
from hub.contract.vocabulary import Kind, Text
from hub.steer.errors import NotFound
from hub.store import contacts, orders
from hub.store.base import columns_of

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


class NewContact(Schema):
    """What is left out stays as it is. Consent: true, false, or left out when nothing was said."""

    email = fields.String(required=True, validate=validate.Length(3, 320))
    phone = fields.String(allow_none=True)
    full_name = fields.String(allow_none=True)
    first_name = fields.String(allow_none=True)
    last_name = fields.String(allow_none=True)
    external_id = fields.String(allow_none=True)
    city = fields.String(allow_none=True)
    region = fields.String(allow_none=True)
    postal_code = fields.String(allow_none=True)
    country = fields.String(allow_none=True)
    consent_ads = fields.Boolean(allow_none=True)
    consent_email = fields.Boolean(allow_none=True)
    consent_analytics = fields.Boolean(allow_none=True)


class NewTag(Schema):
    email = fields.String(required=True, validate=validate.Length(3, 320))
    tag = fields.String(
        required=True,
        validate=validate.Length(1, 255),
        metadata={"description": "Stands for every campaign that carries it; several separated by commas"},
    )


@calls("GET", "/contacts", query=ContactsQuery, answer=page_of(ContactShape))
def list_contacts(query: dict[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with store().read() as tx:
        return page(contacts.latest(tx, workspace_id(), **query), query["limit"])


@calls("POST", "/contacts", query=RecordQuery, body=NewContact, answer=Recorded, status=202)
def put_contact(query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Make a contact, or add to what is known of the one with this e-mail."""
    return keep_record({**body, "stage": Kind.CONTACT}, query["connector"])


@calls("POST", "/contacts/tags", query=RecordQuery, body=NewTag, answer=Recorded, status=202)
def add_tag(query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Put a tag on the contact with this e-mail."""
    return keep_record({"email": body["email"], "tags": body["tag"], "stage": Kind.CONTACT}, query["connector"])


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
    return {**columns_of(row), "identities": identities, "lifetime": lifetime, "consents": consents}

"""Omnisend: contacts, and the events that its automations know by name.

Sources, under api-docs.omnisend.com: reference-link/contacts, docs/how-to-sync-contacts, reference/events,
docs/how-to-send-events-rest-api. Omnisend has no webhook that tells who unsubscribed, so this is no source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hub.contract import (
    ApiKeyHeader,
    BadMapping,
    Call,
    Kind,
    Limits,
    Outcome,
    Recipe,
    Record,
    Reply,
    Result,
    SettingsSchema,
    Stage,
    Status,
    Switch,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, flat
from hub.toolkit.email_tools import (
    CONSENT,
    EVENT_FIELD_KEYS,
    EVENT_FIELDS,
    EmailTool,
    agreed,
    event_lines,
    event_mapping,
    event_properties,
    filled,
    person_fields,
    person_mapping,
    require_email,
)
from hub.toolkit.paths import dig, text
from hub.toolkit.people import stable_uuid

API = "https://api.omnisend.com/api"
VERSION = {"Omnisend-Version": "2026-03-15"}
PERSON = {
    "firstName": "first_name",
    "lastName": "last_name",
    "city": "city",
    "state": "region",
    "postalCode": "postal_code",
    "countryCode": "country",
}
KEYS = {"email": "email", **PERSON, **HUB_KEYS}
NO_PROPERTIES = {"email", *PERSON, CONSENT, *EVENT_FIELD_KEYS}
NAMES = {
    Stage.VIEW_CONTENT: "viewed product",
    Stage.ADD_TO_CART: "added product to cart",
    Stage.INITIATE_CHECKOUT: "started checkout",
    Stage.COMPLETE_REGISTRATION: "registered",
    Stage.ADD_PAYMENT_INFO: "added payment info",
    Stage.PURCHASE: "placed order",
    Stage.LEAD: "checkout abandoned",
    Kind.RENEWAL: "subscription renewed",
    Kind.REFUND: "order refunded",
    Kind.DISPUTE: "order disputed",
    Kind.CANCELLATION: "order canceled",
}
"""Omnisend's own names, exact and in lower case, where it has one; the others are custom events."""
ORDER_EVENTS = ("placed order", "paid for order", "order refunded", "order canceled", "order fulfilled")


class OmnisendSettings(SettingsSchema):
    """The store's key, and what becomes of consenting people."""

    api_key = key_setting(
        Text(
            "Omnisend: Store settings, API keys, with contacts and events.",
            "Omnisend : Paramètres de la boutique, Clés API, avec contacts et événements.",
        )
    )
    subscribe = Switch(
        Text("Subscribe people who agreed to e-mail", "Abonner les personnes ayant accepté les e-mails"),
        help=Text(
            "Only new people, and those who were never subscribed. All others stay as they are.",
            "Seulement les nouvelles, et celles jamais abonnées. Les autres restent comme elles sont.",
        ),
        load_default=True,
    )
    order_event_version = Words(
        Text("Version of order events", "Version des événements de commande"),
        help=Text("Omnisend's “eventVersion”; may be empty.", "« eventVersion » d'Omnisend ; peut être vide."),
        load_default="v2",
    )


class Omnisend(EmailTool):
    """Contacts and events; nobody who left is subscribed again."""

    slug = "omnisend"
    name = "Omnisend"
    status = Status.BETA
    homepage = "https://www.omnisend.com"
    Settings = OmnisendSettings
    auth = ApiKeyHeader("Authorization", prefix="Omnisend-API-Key ")
    limits = Limits(per_second=5, concurrency=1)
    fields = person_fields(KEYS, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **person_mapping(KEYS),
        **event_mapping(NAMES),
    }

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Reading one contact proves the key."""
        yield Call.get(f"{API}/contacts", params={"limit": "1"}, headers=dict(VERSION))
        return "Omnisend knows this key."

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The contact, by what Omnisend knows of it, then the event."""
        email = require_email(record, self.name)
        reply = yield Call.get(f"{API}/contacts", params={"email": email}, headers=dict(VERSION))
        known = _named(email, dig(reply.json(), "contacts[]"))
        contact_id = text(dig(known, "contactID"))
        wished = agreed(record) and settings["subscribe"]
        if contact_id is None:
            body = _contact(record) | _channel(record, email, "subscribed" if wished else "nonSubscribed")
            yield Call.post(f"{API}/contacts", json=body, headers=dict(VERSION))
        else:
            body = _contact(record)
            if wished and _status(known) == "nonSubscribed":
                body |= _channel(record, email, "subscribed")
            yield Call.patch(f"{API}/contacts/{contact_id}", json=body, headers=dict(VERSION))
        if not record.values.get("event_name"):
            return Outcome.delivered()
        yield Call.post(f"{API}/events", json=_event(record, email, settings), headers=dict(VERSION))
        return Outcome(Result.ACCEPTED_UNVERIFIED)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 or 422 may name the field."""
        body = reply.json() if reply.status in (400, 422) else None
        field = text(dig(body, "errors[0].field")) or text(dig(body, "fields[0].field"))
        if field:
            words = text(dig(body, "errors[0].message")) or text(dig(body, "error")) or ""
            raise BadMapping(field, f"Omnisend refused {field}: {words}", status=reply.status, detail=words)
        return None


def _named(email: str, contacts: Any) -> Any:
    """The one of ``contacts`` that has this e-mail: were the filter not heeded, somebody else would be changed."""
    for contact in contacts or []:
        if email in [str(name).lower() for name in dig(contact, "identifiers[].id") or []]:
            return contact
    return None


def _contact(record: Record) -> dict[str, Any]:
    custom = {key: flat(value) for key, value in record.values.items() if key not in NO_PROPERTIES}
    return filled(record.values, PERSON) | filled({"customProperties": custom}, ("customProperties",))


def _channel(record: Record, email: str, status: str) -> dict[str, Any]:
    channel = {"email": {"status": status, "statusDate": _time(record)}}
    return {"identifiers": [{"type": "email", "id": email, "channels": channel}]}


def _status(known: Any) -> str | None:
    found = dig(known, "identifiers[].channels.email.status")
    return text(found[0]) if isinstance(found, list) and len(found) == 1 else None


def _event(record: Record, email: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    name = text(record.values["event_name"])
    is_order = name in ORDER_EVENTS
    return {
        "eventName": name,
        "origin": "api",
        "eventVersion": settings["order_event_version"] if is_order else "",
        "eventID": str(stable_uuid("omnisend", record.event_id)),
        "eventTime": _time(record),
        "contact": {"email": email},
        "properties": _order(record) if is_order else event_properties(record),
    }


def _order(record: Record) -> dict[str, Any]:
    told = event_properties(record)
    lines = [
        filled(
            {
                "productID": line.product_id,
                "productTitle": line.name,
                "productQuantity": line.quantity,
                "productPrice": line.price,
            },
            ("productID", "productTitle", "productQuantity", "productPrice"),
        )
        for line in event_lines(record)
    ]
    order = {
        "orderID": told.get("order_id"),
        "totalPrice": told.get("value"),
        "currency": told.get("currency"),
        "createdAt": _time(record),
        "lineItems": lines,
        "cancelReason": told.get("reason"),
    }
    return filled(order, order)


def _time(record: Record) -> str:
    return record.occurred_at.isoformat(timespec="seconds").replace("+00:00", "Z")

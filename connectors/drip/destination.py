"""Drip: subscribers, orders and events, in batches.

Sources: developer.drip.com (subscribers, batches, events, Shopper Activity API) and, for the first fields of orders,
rudder-transformer's Drip destination. ``initial_status`` holds for new subscribers only; ``status`` is never sent: with
"active", people who left would be written to again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import (
    BadMapping,
    Basic,
    Batch,
    Call,
    Field,
    Kind,
    Limits,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Reply,
    Result,
    SettingsSchema,
    Stage,
    Status,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.ads import number
from hub.toolkit.crm import HUB_KEYS, Person, flat, people_of
from hub.toolkit.email_tools import (
    CONSENT,
    EVENT_FIELDS,
    TAGS_FIELDS,
    TAGS_MAPPING,
    EmailTool,
    event_lines,
    event_mapping,
    event_properties,
    filled,
    listed,
    person_fields,
    person_mapping,
)
from hub.toolkit.paths import dig, text

API = "https://api.getdrip.com"
PROVIDER = "conversion_hub"
PERSON = {
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "city": "city",
    "state": "region",
    "zip": "postal_code",
    "country": "country",
}
KEYS = {"email": "email", **PERSON, **HUB_KEYS}
NO_CUSTOM_FIELDS = {"email", *PERSON, *(field.key for field in (*TAGS_FIELDS, *EVENT_FIELDS))}
ORDER_ACTIONS: Mapping[tuple[Kind, Stage | None], str] = {
    (Kind.CONVERSION, Stage.PURCHASE): "placed",
    (Kind.RENEWAL, Stage.PURCHASE): "placed",
    (Kind.RENEWAL, None): "placed",
    (Kind.REFUND, None): "refunded",
    (Kind.CANCELLATION, None): "canceled",
}


class DripSettings(SettingsSchema):
    """One account and its token."""

    account_id = Words(
        Text("Account id", "Identifiant du compte"),
        help=Text(
            "Drip: Settings, General info; also the number in the address.",
            "Drip : Settings, General info ; aussi le numéro dans l'adresse.",
        ),
        placeholder="1234567",
        required=True,
        validate=validate.Regexp(r"\A[0-9]{1,20}\Z", error="A Drip account id is a number."),
    )
    api_key = key_setting(
        Text("Drip: User settings, User info.", "Drip : User settings, User info."),
        label=Text("API token", "Jeton d'API"),
    )


class Drip(EmailTool):
    """Subscribers, then their orders and events; up to a thousand records in a batch."""

    slug = "drip"
    name = "Drip"
    status = Status.BETA
    homepage = "https://www.drip.com"
    Settings = DripSettings
    auth = Basic("", user_setting="api_key")
    batch = Batch(max_records=500, whole_batch_fails=True)  # it would take 1,000 rows; a person and an event are two
    limits = Limits(per_second=1, concurrency=1)  # 3,600 calls an hour
    fields = person_fields(KEYS, *TAGS_FIELDS, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **person_mapping(KEYS),
        **TAGS_MAPPING,
        **event_mapping(),
    }

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The account by its name."""
        reply = yield Call.get(f"{API}/v2/accounts/{settings['account_id']}")
        return f"Connected to the Drip account {text(dig(reply.json(), 'accounts[0].name')) or settings['account_id']}."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """The fixed fields, and the account's custom ones."""
        reply = yield Call.get(_v2(settings, "custom_field_identifiers"))
        names = listed(dig(reply.json(), "custom_field_identifiers"))
        fixed = {field.key for field in self.fields}
        return [*self.fields, *(Field(name, Text(name, name), group="account") for name in names if name not in fixed)]

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """Drip takes batches and tells nothing of what becomes of them."""
        outcomes: Outcomes = {}
        people = people_of(record, self.name, "email", outcomes)
        told = [(person.email, each) for person in people for each in person.records]
        orders = [_order(email, each, action) for email, each in told if (action := _order_action(each))]
        events = [
            _event(email, each) for email, each in told if not _order_action(each) and each.values.get("event_name")
        ]
        if people:
            subscribers = [_subscriber(person) for person in people]
            yield Call.post(_v2(settings, "subscribers/batches"), json={"batches": [{"subscribers": subscribers}]})
        if orders:
            address = f"{API}/v3/{settings['account_id']}/shopper_activity/order/batch"
            yield Call.post(address, json={"orders": orders})
        if events:
            yield Call.post(_v2(settings, "events/batches"), json={"batches": [{"events": events}]})
        return outcomes | {each.id: Outcome(Result.ACCEPTED_UNVERIFIED) for _, each in told}

    def judge(self, reply: Reply) -> Outcome | None:
        """A 422 names the attribute that is wrong."""
        error = dig(reply.json(), "errors[0]") if reply.status == 422 else None
        field = text(dig(error, "attribute"))
        if field:
            words = text(dig(error, "message")) or ""
            raise BadMapping(field, f"Drip refused {field}: {words}", status=422, detail=words)
        return None


def _v2(settings: Mapping[str, Any], path: str) -> str:
    return f"{API}/v2/{settings['account_id']}/{path}"


def _subscriber(person: Person) -> dict[str, Any]:
    values = person.values
    tags: dict[str, bool] = {}
    for record in person.records:
        tags |= dict.fromkeys(listed(record.values.get("remove_tags")), False)
        tags |= dict.fromkeys(listed(record.values.get("tags")), True)
    custom = {key: flat(value) for key, value in values.items() if key not in NO_CUSTOM_FIELDS}
    everything = {
        "email": person.email,
        **filled(values, PERSON),
        "initial_status": "active" if values.get(CONSENT) is True else "unsubscribed",
        "custom_fields": custom,
        "tags": [name for name, wanted in tags.items() if wanted],
        "remove_tags": [name for name, wanted in tags.items() if not wanted],
    }
    return filled(everything, everything)


def _order_action(record: Record) -> str | None:
    return ORDER_ACTIONS.get((record.kind, record.stage)) if record.values.get("order_id") else None


def _order(email: str, record: Record, action: str) -> dict[str, Any]:
    amount = number("value", record.values.get("value"))
    lines = [
        filled(
            {"product_id": line.product_id, "name": line.name, "price": line.price, "quantity": line.quantity},
            ("product_id", "name", "price", "quantity"),
        )
        for line in event_lines(record)
    ]
    everything = {
        "provider": PROVIDER,
        "email": email,
        "action": action,
        "order_id": text(record.values["order_id"]),
        "occurred_at": _time(record),
        "currency": text(record.values.get("currency")),
        "items": lines,
        "refund_amount" if action == "refunded" else "grand_total": amount,
    }
    return filled(everything, everything)


def _event(email: str, record: Record) -> dict[str, Any]:
    return {
        "email": email,
        "action": text(record.values["event_name"]),
        "properties": event_properties(record),
        "occurred_at": _time(record),
    }


def _time(record: Record) -> str:
    return record.occurred_at.isoformat(timespec="seconds")

"""Customer.io Journeys, through its Track API: people with their attributes, and events.

Sources: docs.customer.io/api/track (v2 batch: entries of one person each; 207 names those that failed by ``batch_index``),
docs.customer.io/journeys/invalid-api-requests (at most 300 attributes, values of 1,000 bytes). ``unsubscribed`` is never
sent: with false, people who left would be written to again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    Basic,
    Batch,
    Call,
    Choice,
    Limits,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Reply,
    Result,
    SettingsSchema,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, flat, people_of
from hub.toolkit.email_tools import (
    EVENT_FIELD_KEYS,
    EVENT_FIELDS,
    EmailTool,
    event_mapping,
    event_properties,
    person_fields,
    person_mapping,
)
from hub.toolkit.paths import dig, text
from hub.toolkit.people import stable_ulid
from hub.toolkit.standard_fields import mapping_for

HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
PERSON = {
    "email": "email",
    "id": "external_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "city": "city",
    "country": "country",
}
NO_ATTRIBUTES = {"email", "id", "unsubscribed", *EVENT_FIELD_KEYS}
TIMES = ("hub_first_purchase_at", "hub_last_purchase_at", "hub_stage_at")
MOST_BYTES = 1000  # of an attribute's value


class CustomerioSettings(SettingsSchema):
    """One workspace's Track API credentials."""

    site_id = Words(
        Text("Site id", "Site ID"),
        help=Text(
            "Customer.io: Settings, API credentials, Track API keys.",
            "Customer.io : Settings, API credentials, Track API keys.",
        ),
        required=True,
    )
    api_key = key_setting(Text("The key beside that site id.", "La clé à côté de ce site ID."))
    region = Choice(
        Text("Data center", "Centre de données"),
        {"us": Text("United States", "États-Unis"), "eu": Text("European Union", "Union européenne")},
        help=Text("Settings, Privacy & data.", "Settings, Privacy & data."),
        load_default="us",
    )


class Customerio(EmailTool):
    """People and events, up to a hundred records in a request."""

    slug = "customerio"
    name = "Customer.io"
    homepage = "https://customer.io"
    Settings = CustomerioSettings
    auth = Basic("api_key", user_setting="site_id")
    batch = Batch(max_records=100, whole_batch_fails=False)
    limits = Limits(per_second=50)
    fields = person_fields({**PERSON, **HUB_KEYS}, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **person_mapping({**PERSON, **HUB_KEYS}),
        **{key: {**rule, "as": "unix"} for key, rule in mapping_for({key: HUB_KEYS[key] for key in TIMES}).items()},
        **event_mapping(),
    }

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The credentials, and whether the data center is theirs."""
        reply = yield Call.get(f"{HOSTS[settings['region']]}/api/v1/accounts/region")
        center = text(dig(reply.json(), "data_center"))
        if center and center != settings["region"]:
            return f"These credentials belong to the data center {center.upper()}: choose it here."
        return "Customer.io knows these credentials."

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """Each person once, then their events; an entry that failed is told by its place in the batch."""
        outcomes: Outcomes = {}
        entries: list[dict[str, Any]] = []
        owners: list[list[Record]] = []
        for person in people_of(record, self.name, "email", outcomes):
            identifiers = {"id": text(person.values.get("id"))} if person.values.get("id") else {"email": person.email}
            attributes = {"email": person.email, **_attributes(person.values)}
            entries.append(_entry("identify", identifiers, attributes))
            owners.append(person.records)
            for each in person.records:
                if each.values.get("event_name"):
                    entries.append(_event(each, identifiers))
                    owners.append([each])
        if entries:
            reply = yield Call.post(f"{HOSTS[settings['region']]}/api/v2/batch", json={"batch": entries}, timeout=30.0)
            for each in (one for owned in owners for one in owned):
                outcomes.setdefault(each.id, Outcome.delivered())
            outcomes |= _refused(reply, owners)
        return outcomes


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _short(flat(value)) for key, value in values.items() if key not in NO_ATTRIBUTES}


def _short(value: Any) -> Any:
    return value.encode()[:MOST_BYTES].decode("utf-8", "ignore") if isinstance(value, str) else value


def _entry(action: str, identifiers: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": identifiers, "attributes": attributes}


def _event(record: Record, identifiers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_entry("event", identifiers, event_properties(record)),
        "name": text(record.values["event_name"]),
        "timestamp": int(record.occurred_at.timestamp()),
        "id": stable_ulid(record.occurred_at, record.event_id),  # Customer.io drops a second event with it
    }


def _refused(reply: Reply, owners: Sequence[Sequence[Record]]) -> Outcomes:
    outcomes: Outcomes = {}
    errors = dig(reply.json(), "errors")
    for error in errors if isinstance(errors, list) else []:
        place, field = dig(error, "batch_index"), text(dig(error, "field"))
        words = ": ".join(filter(None, [text(dig(error, "reason")), field, text(dig(error, "message"))]))
        if isinstance(place, int) and 0 <= place < len(owners):
            for record in owners[place]:
                outcomes[record.id] = Outcome(Result.REFUSED, "refused_by_destination", words, field=field)
    return outcomes

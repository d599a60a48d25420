"""PostHog: each conversion as an event, with what is known of the person.

Sources, under posthog.com/docs: api/capture (batch, host by region), data/events (``$ip``, ``$geoip_disable``),
data/persons (``$set``, ``$process_person_profile``), data/ingestion-warnings (refused ids, invalid uuids), api/flags
(a wrong project key is answered with 401).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    Batch,
    Call,
    Category,
    Destination,
    Field,
    Kind,
    Outcome,
    Recipe,
    Record,
    Reply,
    Result,
    SettingsSchema,
    Text,
    Url,
    Words,
)
from hub.contract.conversion import iso
from hub.toolkit.paths import text
from hub.toolkit.people import stable_uuid
from hub.toolkit.standard_fields import fields_for, mapping_for

PERSON = {
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "lifetime_value": "lifetime_value",
    "orders": "orders",
    "last_purchase_at": "last_purchase_at",
}
EVENT = {
    "value": "value",
    "currency": "currency",
    "order_id": "sale_order_id",
    "subscription_id": "subscription_id",
    "coupon": "coupon",
    "product": "content_name",
    "items": "items",
    "offer": "offer",
    "campaigns": "campaigns",
    "reason": "lead_reason",
    "$current_url": "page_url",
    "$referrer": "referrer",
    "$ip": "ip",
    "$raw_user_agent": "user_agent",
    "gclid": "gclid",
    "fbclid": "fbclid",
    "msclkid": "msclkid",
    "ttclid": "ttclid",
    **{f"utm_{name}": f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")},
}
NOBODY = frozenset(
    {
        "",
        "0",
        "anonymous",
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "nan",
        "nil",
        "none",
        "not_authenticated",
        "null",
        "true",
        "undefined",
        "[object object]",
    }
)


class PosthogSettings(SettingsSchema):
    """The project, by its public key, and where it lives."""

    project = Words(
        Text("Project API key", "Clé API du projet"),
        help=Text(
            "PostHog: Settings › Project › General. It is public and starts with phc_.",
            "PostHog : Settings › Project › General. Elle est publique et commence par phc_.",
        ),
        placeholder="phc_…",
        required=True,
    )
    host = Url(
        Text("Address", "Adresse"),
        help=Text(
            "https://us.i.posthog.com, https://eu.i.posthog.com, or your own PostHog.",
            "https://us.i.posthog.com, https://eu.i.posthog.com, ou votre propre PostHog.",
        ),
        load_default="https://us.i.posthog.com",
    )


class Posthog(Destination):
    """Events named after the stage or kind, revenue as ``value`` and ``currency``."""

    slug = "posthog"
    name = "PostHog"
    category = Category.ANALYTICS
    homepage = "https://posthog.com"
    Settings = PosthogSettings
    purpose = "analytics"
    kinds = frozenset(Kind) - {Kind.CONTACT}
    batch = Batch(max_records=200)
    sends_tests = False
    fields = (
        Field("event", Text("Name of the event", "Nom de l'événement"), required=True),
        Field(
            "distinct_id",
            Text("Person (distinct_id)", "Personne (distinct_id)"),
            help=Text(
                "What your site gives posthog.identify(), or the two are different people.",
                "Ce que votre site donne à posthog.identify(), sinon ce sont deux personnes.",
            ),
        ),
        *fields_for(PERSON),
        *fields_for(EVENT),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "event": {"first": [{"from": "stage"}, {"from": "kind"}]},
        "distinct_id": {
            "first": [{"from": "contact.email"}, {"from": "contact.external_id"}, {"from": "context.cookie"}],
            "do": ["trim", "lower"],
        },
        **mapping_for(PERSON | EVENT),
        "value": {"from": "value", "as": "number"},
    }

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Asks for the feature flags of nobody, which changes nothing; only a known key gets an answer."""
        yield _post(settings, "/flags/?v=2", {"distinct_id": str(stable_uuid("posthog", "check"))})
        return "PostHog knows this project."

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """All in one request."""
        yield _post(settings, "/batch/", {"batch": [_event(each, settings) for each in record]}, timeout=30.0)

    def judge(self, reply: Reply) -> Outcome | None:
        """PostHog looks at events after it has answered; what it drops is only shown in its own pages."""
        return Outcome(Result.ACCEPTED_UNVERIFIED) if reply.ok else None


def _post(settings: Mapping[str, Any], path: str, body: dict[str, Any], timeout: float = 10.0) -> Call:
    address = settings["host"].rstrip("/") + path
    return Call.post(address, json={"api_key": settings["project"], **body}, timeout=timeout)


def _event(record: Record, settings: Mapping[str, Any]) -> dict[str, Any]:
    """One event. Its uuid is the same in every try; without a person PostHog makes no profile of it."""
    values = dict(record.values)
    name, person = str(values.pop("event")), text(values.pop("distinct_id", None)) or ""
    uuid = str(stable_uuid("posthog", settings["project"], record.event_id, name))
    known = {key: values.pop(key) for key in PERSON if key in values}
    properties: dict[str, Any] = {**values, "$lib": "conversion-hub"}
    if "$ip" not in properties:
        properties["$geoip_disable"] = True  # else it would take the hub's own address for the person's
    if person.lower() in NOBODY:
        person = uuid
        properties["$process_person_profile"] = False
    elif known:
        properties["$set"] = known
    return {
        "event": name,
        "distinct_id": person[:200],
        "uuid": uuid,
        "timestamp": iso(record.occurred_at),
        "properties": properties,
    }

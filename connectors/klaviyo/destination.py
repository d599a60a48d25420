"""Klaviyo: profiles and events; consenting people join a list, unless they left before.

Sources, under developers.klaviyo.com/en/reference: create_or_update_profile, create_event (``unique_id``; answered with 202
whatever becomes of it), get_profiles, bulk_subscribe_profiles; docs/guide_to_integrating_a_platform_without_a_pre_built_
klaviyo_integration for the names of events. Subscribing lifts unsubscriptions and spam reports, so it is asked first
whether there is one.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import (
    ApiKeyHeader,
    BadMapping,
    Call,
    Field,
    Kind,
    Limits,
    Outcome,
    Recipe,
    Record,
    Reply,
    Result,
    SettingsSchema,
    Stage,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, flat
from hub.toolkit.email_tools import (
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

API = "https://a.klaviyo.com/api"
REVISION = {"revision": "2026-07-15"}  # each is served for two years
PERSON = {"email": "email", "phone_number": "phone", "first_name": "first_name", "last_name": "last_name"}
PLACE = {"city": "city", "region": "region", "zip": "postal_code", "country": "country"}
KEYS = {**PERSON, **PLACE, **HUB_KEYS}
NO_PROPERTIES = {*PERSON, *PLACE, *EVENT_FIELD_KEYS}
ORDER = "Placed Order"
METRICS = {
    Stage.VIEW_CONTENT: "Viewed Product",
    Stage.ADD_TO_CART: "Added to Cart",
    Stage.INITIATE_CHECKOUT: "Started Checkout",
    Stage.COMPLETE_REGISTRATION: "Registered",
    Stage.ADD_PAYMENT_INFO: "Added Payment Info",
    Stage.PURCHASE: ORDER,
    Stage.LEAD: "Checkout Abandoned",
    Kind.RENEWAL: "Subscription Renewed",
    Kind.REFUND: "Refunded Order",
    Kind.DISPUTE: "Disputed Order",
    Kind.CANCELLATION: "Cancelled Order",
}
"""The first three and the order are Klaviyo's own, which its ready-made flows know; the others are ours."""


class KlaviyoSettings(SettingsSchema):
    """The account's key, and where consenting people go."""

    api_key = key_setting(
        Text(
            "Klaviyo: Settings, API keys, with full access to profiles, events, lists and subscriptions.",
            "Klaviyo : Settings, API keys, avec accès complet aux profils, événements, listes et abonnements.",
        ),
        placeholder="pk_…",
        label=Text("Private API key", "Clé API privée"),
    )
    list_id = Words(
        Text("List for people who agreed to e-mail", "Liste des personnes ayant accepté les e-mails"),
        help=Text(
            "The id in the list's settings. Empty: the hub subscribes nobody.",
            "L'identifiant dans les réglages de la liste. Vide : le hub n'abonne personne.",
        ),
        placeholder="Y6nRLr",
        load_default="",
        validate=validate.Regexp(r"\A[A-Za-z0-9]{0,20}\Z", error="A list id has only letters and digits."),
    )


class Klaviyo(EmailTool):
    """Profiles, events and, of an order, one event for each product."""

    slug = "klaviyo"
    name = "Klaviyo"
    homepage = "https://www.klaviyo.com"
    Settings = KlaviyoSettings
    auth = ApiKeyHeader("Authorization", prefix="Klaviyo-API-Key ")
    limits = Limits(per_second=10)  # 700 profiles a minute
    fields = person_fields(KEYS, *EVENT_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **person_mapping(KEYS),
        **event_mapping(METRICS),
    }

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The account by its name."""
        reply = yield Call.get(f"{API}/accounts", headers=dict(REVISION))
        name = text(dig(reply.json(), "data[0].attributes.contact_information.organization_name"))
        return f"Connected to the Klaviyo account {name or 'of this key'}."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """Klaviyo has no list of custom properties: those of the latest profiles stand for them."""
        reply = yield Call.get(
            f"{API}/profiles", params={"page[size]": "20", "sort": "-updated"}, headers=dict(REVISION)
        )
        found = dig(reply.json(), "data[].attributes.properties") or []
        names = {name for each in found if isinstance(each, dict) for name in each} - {
            field.key for field in self.fields
        }
        return [*self.fields, *(Field(name, Text(name, name), group="account") for name in sorted(names))]

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The list, the profile, then the event: what can be repeated without harm comes first."""
        email = require_email(record, self.name)
        if agreed(record) and settings["list_id"] and not (yield from _has_left(email)):
            yield _post("profile-subscription-bulk-create-jobs", _subscription(email, settings["list_id"]))
        yield _post("profile-import", {"type": "profile", "attributes": _profile(record.values, email)})
        name = text(record.values.get("event_name"))
        if name is None:
            return Outcome.delivered()
        properties = event_properties(record)
        yield _post("events", _event(record, name, email, record.event_id, properties, properties.get("value")))
        if name == ORDER:
            for number, line in enumerate(event_lines(record), start=1):
                sold = filled(line._asdict(), line._fields) | filled(properties, ("order_id",))
                total = None if line.price is None else line.price * line.quantity
                yield _post(
                    "events", _event(record, "Ordered Product", email, f"{record.event_id}:{number}", sold, total)
                )
        return Outcome(Result.ACCEPTED_UNVERIFIED)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 points at the attribute that is wrong."""
        error = dig(reply.json(), "errors[0]") if reply.status == 400 else None
        field = (text(dig(error, "source.pointer")) or "").rstrip("/").rpartition("/")[2]
        if field in NO_PROPERTIES:
            words = text(dig(error, "detail")) or ""
            raise BadMapping(field, f"Klaviyo refused {field}: {words}", status=400, detail=words)
        return None


def _post(path: str, data: Mapping[str, Any]) -> Call:
    return Call.post(f"{API}/{path}", json={"data": data}, headers=dict(REVISION))


def _has_left(email: str) -> Generator[Call, Reply, bool]:
    """Whether the person unsubscribed or is suppressed: only they can come back."""
    safe = email.replace("\\", "\\\\").replace('"', '\\"')
    query = {"filter": f'equals(email,"{safe}")', "additional-fields[profile]": "subscriptions"}
    reply = yield Call.get(f"{API}/profiles", params=query, headers=dict(REVISION))
    marketing = dig(reply.json(), "data[0].attributes.subscriptions.email.marketing")
    if not isinstance(marketing, dict):
        return bool(dig(reply.json(), "data") != [])  # an answer that is not understood is no leave to subscribe
    return marketing.get("consent") == "UNSUBSCRIBED" or bool(
        marketing.get("suppression") or marketing.get("list_suppressions")
    )


def _profile(values: Mapping[str, Any], email: str) -> dict[str, Any]:
    properties = {key: flat(value) for key, value in values.items() if key not in NO_PROPERTIES}
    attributes = {**filled(values, PERSON), "email": email, "location": filled(values, PLACE), "properties": properties}
    return filled(attributes, attributes)


def _subscription(email: str, list_id: str) -> dict[str, Any]:
    wish = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
    profile = {"type": "profile", "attributes": {"email": email, "subscriptions": wish}}
    return {
        "type": "profile-subscription-bulk-create-job",
        "attributes": {"profiles": {"data": [profile]}},
        "relationships": {"list": {"data": {"type": "list", "id": list_id}}},
    }


def _event(
    record: Record, metric: str, email: str, unique_id: str, properties: Mapping[str, Any], value: Any
) -> dict[str, Any]:
    attributes = {
        "properties": properties,
        "time": record.occurred_at.isoformat(timespec="seconds"),
        "unique_id": unique_id,
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
        "value": value,
        "value_currency": text(record.values.get("currency")) if value is not None else None,
    }
    return {"type": "event", "attributes": {key: given for key, given in attributes.items() if given is not None}}

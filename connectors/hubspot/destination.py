"""HubSpot: contacts by e-mail, and on request one deal for each order.

Sources, under developers.hubspot.com/docs: api-reference/2026-03/crm/objects/contacts/batch/upsert-contacts, the same
version's crm/properties and crm/associations/associate-records/batch/create-associations, and
developer-tooling/platform/usage-guidelines (limits). Each dated version is supported for 18 months.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar

from hub.contract.auth import Bearer
from hub.contract.calls import Call, Outcome, Recipe, Record, Reply, Result
from hub.contract.connector import Batch, Destination, Field, Limits
from hub.contract.errors import BadCredentials, BadMapping, Refused, TryLater
from hub.contract.settings import Secret, SettingsSchema, Switch
from hub.contract.vocabulary import Category, Text
from hub.toolkit.crm import is_sale
from hub.toolkit.email_tools import TAKEN_KINDS, USUAL_STAGES
from hub.toolkit.paths import dig
from hub.toolkit.standard_fields import FACTS, mapping_for

from .properties import CONTACT_PROPERTIES, DEAL, DEAL_PROPERTIES, FIELDS, GROUP, KEYS, definition, discovered
from .upsert import bad_property, said, upsert

API_VERSION = "2026-03"  # supported until September 2027
BASE = "https://api.hubapi.com/crm"
OBJECTS = f"{BASE}/objects/{API_VERSION}"
PROPERTIES = f"{BASE}/properties/{API_VERSION}"
ASSOCIATE = f"{BASE}/associations/{API_VERSION}/deals/contacts/batch/associate/default"
ORDER_KEY = "hub_order_id"
"""The unique deal property that makes a repeated delivery update its deal."""
DEAL_STAGES = {  # an order's status → the internal id in the sales pipeline every account starts with
    "open": "appointmentscheduled",
    "pending": "contractsent",
    "paid": "closedwon",
    **dict.fromkeys(("lead", "refunded", "disputed", "cancelled"), "closedlost"),
}
WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}  # seconds, by the policy that a 429 names


class HubSpotSettings(SettingsSchema):
    """One account's key, and whether orders become deals."""

    access_token = Secret(
        Text("Service key or private app token", "Clé de service ou jeton d'application privée"),
        help=Text(
            "HubSpot: Settings, Integrations, Service Keys. It needs read and write on contacts and their schema, and "
            "the same on deals if you switch deals on.",
            "HubSpot : Paramètres, Intégrations, Clés de service. Droits de lecture et d'écriture sur les contacts et "
            "leur schéma, et de même sur les transactions si vous les activez.",
        ),
        placeholder="pat-eu1-…",
        required=True,
    )
    deals = Switch(
        Text("One deal for each order", "Une transaction par commande"),
        help=Text(
            "Purchases, renewals, refunds, disputes and leads with an order id update one deal each.",
            "Achats, renouvellements, remboursements, litiges et leads ayant un numéro de commande mettent à jour une "
            "transaction chacun.",
        ),
    )


class HubSpot(Destination):
    """Upserts contacts in batches of 100; a repeated delivery writes the same values again."""

    slug = "hubspot"
    name = "HubSpot"
    category = Category.CRM
    homepage = "https://www.hubspot.com"
    Settings = HubSpotSettings
    auth = Bearer("access_token")
    kinds = TAKEN_KINDS
    default_stages = USUAL_STAGES
    fields = FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **mapping_for(KEYS),
        "deal.hub_order_id": {"first": [{"from": "order.id"}, {"from": "order_id"}]},
        "deal.dealname": {"text": "Order {{ order_id }}"},
        "deal.amount": dict(FACTS["order_amount"].rule),
        "deal.pipeline": {"value": "default"},
        "deal.dealstage": {"lookup": "order.status", "table": DEAL_STAGES},
        "deal.closedate": {
            "if": {"path": "stage", "op": "equals", "value": "purchase"},
            "then": {"from": "occurred_at", "as": "datetime"},
        },
    }
    batch = Batch(max_records=100)
    limits = Limits(per_second=8, concurrency=1)  # two calls at once on one contact collide
    sends_tests = False  # nothing in a CRM says "test"

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Whether the key may read contact properties, and whether the hub's own are there."""
        missing = yield from _missing("contacts", _wanted(settings)["contacts"])
        if missing:
            return "The key works. Press Prepare to create the hub's properties in HubSpot."
        return "The key works and the hub's properties are there."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """The account's writable contact properties, and with deals switched on its deal properties."""
        reply = yield Call.get(f"{PROPERTIES}/contacts")
        found = discovered(reply.json(), prefix="")
        if settings["deals"]:
            reply = yield Call.get(f"{PROPERTIES}/deals")
            found += discovered(reply.json(), prefix=DEAL)
        return found

    def prepare(self, settings: Mapping[str, Any]) -> Recipe:
        """Create the group "Conversion Hub" and what is missing in it; a name that exists already is left alone."""
        count = 0
        for kind, wanted in _wanted(settings).items():
            missing = yield from _missing(kind, wanted)
            if missing:
                yield from _create(f"{PROPERTIES}/{kind}/groups", {"name": GROUP, "label": "Conversion Hub"})
            for prop in missing:
                yield from _create(f"{PROPERTIES}/{kind}", definition(prop, unique=kind == "deals"))
            count += len(missing)
        return f"Created {count} properties in HubSpot." if count else "HubSpot has all the hub's properties already."

    def deliver(self, records: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """Contacts first, since a deal is tied to its contact by HubSpot's own ids."""
        outcomes = {record.id: _NO_EMAIL for record in records}
        people = [record for record in records if _email(record)]
        if not people:
            return outcomes
        contacts = yield from upsert(f"{OBJECTS}/contacts", "email", people, _email, outcomes)
        sales = [
            record
            for record in people
            if record.id in contacts and is_sale(record) and record.values.get(DEAL + ORDER_KEY)
        ]
        if settings["deals"] and sales:
            deals = yield from upsert(f"{OBJECTS}/deals", ORDER_KEY, sales, _order, outcomes, DEAL)
            pairs = sorted({(deals[sale.id], contacts[sale.id]) for sale in sales if sale.id in deals})
            inputs = [{"from": {"id": deal}, "to": {"id": contact}} for deal, contact in pairs]
            if inputs:
                yield Call.post(ASSOCIATE, json={"inputs": inputs})
        return outcomes

    def judge(self, reply: Reply) -> Outcome | None:
        """Unknown properties, limits by policy, and names that exist already."""
        if reply.ok or reply.status >= 500:
            return None
        body = reply.json()
        words = said(body)
        name = bad_property(words)
        if reply.status == 400 and name:
            raise BadMapping(name, f"HubSpot refused the property {name}.", status=400, detail=words)
        policy = body.get("policyName") if isinstance(body, dict) else None
        if reply.status == 429 and policy in WAITS and "retry-after" not in reply.headers:
            raise TryLater(
                f"HubSpot's limit {policy} is reached.", after=WAITS[policy], whole_connection=True, detail=words
            )
        if reply.status in (400, 403, 404, 409):
            kind = BadCredentials if reply.status == 403 else Refused
            raise kind(f"HubSpot refused ({reply.status}).", status=reply.status, detail=words)
        return None


_NO_EMAIL = Outcome(Result.BAD_MAPPING, "required_field_empty", "A HubSpot contact needs an e-mail.", field="email")


def _email(record: Record) -> str:
    return str(record.values.get("email") or "").strip().lower()


def _order(record: Record) -> str:
    return str(record.values[DEAL + ORDER_KEY]).strip()


def _wanted(settings: Mapping[str, Any]) -> dict[str, tuple[Field, ...]]:
    return {"contacts": CONTACT_PROPERTIES} | ({"deals": DEAL_PROPERTIES} if settings["deals"] else {})


def _missing(kind: str, wanted: Sequence[Field]) -> Generator[Call, Reply, list[Field]]:
    reply = yield Call.get(f"{PROPERTIES}/{kind}")
    names = set(dig(reply.json(), "results[].name") or [])
    return [prop for prop in wanted if prop.key not in names]


def _create(url: str, definition: Mapping[str, Any]) -> Generator[Call, Reply, None]:
    try:
        yield Call.post(url, json=definition)
    except Refused as error:
        if error.status != 409:  # it is there already, which is all we want
            raise

"""Plausible: each stage as a goal of the visit that it belongs to.

Source: plausible.io/docs/events-api. An event has no time, no id and no batch: it counts when it arrives, and twice when
it arrives twice. Visits are told by the visitor's address and browser, so that without both it is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import (
    ALL_STAGES,
    BadMapping,
    Call,
    Category,
    Destination,
    Field,
    Kind,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Result,
    SettingsSchema,
    Stage,
    Text,
    Url,
    Words,
)
from hub.toolkit.ads import price, texts
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = {
    "page": "page_url",
    "referrer": "referrer",
    "ip": "ip",
    "user_agent": "user_agent",
    "value": "value",
    "currency": "currency",
    "product": "content_name",
    "offer": "offer",
    "campaigns": "campaigns",
    "coupon": "coupon",
}
PROPS = ("product", "offer", "campaigns", "coupon")
LONGEST = 2000  # characters of a property
DAY = 24 * 3600  # seconds


class PlausibleSettings(SettingsSchema):
    """The site, as Plausible knows it."""

    domain = Words(
        Text("Site", "Site"),
        help=Text(
            "Its domain, as in Plausible's site settings.", "Son domaine, comme dans ses réglages chez Plausible."
        ),
        placeholder="example.com",
        required=True,
        validate=validate.Regexp(r"[^\s/:]{1,253}\Z", error="Only the domain, such as example.com."),
    )
    host = Url(
        Text("Address of Plausible", "Adresse de Plausible"),
        help=Text("Change it for a Plausible of your own.", "À changer pour votre propre Plausible."),
        load_default="https://plausible.io",
    )


class Plausible(Destination):
    """Goals with revenue. Refunds are not sent: Plausible has nothing for them."""

    slug = "plausible"
    name = "Plausible"
    category = Category.ANALYTICS
    homepage = "https://plausible.io"
    Settings = PlausibleSettings
    purpose = "analytics"
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL})
    default_stages = ALL_STAGES - {Stage.LEAD}
    max_age = DAY
    sends_tests = False
    fields = (Field("name", Text("Name of the goal", "Nom de l'objectif"), required=True), *fields_for(KEYS))
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "name": {
            "lookup": "kind",
            "table": {"renewal": "Renewal"},
            "default": {
                "lookup": "stage",
                "table": {
                    "view_content": "View offer",
                    "add_to_cart": "Add to cart",
                    "initiate_checkout": "Checkout",
                    "complete_registration": "Sign up",
                    "add_payment_info": "Payment info",
                    "purchase": "Purchase",
                    "lead": "Checkout abandoned",
                },
            },
        },
        **mapping_for(KEYS),
    }

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One event, in the visitor's name."""
        visitor = texts(record.values, {"X-Forwarded-For": "ip", "User-Agent": "user_agent"})
        if len(visitor) < 2:
            missing = "user_agent" if "User-Agent" not in visitor else "ip"
            raise BadMapping(
                missing, "Plausible counts visits: without the visitor's address and browser it drops this."
            )
        event: dict[str, Any] = {
            "domain": settings["domain"],
            "name": str(record.values["name"])[:120],
            "url": f"https://{settings['domain']}/",
            **texts(record.values, {"url": "page", "referrer": "referrer"}),
        }
        props = texts(record.values, {name: name for name in PROPS})
        if props:
            event["props"] = {key: value[:LONGEST] for key, value in props.items()}
        revenue = price(record.values, needed=False) if record.stage in (Stage.PURCHASE, None) else None
        if revenue:
            event["revenue"] = {"amount": revenue[0], "currency": revenue[1]}
        yield Call.post(settings["host"].rstrip("/") + "/api/event", json=event, headers=visitor)

    def judge(self, reply: Reply) -> Outcome | None:
        """202 is all it ever says; a header tells what it took for a robot or a data center."""
        if reply.headers.get("x-plausible-dropped") == "1":
            raise Refused(
                "Plausible dropped it: it takes this visitor's address or browser for a robot's.", status=reply.status
            )
        return Outcome(Result.ACCEPTED_UNVERIFIED) if reply.ok else None

"""Reddit Conversions API, v3.

Reddit's own pages could not be read. Sources: rudderlabs/rudder-transformer (src/cdk/v2/destinations/reddit,
transformV3.ts) and segmentio/action-destinations (reddit-conversions-api).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    Batch,
    Bearer,
    Call,
    Limits,
    Outcome,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Stage,
    Status,
    Text,
)
from hub.toolkit import ads, people
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

PERSON = {"email": "email", "phone": "phone", "country": "country", "external_id": "external_id"}
KEYS = PERSON | ads.VISIT | ads.SALE | {"rdt_cid": "rdt_cid"}
LINE = {"id": "id", "name": "name", "category": "category", "item_price": "price", "quantity": "quantity"}
NAMES = {
    Stage.VIEW_CONTENT: "VIEW_CONTENT",
    Stage.ADD_TO_CART: "ADD_TO_CART",
    Stage.COMPLETE_REGISTRATION: "SIGN_UP",
    Stage.PURCHASE: "PURCHASE",
}


class RedditSettings(SettingsSchema):
    """The pixel and its token."""

    pixel_id = ads.id_setting(
        Text("Pixel id", "Identifiant du pixel"),
        Text("Reddit Ads → Events Manager → your pixel.", "Reddit Ads → Events Manager → votre pixel."),
        "a2_abc123def456",
        r"[A-Za-z0-9_]{3,40}",
    )
    access_token = ads.token_setting(
        Text("Events Manager → Conversions API → Generate.", "Events Manager → Conversions API → Générer."),
        Text("Conversion access token", "Jeton d'accès de conversion"),
    )
    test_id = ads.code_for_tests(
        Text("Events Manager → Event testing.", "Events Manager → Test d'évènements."), "t2_abc123"
    )
    lead_event_name = ads.lead_name_setting("LEAD")


class Reddit(AdPlatform):
    """Events of one pixel, up to 1,000 in a request. Stages without a Reddit event go as CUSTOM under their own name."""

    slug = "reddit"
    name = "Reddit Ads"
    status = Status.BETA
    homepage = "https://ads-api.reddit.com/docs/v3"
    Settings = RedditSettings
    auth = Bearer("access_token")
    test_code = "test_id"
    batch = Batch(max_records=1000)
    limits = Limits(per_second=4)  # 250,000 events a minute in batches of 1,000
    max_age = 168 * 3600
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for what would make Reddit refuse its whole batch."""
        facts = ads.by_fact(record.values, KEYS)
        user = ads.hashed(facts, {"email": "email", "phone_number": "phone", "external_id": "external_id"})
        user |= ads.texts(facts, {"user_agent": "user_agent"})
        address = ads.texts(facts, {"ip": "ip"}).get("ip")
        if address:
            user["ip_address"] = people.digest(address) or ""  # Reddit alone takes it ads.hashed
        click = ads.texts(facts, {"click_id": "rdt_cid"})
        ads.need_one_of(user | click, ("email", "phone_number", "external_id", "ip_address", "click_id"), "email")
        event = {
            "event_at": int(record.occurred_at.timestamp() * 1000),
            "action_source": "WEBSITE" if facts["page_url"] else "OTHER",
            "event_source_url": facts["page_url"],
            "type": _type(record, settings),
            **click,
            "user": user,
            "metadata": _metadata(facts, ads.event_id(record), needs_value=record.stage is Stage.PURCHASE),
        }
        return ads.without_empty(event)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All events of the pixel, marked when they are tests."""
        marked = {"test_id": settings["test_id"]} if first is not None and first.test else {}
        url = f"https://ads-api.reddit.com/api/v3/pixels/{settings['pixel_id']}/conversion_events"
        return Call.post(url, json={"data": {"events": events, **marked}}, timeout=30.0)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 says in ``invalid_events`` why none was taken; a 403 is also said of a malformed event type."""
        answer = reply.json()
        invalid = dig(answer, "invalid_events[].error_message") or dig(answer, "error.invalid_events[].error_message")
        words = "; ".join(map(str, invalid or [])) or text(dig(answer, "error.message")) or ""
        if reply.status == 400 and words:
            reason = "too_old" if "168 hours" in words else None
            raise Refused("Reddit refused it.", status=400, detail=words[:500], reason=reason)
        if reply.status == 403 and "type" in words:
            raise Refused("Reddit does not know this event's type.", status=403, detail=words[:500])
        return None


def _type(record: Record, settings: Mapping[str, Any]) -> dict[str, str]:
    name = ads.stage_name(record, NAMES)
    if name:
        return {"tracking_type": name}
    own = ads.stage_name(record, ads.PIXEL_NAMES, settings["lead_event_name"])
    return {"tracking_type": "CUSTOM", "custom_event_name": own}


def _metadata(facts: ads.Facts, conversion_id: str, *, needs_value: bool) -> dict[str, Any]:
    paid, bought = ads.price(facts, needed=needs_value), ads.lines(facts["items"])
    metadata: dict[str, Any] = {"conversion_id": conversion_id}
    metadata |= {"value": paid[0], "currency": paid[1]} if paid else {}
    if bought:
        metadata |= {"item_count": ads.pieces(bought), "products": ads.line_objects(bought, LINE)}
    return metadata

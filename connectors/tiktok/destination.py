"""TikTok Events API 2.0.

TikTok's own pages (business-api.tiktok.com/portal) cannot be read without an account. Sources:
ads.tiktok.com/help/article/event-deduplication; docs.tealium.com/server-side-connectors/tiktok-events-connector; the
integrations rudderlabs/rudder-transformer (tiktok_ads) and segmentio/action-destinations (tiktok-conversions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    ApiKeyHeader,
    BadCredentials,
    Batch,
    Call,
    Outcome,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Stage,
    Status,
    Text,
    TryLater,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

URL = "https://business-api.tiktok.com/open_api/v1.3/event/track/"
KEYS = ads.PERSON | ads.VISIT | ads.SALE | {"ttclid": "ttclid", "ttp": "ttp", "content_name": "content_name"}
LISTS = {"email": "email", "phone": "phone", "external_id": "external_id"}
HASHED = {"first_name": "first_name", "last_name": "last_name", "zip_code": "postal_code"}
IN_CLEAR = {"city": "city", "state": "region", "country": "country"}
VISITOR = {"ttclid": "ttclid", "ttp": "ttp", "ip": "ip", "user_agent": "user_agent"}
LINE = {
    "content_id": "id",
    "content_name": "name",
    "content_category": "category",
    "price": "price",
    "quantity": "quantity",
}
PARTLY_TAKEN, NO_PERMISSION, INVALID, THROTTLED = 20001, 40001, 40002, 40100
BAD_TOKEN = (40104, 40105)
ROW = re.compile(r"Batch\.([0-9]+)")


class TikTokSettings(SettingsSchema):
    """The pixel and its token."""

    pixel_code = ads.id_setting(
        Text("Pixel code", "Code du pixel"),
        Text("Events Manager → Web events → your pixel.", "Gestionnaire d'évènements → Évènements Web → votre pixel."),
        "C4A1B2C3D4E5F6G7H8I9",
        r"[A-Za-z0-9]{10,40}",
    )
    access_token = ads.token_setting(
        Text(
            "Your pixel → Settings → Events API → Generate access token.",
            "Votre pixel → Paramètres → Events API → Générer un jeton d'accès.",
        )
    )
    test_event_code = ads.code_for_tests(
        Text("Your pixel → Test events.", "Votre pixel → Tester les évènements."), "TEST12345"
    )
    lead_event_name = ads.lead_name_setting("Lead")
    limited_data_use = ads.limited_use_setting()


class TikTok(AdPlatform):
    """Web events of one pixel. TikTok answers 200 to everything; its verdict is the ``code`` in the body."""

    slug = "tiktok"
    name = "TikTok"
    status = Status.BETA
    homepage = "https://ads.tiktok.com/marketing_api/docs"
    Settings = TikTokSettings
    auth = ApiKeyHeader("Access-Token", "access_token")
    test_code = "test_event_code"
    batch = Batch(max_records=1000)
    max_age = 7 * 24 * 3600
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for what would make TikTok refuse its whole batch."""
        facts = ads.by_fact(record.values, KEYS)
        user: dict[str, Any] = {key: [value] for key, value in ads.hashed(facts, LISTS).items()}
        user |= ads.hashed(facts, HASHED) | ads.identifiers(facts, IN_CLEAR) | ads.texts(facts, VISITOR)
        ads.need_one_of(user, ("email", "phone", "external_id", "ttclid", "ttp", "ip"), "email")
        event = {
            "event": ads.stage_name(record, ads.PIXEL_NAMES, settings["lead_event_name"]),
            "event_time": int(record.occurred_at.timestamp()),
            "event_id": ads.event_id(record),
            "user": user,
            "properties": _properties(facts, needs_value=record.stage is Stage.PURCHASE),
            "page": ads.texts(facts, {"url": "page_url", "referrer": "referrer"}),
            "limited_data_use": settings["limited_data_use"] or None,
        }
        return ads.without_empty(event)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All events of the pixel, marked when they are tests."""
        body: dict[str, Any] = {"event_source": "web", "event_source_id": settings["pixel_code"], "data": events}
        if first is not None and first.test:
            body["test_event_code"] = settings["test_event_code"]
        return Call.post(URL, json=body, timeout=30.0)

    def judge(self, reply: Reply) -> Outcome | None:
        """By the ``code`` of the body, whatever the HTTP status."""
        answer = reply.json()
        code, words = dig(answer, "code"), text(dig(answer, "message")) or "no words"
        if not isinstance(code, int) or code == 0:
            return None
        said = f"code {code}: {words}"[:500]
        if code == PARTLY_TAKEN:
            return Outcome.delivered(said)
        if code in (NO_PERMISSION, *BAD_TOKEN):
            raise BadCredentials(
                "TikTok says that this token may not write to this pixel. Enter a new one.", detail=said
            )
        if code == THROTTLED or code >= 50000:
            raise TryLater("TikTok does not accept at the moment.", whole_connection=code == THROTTLED, detail=said)
        rows = {int(row): said for row in ROW.findall(words)} if code == INVALID else {}
        if rows:
            raise ads.RowsRefused(rows, "TikTok refused some of these events, and so all.", status=400, detail=said)
        raise Refused("TikTok refused it. Read its words, fix the mapping or the settings.", status=400, detail=said)


def _properties(facts: ads.Facts, *, needs_value: bool) -> dict[str, Any]:
    paid, bought = ads.price(facts, needed=needs_value), ads.lines(facts["items"])
    properties: dict[str, Any] = {"value": paid[0], "currency": paid[1]} if paid else {}
    properties |= ads.texts(facts, {"order_id": "sale_order_id", "description": "content_name"})
    if bought:
        properties |= {
            "content_type": "product",
            "contents": ads.line_objects(bought, LINE),
            "num_items": ads.pieces(bought),
        }
    return properties

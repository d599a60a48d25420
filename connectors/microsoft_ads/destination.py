"""Microsoft Advertising: the Conversions API of a UET tag.

Sources: learn.microsoft.com/en-us/advertising/guides/uet-conversion-api-integration; docs.metarouter.io;
segmentio/action-destinations (ms-bing-capi) for the form of phones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import Batch, Bearer, Call, Outcome, Outcomes, Record, Reply, SettingsSchema, Stage, Status, Text
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

PERSON = {"email": "email", "phone": "phone", "country": "country", "consent_ads": "consent_ads"}
KEYS = PERSON | ads.VISIT | ads.SALE | {"msclkid": "msclkid"}
VISITOR = {"clientIpAddress": "ip", "clientUserAgent": "user_agent", "msclkid": "msclkid"}


class MicrosoftAdsSettings(SettingsSchema):
    """The UET tag and its token."""

    tag_id = ads.id_setting(
        Text("UET tag id", "Identifiant de la balise UET"),
        Text("Conversions → UET tag.", "Conversions → Balise UET."),
        "97012345",
    )
    access_token = ads.token_setting(
        Text("The tag's own page; ready after 15 minutes.", "La page de la balise ; actif après 15 minutes."),
        Text("Conversions API token", "Jeton de l'API Conversions"),
    )
    lead_event_name = ads.lead_name_setting("generate_lead")


class MicrosoftAds(AdPlatform):
    """Custom events of one UET tag, matched by the account's goals on their names. There is no way to mark a test."""

    slug = "microsoft_ads"
    name = "Microsoft Advertising (Bing)"
    status = Status.BETA
    homepage = "https://learn.microsoft.com/en-us/advertising/guides/uet-conversion-api-integration"
    Settings = MicrosoftAdsSettings
    auth = Bearer("access_token")
    batch = Batch(max_records=1000, whole_batch_fails=False)
    max_age = 90 * 24 * 3600
    sends_tests = False
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for one that Microsoft could tie to nobody."""
        facts = ads.by_fact(record.values, KEYS)
        user = ads.hashed(facts, {"em": "email", "ph": "phone_digits"}) | ads.texts(facts, VISITOR)
        ads.need_one_of(user, ("em", "ph", "msclkid", "clientIpAddress"), "email")
        agreed = facts["consent_ads"]
        event = {
            "eventType": "custom",
            "eventName": ads.stage_name(record, ads.ANALYTICS_NAMES, settings["lead_event_name"]),
            "eventTime": int(record.occurred_at.timestamp()),
            "eventId": ads.event_id(record),
            **ads.texts(facts, {"eventSourceUrl": "page_url", "referrerUrl": "referrer"}),
            "adStorageConsent": ("G" if agreed else "D") if isinstance(agreed, bool) else None,
            "userData": user,
            "customData": _custom_data(facts, needs_value=record.stage is Stage.PURCHASE),
        }
        return ads.without_empty(event)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All events of the tag; the good ones are to be taken even if others are bad."""
        return Call.post(
            f"https://capi.uet.microsoft.com/v1/{settings['tag_id']}/events",
            json={"data": events, "continueOnValidationError": True},
            timeout=30.0,
        )

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """All were taken but those that ``error.details`` names by their index."""
        refused = {records[row].id: Outcome.refused(said) for row, said in _rows(reply).items() if row < len(records)}
        return self.preset_outcomes(records, Outcome.delivered()) | refused

    def judge(self, reply: Reply) -> Outcome | None:
        """A refusal that names events, but took others, is no refusal of those."""
        rows, taken = _rows(reply), dig(reply.json(), "eventsReceived")
        if not rows:
            return None
        words = "; ".join(rows.values())[:500]
        if isinstance(taken, int) and taken > 0:
            return Outcome.delivered(words)
        raise ads.RowsRefused(rows, "Microsoft Advertising refused it.", status=reply.status, detail=words)


def _rows(reply: Reply) -> dict[int, str]:
    rows = {}
    for each in dig(reply.json(), "error.details[]") or []:
        index, said = dig(each, "index"), text(dig(each, "errorMessage")) or "no words"
        if isinstance(index, int) and index >= 0:
            rows[index] = f"{text(dig(each, 'propertyName')) or 'event'}: {said}"[:500]
    return rows


def _custom_data(facts: ads.Facts, *, needs_value: bool) -> dict[str, Any]:
    paid, bought = ads.price(facts, needed=needs_value), ads.lines(facts["items"])
    custom: dict[str, Any] = {"value": paid[0], "currency": paid[1]} if paid else {}
    custom |= ads.texts(facts, {"transactionId": "sale_order_id"})
    if bought:
        items = ads.line_objects(bought, {"id": "id", "name": "name", "price": "price", "quantity": "quantity"})
        custom |= {"itemIds": [line.id for line in bought], "items": items}
    return custom

"""X (Twitter) Ads: web conversions.

Sources: docs.x.com, "Web conversions" (measurement/conversions); rudderlabs/rudder-transformer (twitter_ads) for the
identifiers and the ads.texts that amounts are sent as.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, ClassVar

from hub.contract import (
    Batch,
    Call,
    Limits,
    OAuth1,
    Outcome,
    Recipe,
    Record,
    Secret,
    SettingsSchema,
    Stage,
    Status,
    Text,
    Words,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://ads-api.x.com/12"
VISIT = {"ip": "ip", "user_agent": "user_agent", "twclid": "twclid"}
KEYS = {"email": "email", "phone": "phone", "country": "country"} | VISIT | ads.SALE | {"content_name": "content_name"}
ONE_EACH = {"hashed_email": "email", "hashed_phone_number": "phone"}
_KEYS_PAGE = Text("developer.x.com → your app → Keys and tokens.", "developer.x.com → votre app → Keys and tokens.")


class XAdsSettings(SettingsSchema):
    """The pixel, the event of each stage, and the four keys of an app with Ads API access."""

    pixel_id = ads.id_setting(
        Text("Pixel id", "Identifiant du pixel"),
        Text("X Ads → Events Manager: it stands in the base code.", "X Ads → Events Manager : dans le code de base."),
        "o8z6j",
        r"[a-z0-9]{3,12}",
    )
    events = ads.stage_ids_setting(
        Text("Event id of each stage", "Identifiant d'évènement de chaque étape"),
        Text("Such as tw-o8z6j-o8z6k. Stages left out are not sent.", "Comme tw-o8z6j-o8z6k. Sans lui, rien ne part."),
    )
    consumer_key = Words(Text("API key", "Clé d'API"), help=_KEYS_PAGE, required=True)
    consumer_secret = Secret(Text("API key secret", "Secret de la clé d'API"), help=_KEYS_PAGE, required=True)
    access_token = Secret(Text("Access token", "Jeton d'accès"), help=_KEYS_PAGE, required=True)
    access_token_secret = Secret(Text("Access token secret", "Secret du jeton d'accès"), help=_KEYS_PAGE, required=True)


class XAds(AdPlatform):
    """Conversions under the event ids that the owner made, up to 500 in a request. X has no test mode."""

    slug = "x_ads"
    name = "X Ads (Twitter)"
    status = Status.BETA
    homepage = "https://docs.x.com/x-ads-api/measurement/web-conversions"
    Settings = XAdsSettings
    auth = OAuth1()
    batch = Batch(max_records=500)
    limits = Limits(per_second=100)  # 100,000 in 15 minutes
    sends_tests = False
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any] | Outcome:
        """The conversion; BadMapping for what X would refuse."""
        known = ads.id_of_stage(record, settings["events"])
        if isinstance(known, Outcome):
            return known
        facts = ads.by_fact(record.values, KEYS)
        paid, bought = ads.price(facts, needed=record.stage is Stage.PURCHASE), ads.lines(facts["items"])
        moment = record.occurred_at.astimezone(UTC).isoformat(timespec="milliseconds")
        conversion = {
            "conversion_time": moment.replace("+00:00", "Z"),
            "event_id": known,
            "identifiers": _identifiers(facts),
            "conversion_id": ads.event_id(record),
            **({"value": str(paid[0]), "price_currency": paid[1]} if paid else {}),
            **ads.texts(facts, {"description": "content_name"}),
            "number_items": int(ads.pieces(bought)) or None,
            "contents": [
                ads.without_empty(
                    {
                        "content_id": line.id,
                        "content_name": line.name,
                        "num_items": int(line.quantity),
                        "content_price": None if line.price is None else str(line.price),
                    }
                )
                for line in bought
            ],
        }
        return ads.without_empty(conversion)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All conversions of the pixel."""
        url = f"{API}/measurement/conversions/{settings['pixel_id']}"
        return Call.post(url, json={"conversions": events}, timeout=30.0)

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The ad accounts that the keys open."""
        reply = yield Call.get(f"{API}/accounts")
        return f"X gives access to {len(dig(reply.json(), 'data') or [])} ad accounts."


def _identifiers(facts: ads.Facts) -> list[dict[str, str]]:
    click = ads.texts(facts, {"twclid": "twclid"})
    each = [{key: value} for key, value in (click | ads.hashed(facts, ONE_EACH)).items()]
    visitor = ads.texts(facts, {"ip_address": "ip", "user_agent": "user_agent"})
    if len(visitor) == 2:
        each.append(visitor)  # only both together are an identifier
    elif each:
        each[0] |= visitor
    ads.need_one_of({"any": each}, ("any",), "email")
    return each

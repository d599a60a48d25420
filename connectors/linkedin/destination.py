"""LinkedIn Conversions API.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api, with its pages on
deduplication and questions; "Index: n, ERROR ::" as rudderlabs/rudder-transformer (linkedin_ads) has met it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    BadCredentials,
    Batch,
    Call,
    Limits,
    OAuth2,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Reply,
    Secret,
    SettingsSchema,
    Text,
    Words,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://api.linkedin.com/rest"
KEYS = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "country": "country",
    "li_fat_id": "li_fat_id",
    "value": "value",
    "currency": "currency",
}
INDEX = re.compile(r"[Ii]ndex:?\s*\[?([0-9]+)")


class LinkedInSettings(SettingsSchema):
    """The owner's app, and the conversion rule of each stage."""

    client_id = Words(
        Text("Client ID", "Client ID"),
        help=Text("linkedin.com/developers → your app → Auth.", "linkedin.com/developers → votre application → Auth."),
        required=True,
    )
    client_secret = Secret(Text("Client secret", "Client secret"), help=Text("Same page.", "Même page."), required=True)
    rules = ads.stage_ids_setting(
        Text("Conversion rule of each stage", "Règle de conversion de chaque étape"),
        Text(
            "Campaign Manager → Measurement → Conversions: the number in the rule's address. Stages left out are not sent.",
            "Campaign Manager → Mesures → Conversions : le numéro dans l'adresse de la règle. Sans règle, rien ne part.",
        ),
    )
    api_version = ads.version_setting("202607", r"20[0-9]{4}")


class LinkedIn(AdPlatform):
    """Conversions under the rules that the owner made, up to 5,000 in a request. LinkedIn has no test mode."""

    slug = "linkedin"
    name = "LinkedIn Ads"
    homepage = "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api"
    Settings = LinkedInSettings
    auth = OAuth2(
        "https://www.linkedin.com/oauth/v2/authorization",
        "https://www.linkedin.com/oauth/v2/accessToken",
        scopes=("rw_conversions", "r_ads"),
        pkce=False,
    )
    batch = Batch(max_records=5000)
    limits = Limits(per_second=10)  # 600 a minute
    max_age = 90 * 24 * 3600
    sends_tests = False
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any] | Outcome:
        """The element; BadMapping for what would make LinkedIn refuse its whole batch."""
        rule = ads.id_of_stage(record, settings["rules"])
        if isinstance(rule, Outcome):
            return rule
        facts = ads.by_fact(record.values, KEYS)
        paid = ads.price(facts, needed=False)
        event = {
            "conversion": f"urn:lla:llaPartnerConversion:{rule}",
            "conversionHappenedAt": int(record.occurred_at.timestamp() * 1000),
            "conversionValue": {"currencyCode": paid[1], "amount": str(paid[0])} if paid else None,
            "user": _user(facts),
            "eventId": ads.event_id(record),
        }
        return ads.without_empty(event)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All elements in one BATCH_CREATE."""
        headers = _headers(settings) | {"X-RestLi-Method": "BATCH_CREATE"}
        return Call.post(f"{API}/conversionEvents", json={"elements": events}, headers=headers, timeout=30.0)

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """Each element's own status, where LinkedIn gives one."""
        said = dig(reply.json(), "elements") or []
        judged = {record.id: _verdict(each) for record, each in zip(records, said, strict=False)}
        return self.preset_outcomes(records, Outcome.delivered()) | judged

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 or 422 names the elements that spoil the batch; 426 is a retired version."""
        words = text(dig(reply.json(), "message")) or ""
        if reply.status == 426:
            raise BadCredentials(
                "LinkedIn retired this version of its API: enter a newer one, then resume.", status=426, detail=words
            )
        rows = {int(row): words[:500] for row in INDEX.findall(words)} if reply.status in (400, 422) else {}
        if rows:
            raise ads.RowsRefused(
                rows, "LinkedIn refused some of these, and so all.", status=reply.status, detail=words[:500]
            )
        return None

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """The ad accounts that the person who gave access may see."""
        call = Call.get(f"{API}/adAccountUsers", params={"q": "authenticatedUser"}, headers=_headers(settings))
        reply = yield call
        return f"LinkedIn gives access to {len(dig(reply.json(), 'elements') or [])} ad accounts."


def _headers(settings: Mapping[str, Any]) -> dict[str, str]:
    return {"LinkedIn-Version": settings["api_version"], "X-Restli-Protocol-Version": "2.0.0"}


def _user(facts: ads.Facts) -> dict[str, Any]:
    ids = ads.hashed(facts, {"SHA256_EMAIL": "email"})
    ids |= ads.texts(facts, {"LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID": "li_fat_id"})
    ads.need_one_of(ids, tuple(ids), "email", "LinkedIn finds people by their e-mail or its click id: map one of them.")
    person = ads.texts(facts, {"firstName": "first_name", "lastName": "last_name", "countryCode": "country"})
    user: dict[str, Any] = {"userIds": [{"idType": kind, "idValue": value} for kind, value in ids.items()]}
    # LinkedIn takes the names both or not at all, and nothing else without them.
    return user | ({"userInfo": person} if {"firstName", "lastName"} <= person.keys() else {})


def _verdict(each: Any) -> Outcome:
    status = dig(each, "status")
    if isinstance(status, int) and status >= 400:
        return Outcome.refused(text(dig(each, "error.message")) or f"status {status}")
    return Outcome.delivered()

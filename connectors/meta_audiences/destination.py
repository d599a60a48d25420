"""Meta Custom Audiences: people in and out of one audience, as hashes.

Source: developers.facebook.com/docs/marketing-api/reference/custom-audience/users; its error codes also as
rudderlabs/rudder-transformer (fb_custom_audience) has met them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    ApiKeyQuery,
    BadCredentials,
    Batch,
    Call,
    Field,
    Kind,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Text,
    TryLater,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

HASHED = {
    "EMAIL": "email",
    "PHONE": "phone_digits",
    "FN": "first_name",
    "LN": "last_name",
    "CT": "city",
    "ST": "region",
    "ZIP": "postal_code",
    "COUNTRY": "country",
}
IN_CLEAR = {"EXTERN_ID": "external_id"}
SCHEMA = (*HASHED, *IN_CLEAR)
THROTTLED, PASSING = {4, 17, 32, 613, 80003}, {1, 2}
BAD_AUDIENCE = {1713230, 471}
PERMANENT = {294, 1487301, 1487366, 2650, 2655}


class MetaAudiencesSettings(SettingsSchema):
    """The audience and a token that may change it."""

    audience_id = ads.id_setting(
        Text("Audience id", "Identifiant de l'audience"),
        Text("Ads Manager → Audiences → the audience.", "Gestionnaire de publicités → Audiences → l'audience."),
        "23851234567890123",
    )
    access_token = ads.token_setting(
        Text(
            "Of a system user with the permission ads_management.",
            "D'un utilisateur système qui a la permission ads_management.",
        )
    )
    api_version = ads.version_setting("v25.0", r"v[0-9]{1,3}\.[0-9]")


class MetaAudiences(AdPlatform):
    """Whoever reaches a stage joins; who has had all money back leaves, unless the mapping says otherwise."""

    slug = "meta_audiences"
    name = "Meta Custom Audiences"
    homepage = "https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users"
    Settings = MetaAudiencesSettings
    auth = ApiKeyQuery("access_token", "access_token")
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION, Kind.CONTACT})
    batch = Batch(max_records=10_000, whole_batch_fails=False)
    sends_tests = False
    fields = (
        *fields_for(ads.PERSON),
        Field("action", Text("Add or remove", "Ajouter (add) ou retirer (remove)")),
        Field("audience", Text("Another audience's id", "Identifiant d'une autre audience")),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(ads.PERSON) | {
        "action": {
            "if": {"path": "order.status", "op": "in", "value": ["refunded", "disputed"]},
            "then": {"value": "remove"},
            "else": {"value": "add"},
        }
    }

    def group(self, record: Record, settings: Mapping[str, Any]) -> str:
        """Those who join one audience go together, and those who leave it."""
        return f"{_method(record)} {_audience(record, settings)}"

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """One row of the upload, by column."""
        facts = ads.by_fact(record.values, ads.PERSON)
        row = ads.hashed(facts, HASHED) | ads.identifiers(facts, IN_CLEAR)
        if not {"FN", "LN"} <= row.keys():
            ads.need_one_of(row, ("EMAIL", "PHONE", "EXTERN_ID"), "email")
        return row

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """The rows as a table; a missing value is an empty text, never a hash of one."""
        rows = [[event.get(column, "") for column in SCHEMA] for event in events]
        url = f"https://graph.facebook.com/{settings['api_version']}/{_audience(first, settings)}/users"
        return Call(_method(first), url, form={"payload": json.dumps({"schema": SCHEMA, "data": rows})}, timeout=30.0)

    def judge(self, reply: Reply) -> Outcome | None:
        """By Meta's code: a 200 can count people it could not use, and a passing fault can come as a 400."""
        answer = reply.json()
        code, subcode = dig(answer, "error.code"), dig(answer, "error.error_subcode")
        said = f"code {code}, subcode {subcode}: {text(dig(answer, 'error.message')) or 'no words'}"[:500]
        if code == 190:
            raise BadCredentials("Meta no longer accepts the access token. Enter a new one.", detail=said)
        if code in THROTTLED:
            raise TryLater("Meta asks us to slow down.", whole_connection=True, detail=said)
        if code in PASSING or dig(answer, "error.is_transient") is True:
            raise TryLater("Meta has a passing fault. The hub tries again.", detail=said)
        if {code, subcode} & BAD_AUDIENCE:
            raise TryLater("Meta has blocked this audience or is changing it.", after=3600.0, detail=said)
        if {code, subcode} & PERMANENT:
            raise Refused("Meta refused this audience or what it was sent.", status=reply.status, detail=said)
        invalid = dig(answer, "num_invalid_entries")
        if reply.ok and isinstance(invalid, int) and invalid > 0:
            return Outcome.delivered(f"Meta could not use {invalid} of {dig(answer, 'num_received')} people.")
        return None

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Reads the audience's name, which changes nothing at Meta."""
        url = f"https://graph.facebook.com/{settings['api_version']}/{settings['audience_id']}"
        reply = yield Call.get(url, params={"fields": "name"})
        return f"Meta knows the audience “{text(dig(reply.json(), 'name')) or settings['audience_id']}”."


def _method(record: Record | None) -> str:
    return "DELETE" if record is not None and record.values.get("action") == "remove" else "POST"


def _audience(record: Record | None, settings: Mapping[str, Any]) -> str:
    other = text(record.values.get("audience")) if record is not None else None
    return other if other and other.isdecimal() else str(settings["audience_id"])

"""Klaviyo's system webhooks: who unsubscribed, and who called a mail spam.

Sources: developers.klaviyo.com/en/docs/system-webhooks (hex HMAC-SHA256 over the body and the timestamp; payloads as of Get
Event, so the person stands in another object), reference/get_profile. Names of topics depend on the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import ApiKeyHeader, Call, Inbound, Recipe, Secret, Secrets, SettingsSchema, Snippet, Status, Text
from hub.contract.conversion import iso
from hub.toolkit.dates import parse_time
from hub.toolkit.email_tools import OptOut, OptOuts
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_hmac, check_timestamp, make_hmac, require_header

SIGNATURE, TIMESTAMP = "Klaviyo-Signature", "Klaviyo-Timestamp"
PROFILE = "https://a.klaviyo.com/api/profiles/{id}"
REVISION = {"revision": "2026-07-15"}


class KlaviyoOptOutSettings(SettingsSchema):
    """What Klaviyo signs with, and a key to look people up."""

    secret = Secrets(
        Text("Webhook secret", "Secret du webhook"),
        help=Text("The one you chose when you created the webhook.", "Celui choisi à la création du webhook."),
    )
    api_key = Secret(
        Text("Private API key", "Clé API privée"),
        help=Text(
            "Klaviyo tells only a profile's id: with this key (read access to profiles) its e-mail is looked up.",
            "Klaviyo ne donne que l'identifiant du profil : cette clé (lecture des profils) sert à lire l'e-mail.",
        ),
        load_default="",
    )


class KlaviyoOptOuts(OptOuts):
    """Unsubscribes from e-mail marketing and spam complaints, signed."""

    slug = "klaviyo"
    name = "Klaviyo"
    status = Status.BETA
    homepage = "https://www.klaviyo.com"
    Settings = KlaviyoOptOutSettings
    auth = ApiKeyHeader("Authorization", prefix="Klaviyo-API-Key ")
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Klaviyo › Integrations › Developers › Webhooks", "Klaviyo › Integrations › Developers › Webhooks"
        ),
        events=("Unsubscribed from Email Marketing", "Marked Email as Spam"),
        note=Text("Klaviyo offers webhooks with Advanced KDP only.", "Klaviyo réserve les webhooks à Advanced KDP."),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        stamp = require_header(inbound.headers, TIMESTAMP)
        moment = parse_time(stamp)
        check_timestamp(moment.timestamp() if moment else stamp, inbound.received_at)
        signed = inbound.body + stamp.encode("utf-8", "replace")
        check_hmac(signed, [require_header(inbound.headers, SIGNATURE)], settings["secret"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        stamp = iso(at)
        return {TIMESTAMP: stamp, SIGNATURE: make_hmac(body + stamp.encode(), settings["secret"][0])}

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return any(_email(event) is None for event, _ in _refusals(inbound))

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """The e-mail of each profile that is only named by its id."""
        found: dict[str, Any] = {}
        for event, _ in _refusals(inbound):
            person = _person(event)
            if _email(event) is None and person not in found:
                reply = yield Call.get(PROFILE.format(id=person), headers=dict(REVISION))
                found[person] = text(dig(reply.json(), "data.attributes.email"))
        return found

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        for event, reason in _refusals(inbound):
            email = _email(event) or required_text({"profile": inbound.fetched.get(_person(event))}, "profile")
            times = dig(event, "payload.data.attributes.datetime"), dig(event, "payload.data.attributes.timestamp")
            yield OptOut(required_text(event, "external_id"), email, times, reason)


def _refusals(inbound: Inbound) -> Iterator[tuple[dict[str, Any], str]]:
    for event in inbound.json()["data"]:
        topic = required_text(event, "topic").lower()
        if "spam" in topic:
            yield event, "complained"
        elif "unsubscribed" in topic and "sms" not in topic and "push" not in topic:
            yield event, "unsubscribed"


def _email(event: dict[str, Any]) -> str | None:
    included = dig(event, "payload.included") or []
    found = [dig(each, "attributes.email") for each in included if dig(each, "type") == "profile"]
    return next((email for each in found if (email := text(each))), None)


def _person(event: dict[str, Any]) -> str:
    """The profile's id; Klaviyo's are letters and digits, which is made sure of, since it becomes part of an address."""
    person = required_text(event, "payload.data.relationships.profile.data.id")
    if not person.isalnum():
        raise ValueError(f"not a profile id: {person[:40]}")
    return person

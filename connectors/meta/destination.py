"""Meta (Facebook and Instagram) Conversions API.

Sources: developers.facebook.com/documentation/ads-commerce/conversions-api (using-the-api, parameters, fbp-and-fbc,
deduplication, support) and developers.facebook.com/docs/marketing-api/conversions-api/subscription-lifecycle-events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import validate

from connectors.meta.answer import raise_what_it_says
from connectors.meta.event import KEYS, build_event
from hub.contract import (
    ApiKeyQuery,
    Batch,
    Call,
    Choice,
    Field,
    Kind,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Text,
    Words,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.standard_fields import fields_for, mapping_for

GRAPH = "https://graph.facebook.com"
_MAY_NOT_READ = ("code 10,", "code 200,")
ACTION_SOURCES = {
    "system_generated": Text("Automatic (webhook)", "Automatique (webhook)"),
    "email": Text("E-mail", "E-mail"),
    "phone_call": Text("Phone call", "Appel téléphonique"),
    "chat": Text("Chat", "Messagerie instantanée"),
    "physical_store": Text("Store", "Magasin"),
    "other": Text("Other", "Autre"),
}


class MetaSettings(SettingsSchema):
    """The pixel (data set), its token, and what to send how."""

    pixel_id = Words(
        Text("Pixel id", "Identifiant du pixel"),
        help=Text("Events Manager → Data sources → Settings.", "Gestionnaire d'évènements → Sources → Paramètres."),
        placeholder="1234567890123456",
        required=True,
        validate=validate.Regexp(r"[0-9]{5,20}\Z", error="A pixel id is a number: copy it from the Events Manager."),
    )
    access_token = ads.token_setting(
        Text(
            "Events Manager → Settings → Conversions API → Generate access token.",
            "Gestionnaire d'évènements → Paramètres → API Conversions → Générer un token d'accès.",
        )
    )
    test_event_code = ads.code_for_tests(Text("", ""), "TEST12345")
    action_source = Choice(
        Text("Where sales without a tracked visit happen", "Où ont lieu les ventes sans visite suivie"),
        ACTION_SOURCES,
        help=Text("A tracked visit is always sent as “website”.", "Une visite suivie part toujours comme « website »."),
        load_default="system_generated",
    )
    lead_event_name = ads.lead_name_setting("Lead")
    limited_data_use = ads.limited_use_setting()
    api_version = ads.version_setting("v25.0", r"v[0-9]{1,3}\.[0-9]")


class Meta(AdPlatform):
    """Stages of the funnel, with value and hashed identifiers, up to 1,000 in a request.

    Refunds are not sent: Meta documents no event for them, and a negative Purchase is refused. A renewal is Meta's
    RecurringSubscriptionPayment, so that bidding does not take it for a new customer.
    """

    slug = "meta"
    name = "Meta (Facebook, Instagram)"
    homepage = "https://developers.facebook.com/documentation/ads-commerce/conversions-api"
    Settings = MetaSettings
    auth = ApiKeyQuery("access_token", "access_token")
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL})
    test_code = "test_event_code"
    batch = Batch(max_records=1000, whole_batch_fails=True)
    max_age = 7 * 24 * 3600
    fields = (
        *fields_for(KEYS),
        Field("action_source", Text("Where it happened", "Lieu de l'action"), group="visit"),
        ads.EVENT_ID,
    )
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for what would make Meta refuse it."""
        return build_event(record, settings)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """One request for all events, marked when they are tests."""
        marked = {"test_event_code": settings["test_event_code"]} if first is not None and first.test else {}
        return Call.post(f"{_pixel(settings)}/events", json={"data": events, **marked}, timeout=30.0)

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """Delivered; with a warning when Meta counted fewer, or has something to say."""
        return self.preset_outcomes(records, Outcome.delivered(_warning(reply, len(records))))

    def judge(self, reply: Reply) -> Outcome | None:
        """By Meta's error code: the HTTP status misleads (a dead token has come with 500, a passing fault with 400)."""
        raise_what_it_says(reply)
        return None

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Reads the pixel's name, which changes nothing at Meta."""
        try:
            reply = yield Call.get(_pixel(settings), params={"fields": "name"})
        except Refused as error:
            if error.detail.startswith(_MAY_NOT_READ):
                return "The token is alive but may not read the pixel; it may still send. Send a test to be sure."
            raise
        answer = reply.json()
        name = answer.get("name") if isinstance(answer, dict) else None
        return f"Meta knows the pixel “{name or settings['pixel_id']}”, and the token may read it."


def _pixel(settings: Mapping[str, Any]) -> str:
    return f"{GRAPH}/{settings['api_version']}/{settings['pixel_id']}"


def _warning(reply: Reply, sent: int) -> str:
    answer = reply.json()
    if not isinstance(answer, dict):
        return ""
    received = answer.get("events_received", sent)
    counted = "" if received == sent else f"Meta counted {received} of {sent} events."
    messages = answer.get("messages")
    return " ".join(filter(None, [counted, *map(str, messages if isinstance(messages, list) else [])]))[:500]

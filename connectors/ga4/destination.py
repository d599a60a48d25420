"""Google Analytics 4, Measurement Protocol for web streams.

Source: developers.google.com/analytics/devguides/collection/protocol/ga4:
reference, sending-events, validating-events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import validate

from connectors.ga4.event import NAME, build_message
from hub.contract import (
    ALL_STAGES,
    ApiKeyQuery,
    Call,
    Category,
    Choice,
    Destination,
    Field,
    Kind,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Result,
    Secret,
    SettingsSchema,
    Stage,
    Text,
    Words,
)
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = {
    "client_id": "ga_client_id",
    "session_id": "ga_session_id",
    "visitor": "cookie",
    "page_location": "page_url",
    "page_referrer": "referrer",
    "ad_user_data": "consent_ads",
    "ad_personalization": "consent_ads",
    "transaction_id": "sale_order_id",
    "value": "value",
    "currency": "currency",
    "coupon": "coupon",
    "items": "items",
    "user_id": "external_id",
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "city": "city",
    "region": "region",
    "postal_code": "postal_code",
    "country": "country",
}
HOSTS = {"global": "https://www.google-analytics.com", "eu": "https://region1.google-analytics.com"}


class Ga4Settings(SettingsSchema):
    """The web stream, its API secret, and where the data is taken in."""

    measurement_id = Words(
        Text("Measurement ID", "ID de mesure"),
        help=Text("Admin → Data streams → your web stream.", "Administration → Flux de données → votre flux Web."),
        placeholder="G-XXXXXXXXXX",
        required=True,
        validate=validate.Regexp(r"G-[A-Z0-9]{4,20}\Z", error="A measurement ID looks like G-XXXXXXXXXX."),
    )
    api_secret = Secret(
        Text("API secret", "Code secret de l'API"),
        help=Text(
            "The same page → Measurement Protocol API secrets → Create.",
            "Même page → Codes secrets de l'API Measurement Protocol → Créer.",
        ),
        required=True,
        validate=validate.Length(min=1, error="Paste the API secret."),
    )
    region = Choice(
        Text("Where Google takes the data in", "Où Google reçoit les données"),
        {"global": Text("Anywhere", "N'importe où"), "eu": Text("European Union", "Union européenne")},
        help=Text("The EU address keeps the first hop in the EU.", "L'adresse UE garde le premier relais dans l'UE."),
        load_default="global",
    )
    lead_event_name = Words(
        Text("Name for abandoned checkouts", "Nom pour les paniers abandonnés"),
        help=Text(
            "Used if you tick the stage Lead. Not generate_lead: to Google that is a form someone filled in.",
            "Sert si vous cochez l'étape Lead. Pas generate_lead : pour Google c'est un formulaire rempli.",
        ),
        load_default="CheckoutAbandoned",
        validate=validate.Regexp(NAME.pattern + r"\Z", error="Letters, digits and _, at most 40, none reserved."),
    )


class Ga4(Destination):
    """One event a request: a batch would have to be of one visitor, and Google confirms nothing either way.

    Tests are never sent, since the protocol cannot mark them. Google deduplicates purchases by transaction_id only.
    """

    slug = "ga4"
    name = "Google Analytics 4"
    category = Category.ANALYTICS
    homepage = "https://developers.google.com/analytics/devguides/collection/protocol/ga4"
    Settings = Ga4Settings
    auth = ApiKeyQuery("api_secret", "api_secret")
    purpose = "analytics"
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND})
    default_stages = ALL_STAGES - {Stage.LEAD}
    max_age = 72 * 3600
    sends_tests = False
    fields = (
        Field(
            "client_id",
            Text("Browser (_ga cookie)", "Navigateur (cookie _ga)"),
            group="visit",
            help=Text(
                "Without it the hub makes one id a person: the sale counts, its channel shows as direct.",
                "Sans lui le hub fait un identifiant par personne : la vente compte, son canal est « direct ».",
            ),
        ),
        *fields_for({key: fact for key, fact in KEYS.items() if key not in ("client_id", "user_id")}),
        Field(
            "user_id",
            Text("Your id of the person", "Votre identifiant de la personne"),
            group="person",
            help=Text(
                "Google takes the hashed identifiers only beside it.",
                "Google ne prend les identifiants hachés qu'avec lui.",
            ),
        ),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """Sends the event."""
        yield _call("/mp/collect", build_message(record, settings), settings)

    def judge(self, reply: Reply) -> Outcome | None:
        """Google answers 2xx whatever it is sent, so that no more than "accepted" is ever known."""
        return Outcome(Result.ACCEPTED_UNVERIFIED) if reply.ok else None

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Asks Google to validate an event without keeping it."""
        event = {"name": "page_view", "params": {"engagement_time_msec": 1}}
        body = {"client_id": "1.1", "validation_behavior": "ENFORCE_RECOMMENDATIONS", "events": [event]}
        reply = yield _call("/debug/mp/collect", body, settings)
        answer = reply.json()
        messages = answer.get("validationMessages") if isinstance(answer, dict) else None
        if messages:
            said = "; ".join(str(each.get("description")) for each in messages if isinstance(each, dict))
            raise Refused(f"Google Analytics does not take our test event: {said[:300]}")
        return (
            "Google understands our events. It never says whether the measurement ID and the secret are right: "
            "send a conversion, then look at Reports → Realtime."
        )


def _call(path: str, body: dict[str, Any], settings: Mapping[str, Any]) -> Call:
    return Call.post(HOSTS[settings["region"]] + path, json=body, params={"measurement_id": settings["measurement_id"]})

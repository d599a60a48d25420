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
    Result,
    Secret,
    SettingsSchema,
    Stage,
    Text,
    Words,
)

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
        Field("session_id", Text("Session (_ga_… cookie)", "Session (cookie _ga_…)"), group="visit"),
        Field("visitor", Text("Our visitor cookie", "Notre cookie visiteur"), group="visit"),
        Field("page_location", Text("Page", "Page"), group="visit", max_length=1000),
        Field("page_referrer", Text("Referrer", "Page précédente"), group="visit", max_length=420),
        Field("ad_user_data", Text("Consent: data for ads", "Consentement : données pour la publicité"), "boolean"),
        Field("ad_personalization", Text("Consent: ad personalization", "Consentement : pub personnalisée"), "boolean"),
        Field("transaction_id", Text("Order id", "Numéro de commande"), group="sale", max_length=100),
        Field("value", Text("Amount", "Montant"), "money", group="sale"),
        Field("currency", Text("Currency", "Devise"), group="sale"),
        Field("coupon", Text("Coupon", "Code promo"), group="sale", max_length=100),
        Field("items", Text("Order lines", "Lignes de commande"), "list", group="sale"),
        Field(
            "user_id",
            Text("Your id of the person", "Votre identifiant de la personne"),
            group="person",
            help=Text(
                "Google takes the hashed identifiers below only beside it.",
                "Google ne prend les identifiants hachés ci-dessous qu'avec lui.",
            ),
        ),
        Field("email", Text("E-mail (hashed)", "E-mail (haché)"), "email", group="person"),
        Field("phone", Text("Phone (hashed)", "Téléphone (haché)"), "phone", group="person"),
        Field("first_name", Text("First name (hashed)", "Prénom (haché)"), group="person"),
        Field("last_name", Text("Last name (hashed)", "Nom (haché)"), group="person"),
        Field("city", Text("City", "Ville"), group="person"),
        Field("region", Text("State or region", "État ou région"), group="person"),
        Field("postal_code", Text("Postal code", "Code postal"), group="person"),
        Field("country", Text("Country", "Pays"), group="person"),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "client_id": {"from": "context.click_ids.ga_client_id"},
        "session_id": {"from": "context.click_ids.ga_session_id"},
        "visitor": {"from": "context.cookie"},
        "page_location": {"from": "context.page_url"},
        "page_referrer": {"from": "context.referrer"},
        "ad_user_data": {"from": "consent.ads"},
        "ad_personalization": {"from": "consent.ads"},
        "transaction_id": {"from": "order_id"},
        "value": {"from": "value"},
        "currency": {"from": "currency"},
        "coupon": {"from": "coupon"},
        "items": {"from": "items"},
        "user_id": {"from": "contact.external_id"},
        "email": {"from": "contact.email"},
        "phone": {"from": "contact.phone"},
        "first_name": {"from": "contact.first_name"},
        "last_name": {"from": "contact.last_name"},
        "city": {"from": "contact.city"},
        "region": {"from": "contact.region"},
        "postal_code": {"from": "contact.postal_code"},
        "country": {"from": "contact.country"},
    }

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """Sends the event. Google answers 2xx whatever it holds, so that no more than "accepted" is ever known."""
        yield _call("/mp/collect", build_message(record, settings), settings)
        return Outcome(Result.ACCEPTED_UNVERIFIED, "accepted_unverified")

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

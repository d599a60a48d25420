"""Meta (Facebook and Instagram) Conversions API.

Sources: developers.facebook.com/documentation/ads-commerce/conversions-api (using-the-api, parameters, fbp-and-fbc,
deduplication, support) and developers.facebook.com/docs/marketing-api/conversions-api/subscription-lifecycle-events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import validate

from connectors.meta.answer import raise_what_it_says
from connectors.meta.event import build_event
from hub.contract import (
    ALL_STAGES,
    ApiKeyQuery,
    BadMapping,
    Batch,
    Call,
    Category,
    Choice,
    Destination,
    Field,
    Kind,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Refused,
    Reply,
    Result,
    Secret,
    SettingsSchema,
    Stage,
    Switch,
    Text,
    Words,
)

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
    access_token = Secret(
        Text("Access token", "Jeton d'accès"),
        help=Text(
            "Events Manager → Settings → Conversions API → Generate access token.",
            "Gestionnaire d'évènements → Paramètres → API Conversions → Générer un token d'accès.",
        ),
        required=True,
        validate=validate.Length(min=1, error="Paste the access token."),
    )
    test_event_code = Words(
        Text("Test event code", "Code d'évènement de test"),
        help=Text(
            "Carried by test conversions only; without it they are not sent.",
            "Porté par les seules conversions de test ; sans lui elles ne partent pas.",
        ),
        placeholder="TEST12345",
        load_default="",
    )
    action_source = Choice(
        Text("Where sales without a tracked visit happen", "Où ont lieu les ventes sans visite suivie"),
        ACTION_SOURCES,
        help=Text("A tracked visit is always sent as “website”.", "Une visite suivie part toujours comme « website »."),
        load_default="system_generated",
    )
    lead_event_name = Words(
        Text("Name for abandoned checkouts", "Nom pour les paniers abandonnés"),
        help=Text(
            "Used if you tick the stage Lead. Not “Lead”: to Meta that is a form someone filled in.",
            "Sert si vous cochez l'étape Lead. Pas « Lead » : pour Meta c'est un formulaire rempli.",
        ),
        load_default="CheckoutAbandoned",
        validate=validate.Length(1, 50),
    )
    limited_data_use = Switch(
        Text("Limited Data Use", "Utilisation limitée des données (LDU)"),
        help=Text("Meta locates the person and applies US state laws.", "Meta localise la personne (lois d'États US)."),
    )
    api_version = Words(
        Text("API version", "Version de l'API"),
        help=Text("Change it when Meta retires this one.", "À changer quand Meta retire celle-ci."),
        load_default="v25.0",
        validate=validate.Regexp(r"v[0-9]{1,3}\.[0-9]\Z", error="Write it like v25.0."),
    )


class Meta(Destination):
    """Stages of the funnel, with value and hashed identifiers, up to 1,000 in a request.

    Refunds are not sent: Meta documents no event for them, and a negative Purchase is refused. A renewal is Meta's
    RecurringSubscriptionPayment, so that bidding does not take it for a new customer.
    """

    slug = "meta"
    name = "Meta (Facebook, Instagram)"
    category = Category.ADS
    homepage = "https://developers.facebook.com/documentation/ads-commerce/conversions-api"
    Settings = MetaSettings
    auth = ApiKeyQuery("access_token", "access_token")
    purpose = "ads"
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL})
    default_stages = ALL_STAGES - {Stage.LEAD}
    batch = Batch(max_records=1000, whole_batch_fails=True)
    max_age = 7 * 24 * 3600
    fields = (
        Field("em", Text("E-mail", "E-mail"), "email", group="person"),
        Field("ph", Text("Phone", "Téléphone"), "phone", group="person"),
        Field("fn", Text("First name", "Prénom"), group="person"),
        Field("ln", Text("Last name", "Nom"), group="person"),
        Field("ct", Text("City", "Ville"), group="person"),
        Field("st", Text("State or region", "État ou région"), group="person"),
        Field("zp", Text("Postal code", "Code postal"), group="person"),
        Field("country", Text("Country", "Pays"), group="person"),
        Field("external_id", Text("Your id of the person", "Votre identifiant de la personne"), group="person"),
        Field("client_ip_address", Text("Visitor's IP address", "Adresse IP du visiteur"), group="visit"),
        Field("client_user_agent", Text("Visitor's browser", "Navigateur du visiteur"), group="visit"),
        Field("fbc", Text("Click cookie (_fbc)", "Cookie de clic (_fbc)"), group="visit"),
        Field("fbclid", Text("Click id (fbclid)", "Identifiant de clic (fbclid)"), group="visit"),
        Field("fbp", Text("Browser cookie (_fbp)", "Cookie de navigateur (_fbp)"), group="visit"),
        Field("event_source_url", Text("Page", "Page"), group="visit"),
        Field("referrer_url", Text("Referrer", "Page précédente"), group="visit"),
        Field("action_source", Text("Where it happened", "Lieu de l'action"), group="visit"),
        Field(
            "event_id",
            Text("Event id", "Identifiant de l'évènement"),
            group="sale",
            help=Text(
                "Leave empty, unless Meta's pixel reports the same sale: then map what the page sends as eventID.",
                "Laissez vide, sauf si le pixel de Meta déclare la même vente : mettez alors l'eventID de la page.",
            ),
        ),
        Field("value", Text("Amount", "Montant"), "money", group="sale"),
        Field("currency", Text("Currency", "Devise"), group="sale"),
        Field("order_id", Text("Order id", "Numéro de commande"), group="sale"),
        Field("subscription_id", Text("Subscription id", "Identifiant d'abonnement"), group="sale"),
        Field("content_name", Text("Name of the offer", "Nom de l'offre"), group="sale"),
        Field("items", Text("Order lines", "Lignes de commande"), "list", group="sale"),
    )
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "em": {"from": "contact.email"},
        "ph": {"from": "contact.phone"},
        "fn": {"from": "contact.first_name"},
        "ln": {"from": "contact.last_name"},
        "ct": {"from": "contact.city"},
        "st": {"from": "contact.region"},
        "zp": {"from": "contact.postal_code"},
        "country": {"from": "contact.country"},
        "external_id": {"from": "contact.external_id"},
        "client_ip_address": {"from": "context.ip"},
        "client_user_agent": {"from": "context.user_agent"},
        "fbc": {"from": "context.click_ids.fbc"},
        "fbclid": {"from": "context.click_ids.fbclid"},
        "fbp": {"from": "context.click_ids.fbp"},
        "event_source_url": {"from": "context.page_url"},
        "referrer_url": {"from": "context.referrer"},
        "value": {"from": "value"},
        "currency": {"from": "currency"},
        "order_id": {"from": "order_id"},
        "subscription_id": {"from": "subscription_id"},
        "content_name": {"first": [{"from": "items[0].name"}, {"from": "offer"}]},
        "items": {"from": "items"},
    }

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """One request for all; what Meta would refuse is taken out first, since one bad event fails the whole batch."""
        outcomes: Outcomes = {}
        events = []
        sent = []
        for each in record:
            if each.test and not settings["test_event_code"]:
                outcomes[each.id] = Outcome.skipped("test_not_sent", "Set a test event code to send tests to Meta.")
                continue
            try:
                events.append(build_event(each, settings))
                sent.append(each)
            except BadMapping as error:
                outcomes[each.id] = Outcome(Result.BAD_MAPPING, error.reason, error.message, field=error.field)
        if sent:
            body: dict[str, Any] = {"data": events}
            if sent[0].test:
                body["test_event_code"] = settings["test_event_code"]
            reply = yield Call.post(f"{_pixel(settings)}/events", json=body, timeout=30.0)
            outcomes |= self.preset_outcomes(sent, Outcome.delivered(_warning(reply, len(events))))
        return outcomes

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

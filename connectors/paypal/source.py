"""PayPal REST webhooks: set-up, verification and read-back (developer.paypal.com/api/rest/webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from connectors.paypal.events import READERS, read_event
from connectors.paypal.resources import agreement_of, has_email, order_to_read, payment_to_read
from connectors.paypal.verification import Transmission, ask_paypal, check_with_certificate
from hub.contract import (
    Call,
    Category,
    Choice,
    Conversion,
    Inbound,
    Kind,
    LongWords,
    NotVerified,
    Number,
    OAuth2ClientCredentials,
    Recipe,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Switch,
    Text,
    Words,
)

APIS = {"live": "https://api-m.paypal.com", "sandbox": "https://api-m.sandbox.paypal.com"}
SIMULATOR_ID = "WEBHOOK_ID"  # what PayPal's webhook simulator signs for, whoever the receiver is
FOUR_DAYS = 345_600  # PayPal tries again for three days, and does not say whether it signs anew
SALES = ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")


class PayPalSettings(SettingsSchema):
    webhook_id = Words(
        Text("Webhook ID", "Identifiant du webhook"),
        help=Text(
            "Shown beside the webhook in your app at developer.paypal.com. PayPal signs for this id; without it "
            "nothing can be verified.",
            "Affiché à côté du webhook de votre application sur developer.paypal.com. PayPal signe pour cet "
            "identifiant ; sans lui, rien ne peut être vérifié.",
        ),
        placeholder="0AB12345CD6789012",
        load_default="",
    )
    mode = Choice(
        Text("Live or sandbox", "Réel ou sandbox"),
        {"live": Text("Live", "Réel"), "sandbox": Text("Sandbox (tests)", "Sandbox (tests)")},
        help=Text(
            "Everything that comes from the sandbox is a test.",
            "Tout ce qui vient de la sandbox est un test.",
        ),
        load_default="live",
    )
    client_id = Words(
        Text("Client ID (optional)", "Client ID (facultatif)"),
        help=Text(
            "With the secret below, the buyer's e-mail is read back where PayPal leaves it out (captures, sales).",
            "Avec le secret ci-dessous, l'e-mail de l'acheteur est relu là où PayPal l'omet (captures, ventes).",
        ),
        load_default="",
    )
    client_secret = Secret(
        Text("Client secret (optional)", "Secret client (facultatif)"),
        help=Text(
            "Shown under the client ID in your app at developer.paypal.com.",
            "Affiché sous le client ID de votre application sur developer.paypal.com.",
        ),
        load_default="",
    )
    verify_with = Choice(
        Text("Verify with", "Vérifier avec"),
        {
            "certificate": Text("PayPal's certificate", "Le certificat de PayPal"),
            "postback": Text("A question to PayPal", "Une question à PayPal"),
        },
        help=Text(
            "The question needs the client ID and secret, and takes a moment for each message.",
            "La question demande le client ID et le secret, et prend un instant pour chaque message.",
        ),
        load_default="certificate",
    )
    tolerance = Number(
        Text("Oldest transmission accepted, in seconds", "Âge maximal de la transmission, en secondes"),
        help=Text("PayPal tries again for three days.", "PayPal réessaie pendant trois jours."),
        validate=validate.Range(300, 2_592_000),
        load_default=FOUR_DAYS,
    )
    accept_simulator = Switch(
        Text("Accept PayPal's webhook simulator", "Accepter le simulateur de webhooks de PayPal"),
        help=Text(
            "Anyone can make the simulator send to you. While this is on, everything received here is a test.",
            "N'importe qui peut déclencher le simulateur. Tant que c'est activé, tout ce qui arrive ici est un test.",
        ),
    )
    certificate_pem = LongWords(
        Text("Trusted certificate (PEM)", "Certificat de confiance (PEM)"),
        help=Text(
            "For tests and closed networks: trust exactly this certificate instead of fetching PayPal's.",
            "Pour les tests et les réseaux fermés : ne croire que ce certificat au lieu de chercher celui de PayPal.",
        ),
        load_default="",
    )


class PayPal(Source):
    """Orders, captures, sales, subscriptions, invoices, refunds and disputes of a PayPal app."""

    slug = "paypal"
    name = "PayPal"
    category = Category.PAYMENTS
    homepage = "https://www.paypal.com"
    Settings = PayPalSettings
    auth = OAuth2ClientCredentials(token_url="https://{host}/v1/oauth2/token")  # noqa: S106 - an address
    stages = frozenset({Stage.ADD_PAYMENT_INFO, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION, Kind.PENDING})
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "developer.paypal.com › Dashboard › Apps & Credentials › Live › your app › Webhooks › Add Webhook",
            "developer.paypal.com › Dashboard › Apps & Credentials › Live › votre application › Webhooks › Add Webhook",
        ),
        events=tuple(READERS),
        note=Text(
            "Only payments made through this app are reported. If IPN is on as well, the same sale comes twice under "
            "other ids: keep one.",
            "Seuls les paiements passés par cette application sont annoncés. Si l'IPN est aussi actif, la même vente "
            "arrive deux fois sous d'autres identifiants : n'en gardez qu'un.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """RSA-SHA256 over id, time, webhook id and the body's CRC-32: with the certificate, or by asking PayPal."""
        webhook_id = settings["webhook_id"]
        if not webhook_id and not settings["accept_simulator"]:
            raise NotVerified("No webhook id is set on this source. Paste it from PayPal.", reason="secret_not_set")
        transmission = Transmission.read(inbound.headers)
        transmission.check(inbound.received_at, settings["tolerance"])
        if settings["verify_with"] == "postback":
            if not _may_ask(settings):
                raise NotVerified("Asking PayPal needs the client ID and secret.", reason="secret_not_set")
            yield from ask_paypal(transmission, webhook_id, inbound.body, APIS[settings["mode"]])
            return
        ids = [name for name in (webhook_id, SIMULATOR_ID if settings["accept_simulator"] else "") if name]
        pinned, now = settings["certificate_pem"], inbound.received_at
        yield from check_with_certificate(transmission, ids, inbound.body, pinned, now)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        """Only with a key of our own, whose certificate this source trusts: PayPal's is PayPal's."""
        return Transmission.make(settings["webhook_id"], body, at, key) if key else None

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return _find_webhook(settings) if _may_ask(settings) and settings["webhook_id"] else None

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return _may_ask(settings) and _left_out(inbound.json()) is not None

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``resource``: the order, subscription or payment behind a sale that does not name its buyer."""
        path = _left_out(inbound.json())
        if path is None:
            return {}
        try:
            reply: Reply = yield Call.get(APIS[settings["mode"]] + path)
        except Refused:
            return {}
        found = reply.json() if reply.ok else None
        return {"resource": found} if isinstance(found, dict) else {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        if event["event_type"] not in READERS:
            return []
        conversion = read_event(event, inbound)
        if conversion is None:
            return []
        conversion.test |= settings["mode"] == "sandbox" or settings["accept_simulator"]
        return [conversion]


def _may_ask(settings: Mapping[str, Any]) -> bool:
    return bool(settings["client_id"] and settings["client_secret"])


def _left_out(event: Mapping[str, Any]) -> str | None:
    """The path to read back so that a sale gets its buyer."""
    resource = event.get("resource") or {}
    if event.get("event_type") not in SALES or has_email(resource):
        return None
    for base, found in (
        ("/v1/billing/subscriptions/", agreement_of(resource)),
        ("/v2/checkout/orders/", order_to_read(resource)),
        ("/v1/payments/payment/", payment_to_read(resource)),
    ):
        if found:
            return base + quote(found, safe="")
    return None


def _find_webhook(settings: Mapping[str, Any]) -> Recipe:
    yield Call.get(f"{APIS[settings['mode']]}/v1/notifications/webhooks/{quote(settings['webhook_id'], safe='')}")
    return "PayPal knows this webhook id."

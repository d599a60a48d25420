"""Stripe webhooks: set-up, signature and read-back (docs.stripe.com/webhooks, stripe/stripe-python _webhook.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from connectors.stripe.events import READERS, read_event
from hub.contract import (
    Bearer,
    Call,
    Category,
    Choice,
    Conversion,
    Inbound,
    Kind,
    NotUnderstood,
    Number,
    Recipe,
    Refused,
    Reply,
    Secret,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Text,
)
from hub.contract.paths import required_text
from hub.contract.signing import TOLERANCE, check_timed, require_header, sign_timed

API = "https://api.stripe.com/v1"
API_VERSION = {"Stripe-Version": "2025-03-31.basil"}  # pins the shape of what is read back
SIGNATURE = "Stripe-Signature"
SESSION_SALES = ("checkout.session.completed", "checkout.session.async_payment_succeeded")


class StripeSettings(SettingsSchema):
    secret = Secrets(
        Text("Signing secret", "Secret de signature"),
        help=Text(
            "Shown on the webhook's page at Stripe; begins with whsec_. One a line while you roll it.",
            "Affiché sur la page du webhook chez Stripe ; commence par whsec_. Un par ligne pendant un renouvellement.",
        ),
        placeholder="whsec_…",
    )
    purchase_events = Choice(
        Text("What counts as the purchase", "Ce qui compte comme l'achat"),
        {
            "checkout": Text("Checkout sessions and invoices", "Sessions Checkout et factures"),
            "payments": Text("Payment intents and charges", "Payment intents et charges"),
        },
        help=Text(
            "Choose payments only if neither Checkout, Payment Links nor Billing is used: otherwise the same sale "
            "would be told twice.",
            "Choisissez les paiements seulement sans Checkout, Payment Links ni Billing : sinon la même vente serait "
            "annoncée deux fois.",
        ),
        load_default="checkout",
    )
    mode = Choice(
        Text("Live or test", "Réel ou test"),
        {
            "both": Text("Both; test events are marked as tests", "Les deux ; les tests sont marqués comme tels"),
            "live": Text("Live events only", "Événements réels seulement"),
            "test": Text("Test events only", "Événements de test seulement"),
        },
        help=Text(
            "An event says itself whether it is live. Tests are never counted.",
            "Un événement dit lui-même s'il est réel. Les tests ne sont jamais comptés.",
        ),
        load_default="both",
    )
    tolerance = Number(
        Text("Oldest signature accepted, in seconds", "Âge maximal de la signature, en secondes"),
        help=Text(
            "Stripe signs each try anew, so five minutes are enough.",
            "Stripe signe chaque essai à nouveau : cinq minutes suffisent.",
        ),
        validate=validate.Range(30, 86_400),
        load_default=TOLERANCE,
    )
    api_key = Secret(
        Text("Restricted API key (optional)", "Clé API restreinte (facultative)"),
        help=Text(
            "With read access to Checkout Sessions and Invoices. Adds the products of a Checkout sale, and ties "
            "refunds to invoices on recent API versions.",
            "Avec accès en lecture à Checkout Sessions et Invoices. Ajoute les produits d'une vente Checkout et "
            "rattache les remboursements aux factures avec les versions récentes de l'API.",
        ),
        placeholder="rk_live_…",
        load_default="",
    )


class Stripe(Source):
    """Checkout, Billing, payments, refunds and disputes of a Stripe account."""

    slug = "stripe"
    name = "Stripe"
    category = Category.PAYMENTS
    homepage = "https://stripe.com"
    Settings = StripeSettings
    auth = Bearer("api_key")
    stages = frozenset({Stage.ADD_PAYMENT_INFO, Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.CONTACT}
    signs_time = True
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Stripe Dashboard › Developers › Webhooks › Add destination › Webhook endpoint",
            "Dashboard Stripe › Développeurs › Webhooks › Ajouter une destination › Endpoint de webhook",
        ),
        events=(
            "checkout.session.completed", "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed", "checkout.session.expired", "invoice.paid",
            "invoice.payment_failed", "payment_intent.payment_failed", "charge.refunded", "charge.dispute.created",
            "charge.dispute.closed", "customer.subscription.created", "customer.subscription.updated",
            "customer.subscription.deleted",
        ),
        placeholders={"orderId": "{CHECKOUT_SESSION_ID}"},
        note=Text(
            "Choose snapshot payloads, not thin ones. Tick charge.refunded or the refund.* events, not both.",
            "Choisissez les payloads complets (snapshot), pas les légers (thin). Cochez charge.refunded ou les "
            "événements refund.*, pas les deux.",
        ),
    )  # fmt: skip

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """One v1 signature of ``t.body`` under one live secret, ``whsec_`` included; v0 and others are ignored."""
        header = require_header(inbound.headers, SIGNATURE)
        check_timed(header, inbound.body, settings["secret"], inbound.received_at, settings["tolerance"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {SIGNATURE: sign_timed(body, settings["secret"][0], at)}

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return _try_key() if settings["api_key"] else None

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return bool(settings["api_key"]) and _left_out(inbound) is not None

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``line_items`` of a Checkout sale, or ``payments`` of an invoice; nothing when the key may not."""
        wanted = _left_out(inbound)
        if wanted is None:
            return {}
        name, call = wanted
        try:
            reply: Reply = yield call
        except Refused:
            return {}
        found = reply.json() if reply.ok else None
        return {name: found.get("data") or []} if isinstance(found, dict) else {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = _event(inbound)
        is_live: bool = event["livemode"]
        if event["type"] not in READERS or settings["mode"] not in ("both", "live" if is_live else "test"):
            return []
        return read_event(event, inbound, settings)


def _event(inbound: Inbound) -> dict[str, Any]:
    event: dict[str, Any] = inbound.json()
    if event["object"] == "v2.core.event":
        raise NotUnderstood(
            "This is a thin event: it names the object but does not carry it. At Stripe, choose snapshot payloads for "
            "this webhook."
        )
    if event["object"] != "event":
        raise NotUnderstood("This is not a Stripe event.")
    return event


def _left_out(inbound: Inbound) -> tuple[str, Call] | None:
    """What to read back for this message: its name and the call."""
    event = _event(inbound)
    thing = event["data"]["object"]
    if event["type"] in SESSION_SALES and thing.get("mode") != "setup":
        url = f"{API}/checkout/sessions/{quote(required_text(thing, 'id'), safe='')}/line_items"
        return "line_items", Call.get(url, params={"limit": "100"}, headers=dict(API_VERSION))
    if event["type"] == "invoice.paid" and not (thing.get("payment_intent") or thing.get("charge")):
        params = {"invoice": quote(required_text(thing, "id"), safe="")}
        return "payments", Call.get(f"{API}/invoice_payments", params=params, headers=dict(API_VERSION))
    return None


def _try_key() -> Recipe:
    yield Call.get(f"{API}/checkout/sessions", params={"limit": "1"}, headers=dict(API_VERSION))
    return "The key may read Checkout sessions."

"""Stripe webhooks: set-up, signature and read-back (docs.stripe.com/webhooks, stripe/stripe-python _webhook.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from connectors.stripe.events import READERS, read_event
from hub.contract import Bearer, Call, Conversion, Inbound, NotUnderstood, Recipe, Snippet
from hub.contract.settings import Choice, Number, Secret, Secrets, SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage
from hub.toolkit.bundled_files import read_words
from hub.toolkit.hmac_source import TimedHmacSource
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import required_text
from hub.toolkit.signing import TOLERANCE

API = "https://api.stripe.com/v1"
API_VERSION = {"Stripe-Version": "2025-03-31.basil"}  # pins the shape of what is read back
SESSION_SALES = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
WORDS = read_words(__name__)


class StripeSettings(SettingsSchema):
    secret = Secrets(**WORDS["secret"])
    purchase_events = Choice(**WORDS["purchase_events"], load_default="checkout")
    mode = Choice(**WORDS["mode"], load_default="both")
    tolerance = Number(**WORDS["tolerance"], validate=validate.Range(30, 86_400), load_default=TOLERANCE)
    api_key = Secret(**WORDS["api_key"], load_default="")


class Stripe(TimedHmacSource):
    """Checkout, Billing, payments, refunds and disputes of a Stripe account. The key of an HMAC is the whole ``whsec_…``."""

    slug = "stripe"
    name = "Stripe"
    category = Category.PAYMENTS
    homepage = "https://stripe.com"
    Settings = StripeSettings
    auth = Bearer("api_key")
    stages = frozenset({Stage.ADD_PAYMENT_INFO, Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
    kinds = frozenset(Kind) - {Kind.CONTACT}
    signature_header = "Stripe-Signature"
    snippet: ClassVar[Snippet] = Snippet(
        **WORDS["snippet"],
        events=(
            "checkout.session.completed",
            "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed",
            "checkout.session.expired",
            "invoice.paid",
            "invoice.payment_failed",
            "payment_intent.payment_failed",
            "charge.refunded",
            "charge.dispute.created",
            "charge.dispute.closed",
            "customer.subscription.created",
            "customer.subscription.updated",
            "customer.subscription.deleted",
        ),
        placeholders={"orderId": "{CHECKOUT_SESSION_ID}"},
    )

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        call = Call.get(f"{API}/checkout/sessions", params={"limit": "1"}, headers=dict(API_VERSION))
        return try_call(call, "The key may read Checkout sessions.") if settings["api_key"] else None

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return bool(settings["api_key"]) and _left_out(inbound) is not None

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``line_items`` of a Checkout sale, or ``payments`` of an invoice; nothing when the key may not."""
        wanted = _left_out(inbound)
        if wanted is None:
            return {}
        name, call = wanted
        found = yield from read_object(call, needed=True)
        return {name: found.get("data") or []}

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

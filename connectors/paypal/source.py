"""PayPal REST webhooks: set-up, verification and read-back (developer.paypal.com/api/rest/webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from connectors.paypal.events import READERS, read_event
from connectors.paypal.resources import PATHS, buyer_of, with_links
from connectors.paypal.verification import Transmission
from hub.contract import Call, Conversion, Inbound, NotVerified, OAuth2ClientCredentials, Recipe, Snippet, Source
from hub.contract.settings import Choice, LongWords, Mode, Number, Secret, SettingsSchema, Switch, Words
from hub.contract.vocabulary import Category, Kind, Stage
from hub.toolkit.bundled_files import read_words
from hub.toolkit.certified_headers import ask_sender
from hub.toolkit.conversion_facts import first_text
from hub.toolkit.paging import read_object, try_call

APIS = {"live": "https://api-m.paypal.com", "sandbox": "https://api-m.sandbox.paypal.com"}
SIMULATOR_ID = "WEBHOOK_ID"  # what PayPal's webhook simulator signs for, whoever the receiver is
FOUR_DAYS = 345_600  # PayPal tries again for three days, and does not say whether it signs anew
READ_BACK = {
    "/v1/billing/subscriptions/": "subscription",
    "/v2/checkout/orders/": "order",
    "/v1/payments/payment/": "payment",
}
SALES = ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")
WORDS = read_words(__name__)


class PayPalSettings(SettingsSchema):
    webhook_id = Words(**WORDS["webhook_id"], load_default="")
    mode = Mode()
    client_id = Words(**WORDS["client_id"], load_default="")
    client_secret = Secret(**WORDS["client_secret"], load_default="")
    verify_with = Choice(**WORDS["verify_with"], load_default="certificate")
    tolerance = Number(**WORDS["tolerance"], validate=validate.Range(300, 2_592_000), load_default=FOUR_DAYS)
    accept_simulator = Switch(**WORDS["accept_simulator"])
    certificate_pem = LongWords(**WORDS["certificate_pem"], load_default="")


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
    snippet: ClassVar[Snippet] = Snippet(**WORDS["snippet"], events=tuple(READERS))

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
            question = transmission.question(webhook_id, inbound.body, APIS[settings["mode"]])
            yield from ask_sender(question, "verification_status", "SUCCESS")
            return
        ids = [name for name in (webhook_id, SIMULATOR_ID if settings["accept_simulator"] else "") if name]
        pinned, now = settings["certificate_pem"], inbound.received_at
        yield from transmission.check_signature(ids, inbound.body, pinned, now)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        """Only with a key of our own, whose certificate this source trusts: PayPal's is PayPal's."""
        return Transmission.make(settings["webhook_id"], body, at, key) if key else None

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        if not (_may_ask(settings) and settings["webhook_id"]):
            return None
        number = quote(settings["webhook_id"], safe="")
        call = Call.get(f"{APIS[settings['mode']]}/v1/notifications/webhooks/{number}")
        return try_call(call, "PayPal knows this webhook id.")

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return _may_ask(settings) and _left_out(inbound.json()) is not None

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """``resource``: the order, subscription or payment behind a sale that does not name its buyer."""
        path = _left_out(inbound.json())
        found = (yield from read_object(Call.get(APIS[settings["mode"]] + path), needed=True)) if path else {}
        return {"resource": found} if found else {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        event = inbound.json()
        if event["event_type"] not in READERS:
            return []
        conversion = read_event(event, inbound)
        conversion.test |= settings["mode"] == "sandbox" or settings["accept_simulator"]
        return [conversion]


def _may_ask(settings: Mapping[str, Any]) -> bool:
    return bool(settings["client_id"] and settings["client_secret"])


def _left_out(event: Mapping[str, Any]) -> str | None:
    """The path to read back so that a sale gets its buyer."""
    resource = with_links(event.get("resource") or {})
    if event.get("event_type") not in SALES or buyer_of(resource).email:
        return None
    found = ((base, first_text(resource, *PATHS[name])) for base, name in READ_BACK.items())
    return next((base + quote(name, safe="") for base, name in found if name), None)

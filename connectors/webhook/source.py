"""Any sender of webhooks: a person says how it signs, and points at what stands where in a real message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from connectors.webhook.intake_settings import IntakeSettings
from connectors.webhook.paths import Message, records
from connectors.webhook.signatures import check_signature, make_signature
from hub.contract import (
    ALL_STAGES,
    Campaigns,
    Category,
    Contact,
    Conversion,
    Headers,
    Inbound,
    Item,
    Kind,
    NotUnderstood,
    Reply,
    Source,
    Stage,
)
from hub.contract.amounts import read_currency, read_money
from hub.contract.dates import first_time
from hub.contract.intake import clean_email, clean_order_id, read_consent, read_flag, read_touch
from hub.contract.money import from_minor
from hub.contract.vocabulary import stage_named

WITHOUT_STAGE = (Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION, Kind.PENDING, Kind.CONTACT)


class WebhookSource(Source):
    """JSON or form bodies of any shape."""

    slug = "webhook"
    name = "Webhook"
    category = Category.GENERIC
    homepage = "https://www.standardwebhooks.com"
    Settings = IntakeSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    identity_headers = ("webhook-id", "svix-id")
    signs_time = True

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """Probes without content (GET, HEAD), the CloudEvents handshake (OPTIONS), and Slack-like challenges."""
        if inbound.method in ("GET", "HEAD", "OPTIONS") and not inbound.query and not inbound.body:
            origin = inbound.headers.get("webhook-request-origin", "")
            allowed = {"WebHook-Allowed-Origin": origin} if re.fullmatch(r"[\w.:-]{1,255}", origin) else {}
            return Reply(200, Headers(allowed))
        if b"url_verification" not in inbound.body[:2000]:
            return None
        try:
            body = inbound.json()
        except NotUnderstood:
            return None
        challenge = body.get("challenge") if isinstance(body, dict) and body.get("type") == "url_verification" else None
        if not isinstance(challenge, str) or not re.fullmatch(r"[\w.-]{1,200}", challenge):
            return None
        return Reply(200, Headers({"Content-Type": "text/plain"}), challenge.encode())

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """By the scheme the person chose; over the body's bytes."""
        check_signature(inbound, settings)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        return make_signature(body, settings, at)

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        found = records(inbound)
        for index, record in enumerate(found):
            conversion = _read(Message(record, settings["paths"]), inbound, settings)
            if conversion is not None:
                conversion.event_id = _event_id(Message(record, settings["paths"]), inbound, index, len(found))
                yield conversion


def _read(message: Message, inbound: Inbound, settings: Mapping[str, Any]) -> Conversion | None:
    """None when the sender's own word for the event is not in the person's tables."""
    meaning = _meaning(message, settings)
    if meaning is None:
        return None
    kind, stage = meaning
    conversion = Conversion(event_id="", kind=kind, stage=stage)
    conversion.recurring = kind is Kind.RENEWAL
    _read_person(conversion, message)
    conversion.order_id = clean_order_id(message.text("order_id", 600))
    conversion.subscription_id = message.text("subscription_id") or None
    if kind in (Kind.REFUND, Kind.DISPUTE):
        conversion.money_id = message.text("refund_id") or None
    _refuse_nobody(conversion, message)
    conversion.value, conversion.currency = _money(message, settings, kind)
    conversion.occurred_at, flags = first_time(message.get("time"), fallback=inbound.received_at)
    conversion.flags += flags
    conversion.items = _items(message)
    conversion.campaigns = Campaigns(ids=message.texts("webinar_ids"), tags=message.texts("tags"))
    conversion.coupon = message.text("coupon") or None
    conversion.consent = read_consent(message.get("consent"))
    conversion.context.utm, conversion.context.click_ids = read_touch(message.touches())
    conversion.reason = message.text("reason", 2000) or None
    conversion.test = read_flag(message.get("test"))
    conversion.extra = message.extra()
    return conversion


def _meaning(message: Message, settings: Mapping[str, Any]) -> tuple[Kind, Stage | None] | None:
    """Kind and stage by the person's tables, else by the hub's own words; the default stage where nothing is said."""
    words = [message.text(name) for name in ("stage", "kind") if message.configured(name)]
    stage_word, kind_word = message.text("stage"), message.text("kind")
    named_stage, named_kind = settings["stage_values"].get(stage_word), settings["kind_values"].get(kind_word)
    stage = Stage(named_stage) if named_stage else stage_named(stage_word)
    kind = Kind(named_kind) if named_kind else Kind(kind_word) if kind_word in set(Kind) else None
    if any(words) and stage is None and kind is None:
        return None
    kind = kind or Kind.CONVERSION
    if kind in WITHOUT_STAGE:
        return kind, None
    return kind, Stage.PURCHASE if kind is Kind.RENEWAL else stage or Stage(settings["stage"])


def _read_person(conversion: Conversion, message: Message) -> None:
    email, problem = clean_email(message.text("email", 2000))
    if problem:
        conversion.flags.append("email_not_readable")
    conversion.contact = Contact(
        email=email,
        phone=message.text("phone", 60) or None,
        first_name=message.text("first_name") or None,
        last_name=message.text("last_name") or None,
        external_id=message.text("external_id", 255) or None,
    )


def _refuse_nobody(conversion: Conversion, message: Message) -> None:
    if conversion.order_id or conversion.contact.email or conversion.contact.external_id:
        return
    problem = clean_email(message.text("email", 2000))[1]
    raise NotUnderstood(
        f"The e-mail cannot be used: {problem}. There is no order id or customer id either."
        if problem
        else "The message names nobody. Point at the e-mail, the order id or the customer id in a real message.",
        reason="no_usable_identity",
    )


def _money(message: Message, settings: Mapping[str, Any], kind: Kind) -> tuple[Decimal | None, str | None]:
    amount, currency = message.get("amount"), message.text("currency") or None
    if isinstance(amount, list):
        amount = amount[0] if len(amount) == 1 else "several amounts"
    if kind in (Kind.REFUND, Kind.DISPUTE):  # senders disagree on the sign of money going back
        amount = amount.strip().lstrip("-−") if isinstance(amount, str) else amount
        amount = abs(amount) if isinstance(amount, int | Decimal) and not isinstance(amount, bool) else amount
    if settings["amount_in"] == "major" or amount is None:
        return read_money(amount, currency, settings["currency"])
    codes = read_currency(currency or settings["currency"]) or frozenset()
    code = settings["currency"] if settings["currency"] in codes else next(iter(codes)) if len(codes) == 1 else None
    try:
        units = from_minor(amount, code)
    except ValueError:
        raise NotUnderstood(
            f"The amount {str(amount)[:40]} is not a whole number of cents, as this source is set to expect.",
            reason="amount_not_readable",
        ) from None
    return read_money(units, currency, settings["currency"])


def _items(message: Message) -> list[Item]:
    """One item for each product id or name; the two lists go together by position."""
    ids, names = message.texts("product_id"), message.texts("product_name")
    if not isinstance(message.get("product_name"), list):
        names = [text] if (text := message.text("product_name")) else []  # a name may hold commas
    return [
        Item(product_id=ids[place] if place < len(ids) else None, name=names[place] if place < len(names) else None)
        for place in range(max(len(ids), len(names)))
    ]


def _event_id(message: Message, inbound: Inbound, index: int, count: int) -> str:
    """The sender's own id, else the delivery's, else a digest of the body: the same for a resend."""
    own = message.text("event_id")
    if own:
        return own
    sent = inbound.headers.get("webhook-id") or inbound.headers.get("svix-id")
    whole = sent or f"body-{sha256(inbound.body).hexdigest()[:32]}"
    return f"{whole}-{index}" if count > 1 else whole

"""systeme.io webhooks (Settings › Webhooks), read after captured messages: the vendor documents the screen only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Inbound,
    Item,
    Kind,
    Secrets,
    SettingsSchema,
    Snippet,
    Source,
    Stage,
    Status,
    Text,
    Unsigned,
)
from hub.contract.money import from_minor
from hub.toolkit.conversion_facts import minor_money, read_person
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import CONTACT, PENDING, PURCHASE, REFUND, REGISTRATION, Meaning
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.signing import check_hmac, make_hmac, require_header

SIGNATURE, EVENT, MESSAGE = "X-Webhook-Signature", "X-Webhook-Event", "X-Webhook-Message-Id"
Json = Mapping[str, Any]
EVENTS: dict[str, Meaning] = {  # of the webhooks page; below: of automation rules, whose body names the event
    "SALE_NEW": PURCHASE,
    "SALE_CANCELED": REFUND,
    "CONTACT_OPT_IN": REGISTRATION,
    "CONTACT_CREATED": CONTACT,
    "CONTACT_TAG_ADDED": CONTACT,
    "contact.course.enrolled": REGISTRATION,
}
PERSON = {
    "email": "email",
    "external_id": ("contactId", "id"),
    "first_name": "fields.first_name",
    "last_name": ("fields.surname", "fields.last_name"),
    "phone": "fields.phone_number",
    "city": "fields.city",
    "region": "fields.state",
    "postal_code": "fields.postcode",
    "country": "fields.country",
}


class SystemeSettings(SettingsSchema):
    secret = Secrets(
        Text("Secret", "Secret"),
        help=Text(
            "The one you enter with the webhook. Leave it empty only for automation rules: those are not signed.",
            "Celui que vous saisissez avec le webhook. Vide seulement pour les règles d'automatisation : elles ne sont "
            "pas signées.",
        ),
    )


class Systeme(Source):
    """Sales, cancellations, opt-ins and course enrollments of a systeme.io account."""

    slug = "systemeio"
    name = "systeme.io"
    category = Category.COURSES
    status = Status.BETA
    homepage = "https://systeme.io"
    Settings = SystemeSettings
    stages = frozenset({Stage.PURCHASE, Stage.COMPLETE_REGISTRATION})
    kinds = frozenset({Kind.CONVERSION, Kind.PENDING, Kind.REFUND, Kind.CANCELLATION, Kind.CONTACT})
    identity_headers = (EVENT, MESSAGE)
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "systeme.io › your picture › Settings › Webhooks › Create",
            "systeme.io › votre photo › Paramètres › Webhooks › Créer",
        ),
        events=("New sale", "Sale canceled", "Opt-in", "Contact created", "Tag added"),
    )

    def verify(self, inbound: Inbound, settings: Json) -> None:
        """Hex HMAC-SHA256 of the raw body. The time stands in a header that is not signed."""
        if not settings["secret"] and SIGNATURE not in inbound.headers:
            raise Unsigned
        check_hmac(inbound.body, [require_header(inbound.headers, SIGNATURE)], settings["secret"])

    def rehearse(self, body: bytes, settings: Json, at: datetime, key: bytes) -> dict[str, str]:
        return {SIGNATURE: make_hmac(body, settings["secret"][0])}

    def normalize(self, inbound: Inbound, settings: Json) -> Iterable[Conversion]:
        message = inbound.json()
        name = inbound.headers.get(EVENT) or required_text(message, "type")
        meaning = EVENTS.get(name)
        if meaning is None:
            return []
        thing = message if EVENT in inbound.headers else message["data"]
        person = thing.get("customer") or thing.get("contact") or thing
        conversion = Conversion("", **meaning, contact=read_person(_with_plain_fields(person), PERSON))
        if name.startswith("SALE_"):
            _read_sale(conversion, thing)
        told = text(message.get("created_at")), text(dig(thing, "course.id"))
        parts = name, conversion.order_id or required_text(person, "id"), *told
        conversion.event_id = inbound.headers.get(MESSAGE) or ":".join(part for part in parts if part)
        ordered_at = dig(thing, "order.createdAt") if name == "SALE_NEW" else None
        times = ordered_at, inbound.headers.get("X-Webhook-Event-Timestamp"), message.get("created_at")
        conversion.occurred_at, date_flags = first_time(*times, fallback=inbound.received_at)
        conversion.flags += date_flags
        conversion.context.ip = text(person.get("clientIp"))
        conversion.context.page_url = text(person.get("sourceUrl"))
        if course := thing.get("course"):
            conversion.items = [Item(product_id=text(course.get("id")), name=text(course.get("name")))]
        tag = text(dig(thing, "tag.name"))
        conversion.campaigns.tags = [tag] if tag else []
        return [conversion]


def _with_plain_fields(person: Json) -> Json:
    """The fields of a contact are an object in sales, and may be a list of slug and value elsewhere (unconfirmed)."""
    fields = person.get("fields")
    if isinstance(fields, list):
        fields = {text(each.get("slug")): each.get("value") for each in fields}
    return {**person, "fields": fields}


def _read_sale(conversion: Conversion, thing: Json) -> None:
    order, plan = thing["order"], thing["pricePlan"]
    conversion.order_id = required_text(order, "id")
    conversion.coupon = text(dig(thing, "coupon.code")) or text(thing.get("coupon"))
    conversion.offer = text(dig(thing, "funnelStep.funnel.name"))
    conversion.recurring = plan.get("type") != "one_shot"
    price = from_minor(plan.get("amount"), plan["currency"].upper())
    conversion.items = [Item(product_id=text(plan.get("id")), name=text(plan.get("name")), price=price)]
    if conversion.kind is Kind.REFUND and conversion.recurring:
        conversion.kind = Kind.CANCELLATION  # systeme.io has one event for a refund and for the end of a subscription
        return
    money = minor_money(order["totalPrice"], plan["currency"])
    conversion.value, conversion.currency = money["value"], money["currency"]
    if conversion.kind is Kind.REFUND:
        conversion.money_id = conversion.order_id
        conversion.flags.append("refund_amount_assumed_whole")
    elif dig(thing, "customer.paymentProcessor") == "cash on delivery":
        conversion.kind, conversion.stage = PENDING["kind"], None

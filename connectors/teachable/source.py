"""Teachable webhooks (docs.teachable.com/docs/available-events; the layout of the body after third parties)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import (
    Category,
    Conversion,
    Currency,
    Inbound,
    Item,
    Kind,
    SettingsSchema,
    Snippet,
    Stage,
    Status,
    Text,
)
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import first_text, minor_money, read_person, sale_names
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import ABANDONED, CANCELLATION, MAYBE_RENEWAL, PURCHASE, REFUND, REGISTRATION, Meaning
from hub.toolkit.field_picker import records
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.unsigned_source import UnsignedSender

Json = Mapping[str, Any]
EVENTS: dict[str, Meaning] = {
    "Transaction.created": PURCHASE,
    "Transaction.refunded": REFUND,
    "Sale.created": REGISTRATION,  # only the free ones: what is paid comes as a transaction too
    "Sale.subscription_canceled": CANCELLATION,
    "AbandonedOrder.created": ABANDONED,
    "AbandonedCart.created": ABANDONED,
    "Enrollment.created": REGISTRATION,
    "User.created": REGISTRATION,
    "EmailLead.created": REGISTRATION,
}
PERSON = {"email": ("user.email", "email"), "name": ("user.name", "name"), "external_id": ("user.id", "user_id")}
PRODUCT = ("sale.product", "product", "course")
TIMES = ("purchased_at", "created_at", "enrolled_at")


class TeachableSettings(SettingsSchema):
    currency = Currency(
        Text("Currency of your school", "Devise de votre école"),
        help=Text("Where an event names none.", "Quand un événement n'en indique pas."),
        placeholder="USD",
        load_default="",
    )


class Teachable(UnsignedSender):
    """Charges, refunds, abandoned orders, enrollments and sign-ups of a Teachable school."""

    slug = "teachable"
    name = "Teachable"
    category = Category.COURSES
    status = Status.BETA
    homepage = "https://teachable.com"
    Settings = TeachableSettings
    stages = frozenset({Stage.PURCHASE, Stage.LEAD, Stage.COMPLETE_REGISTRATION})
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.CANCELLATION})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Teachable › Settings › Webhooks › New webhook", "Teachable › Settings › Webhooks › New webhook"
        ),
        events=tuple(EVENTS),
        note=Text(
            "Teachable's checkout takes no code of yours: there is no place for the pixel.",
            "La page de paiement de Teachable n'accepte pas de code : il n'y a pas de place pour le pixel.",
        ),
    )

    def normalize(self, inbound: Inbound, settings: Json) -> Iterable[Conversion]:
        found = (_read(event, inbound, settings["currency"]) for event in records(inbound))
        return [conversion for conversion in found if conversion is not None]


def _read(event: Json, inbound: Inbound, currency: str) -> Conversion | None:
    name, thing = event["type"], event["object"]
    meaning = EVENTS.get(name)
    if meaning is None or (name == "Sale.created" and not _is_free(thing)):
        return None
    event_id = text(event.get("hook_event_id")) or required_text(event, "id")
    conversion = Conversion(event_id, **meaning, contact=read_person(thing, PERSON))
    times = [] if meaning is REFUND else [thing.get(key) for key in TIMES]
    times.append(event.get("created"))
    conversion.occurred_at, conversion.flags = first_time(*times, fallback=inbound.received_at)
    product = next((found for path in PRODUCT if isinstance(found := dig(thing, path), dict)), {})
    if product:
        conversion.items = [Item(product_id=text(product.get("id")), name=text(product.get("name")))]
    if name.startswith("Transaction."):
        _read_charge(conversion, thing, product, currency)
    elif meaning is ABANDONED and product.get("price") is not None:
        _take_money(conversion, product["price"], thing.get("currency") or currency)
    elif meaning is CANCELLATION:
        conversion.subscription_id = required_text(thing, "id")
    conversion.coupon = first_text(thing, "coupon.code", "sale.coupon.code")
    return conversion


def _read_charge(conversion: Conversion, transaction: Json, product: Json, currency: str) -> None:
    others = transaction.get("stripe_charge_token"), transaction.get("paypal_payment_id")  # known to them by these
    names = sale_names(required_text(transaction, "id"), *others)
    conversion.order_id, conversion.order_aliases = names["order_id"], names["order_aliases"]
    amount = transaction["final_price"]
    if conversion.kind is Kind.REFUND:
        conversion.money_id = conversion.order_id
        refunded = first_text(transaction, "refunded_amount", "amount_refunded")
        conversion.flags += [] if refunded else ["refund_amount_assumed_whole"]
        amount = refunded or amount
    _take_money(conversion, amount, transaction.get("currency") or currency)
    if product.get("is_recurring") is True:
        conversion.recurring, conversion.subscription_id = True, text(dig(transaction, "sale.id"))
        conversion.flags += [MAYBE_RENEWAL] if conversion.kind is Kind.CONVERSION else []


def _take_money(conversion: Conversion, cents: Any, currency: Any) -> None:
    money = minor_money(cents, currency)
    conversion.value, conversion.currency = money["value"], money["currency"]


def _is_free(sale: Json) -> bool:
    price = first_text(sale, "final_price", "price", "product.price")
    return price is not None and decimal(price) == 0

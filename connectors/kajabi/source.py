"""Kajabi's outbound webhooks (developers.kajabi.com: hooks and their samples). The body is a list of JSON:API resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hub.contract import Category, Choice, Conversion, Inbound, Item, Kind, SettingsSchema, Snippet, Stage, Status, Text
from hub.toolkit.conversion_facts import minor_money, read_person
from hub.toolkit.dates import first_time
from hub.toolkit.event_meanings import CONTACT, MAYBE_RENEWAL, PURCHASE, REGISTRATION, Meaning
from hub.toolkit.paths import dig, required_text, text
from hub.toolkit.unsigned_source import UnsignedSender

Json = Mapping[str, Any]
SALES = {  # event: its resource, and that one's keys for amount and currency
    "purchase": ("purchases", "amount_in_cents", "currency"),
    "payment_succeeded": ("transactions", "amount_in_cents", "currency"),
    "order_created": ("orders", "total_price_in_cents", "currency_code"),
}
PEOPLE: dict[str, tuple[str, Meaning]] = {
    "form_submission": ("form_submissions", REGISTRATION),
    "tag_added": ("contacts", CONTACT),
}
PERSON = {
    "email": "email",
    "name": "name",
    "phone": ("phone_number", "mobile_phone_number"),
    "city": "address_city",
    "region": "address_state",
    "postal_code": ("address_zip", "billing_address_zip"),
    "country": "address_country",
}


class KajabiSettings(SettingsSchema):
    purchase_event = Choice(
        Text("What counts as the sale", "Ce qui compte comme la vente"),
        {
            "purchase": Text("purchase: the first sale only", "purchase : la première vente seulement"),
            "payment_succeeded": Text("payment_succeeded: every charge", "payment_succeeded : chaque débit"),
            "order_created": Text("order_created", "order_created"),
        },
        help=Text(
            "All three may tell of one sale under different ids, so only one counts. For subscriptions choose "
            "payment_succeeded: it brings the renewals.",
            "Les trois peuvent annoncer une même vente sous d'autres numéros : un seul compte. Pour des abonnements, "
            "choisissez payment_succeeded : il apporte les renouvellements.",
        ),
        load_default="purchase",
    )


class Kajabi(UnsignedSender):
    """Sales, form submissions and tags of a Kajabi site."""

    slug = "kajabi"
    name = "Kajabi"
    category = Category.COURSES
    status = Status.BETA
    homepage = "https://kajabi.com"
    Settings = KajabiSettings
    stages = frozenset({Stage.PURCHASE, Stage.COMPLETE_REGISTRATION})
    kinds = frozenset({Kind.CONVERSION, Kind.CONTACT})
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Kajabi › Settings › Public API, then POST /v1/hooks (higher plans); simpler hooks: an offer › Webhooks",
            "Kajabi › Settings › Public API, puis POST /v1/hooks (offres supérieures) ; plus simple : une offre › Webhooks",
        ),
        events=(*SALES, *PEOPLE),
    )

    def normalize(self, inbound: Inbound, settings: Json) -> Iterable[Conversion]:
        event = inbound.json()
        name, found = event["event"], _by_type(event["payload"])
        if name in PEOPLE:
            return [_about(event, found, *PEOPLE[name], inbound)]
        if name != settings["purchase_event"] or not _is_charge(name, found):
            return []
        kind, amount, currency = SALES[name]
        conversion = _about(event, found, kind, PURCHASE, inbound)
        sale = found[kind]["attributes"]
        money = minor_money(sale[amount], sale[currency])
        conversion.value, conversion.currency = money["value"], money["currency"]
        conversion.order_id = required_text(found[kind], "id")
        _read_offer(conversion, found, sale)
        return [conversion]


def _by_type(resources: list[Json]) -> dict[str, Json]:
    """The first resource of each type: their places in the list mean nothing."""
    found: dict[str, Json] = {}
    for resource in resources:
        found.setdefault(resource["type"], resource)
    return found


def _is_charge(name: str, found: Mapping[str, Json]) -> bool:
    if name != "payment_succeeded":
        return True
    facts = found["transactions"]["attributes"]
    return bool(facts["action"] == "charge" and facts["state"] == "succeeded")


def _about(event: Json, found: Mapping[str, Json], kind: str, meaning: Meaning, inbound: Inbound) -> Conversion:
    thing, tag = found[kind], text(dig(found, "contact_tags.attributes.name"))
    # The envelope's id may be the hook's (unconfirmed): with the resource's own it names the event either way.
    parts = required_text(event, "id"), required_text(event, "event"), required_text(thing, "id"), tag
    conversion = Conversion(":".join(part for part in parts if part), **meaning)
    holder = found.get("customers") or thing
    conversion.contact = read_person(holder["attributes"], PERSON)
    conversion.contact.external_id = text(dig(found, "customers.id"))
    facts = thing["attributes"]
    when = None if meaning is CONTACT else facts.get("created_at")
    conversion.occurred_at, conversion.flags = first_time(when, fallback=inbound.received_at)
    conversion.consent.email = True if facts.get("opt_in") is True else None
    conversion.campaigns.tags = [tag] if tag else []
    conversion.offer = text(dig(found, "forms.attributes.title"))
    return conversion


def _read_offer(conversion: Conversion, found: Mapping[str, Json], sale: Json) -> None:
    offer, line = found.get("offers") or {}, found.get("order_items") or {}
    facts = offer.get("attributes") or {}
    title = text(facts.get("title")) or text(dig(line, "attributes.title"))
    product = text(offer.get("id")) or text(dig(line, "attributes.item_id"))
    conversion.items = [Item(product_id=product, name=title, price=conversion.value)] if product or title else []
    conversion.offer, conversion.coupon = title, text(sale.get("coupon_code"))
    conversion.context.referrer = text(sale.get("referrer"))
    if source := text(sale.get("source")):
        conversion.extra["source"] = source
    if facts.get("subscription") is True or facts.get("recurring_offer") is True:
        customer = required_text(found["customers"], "id")
        conversion.recurring, conversion.subscription_id = True, f"{customer}/{product}"
        conversion.flags.append(MAYBE_RENEWAL)

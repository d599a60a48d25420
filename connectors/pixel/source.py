"""The conversion pixel: one hit is one image load on a thank-you page, or one plain GET of a backend.

The fields are those of the pixel described in docs/requirements (R1 to R29); anything else in the query is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.pixel.query import KNOWN
from connectors.pixel.settings import PixelSettings
from connectors.pixel.snippets import SnippetForm, build_snippets
from hub.contract.connector import Paste, Source, Unsigned
from hub.contract.conversion import Campaigns, Contact, Conversion, Item
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound
from hub.contract.vocabulary import Category, Kind, Stage, stage_named
from hub.toolkit.amounts import read_money
from hub.toolkit.cleaning import clean_email, clean_order_id, read_consent, read_flag
from hub.toolkit.query_strings import PLACEHOLDER, Fields, check_signed, is_signed, raw_text, read_fields, read_moment
from hub.toolkit.visits import (
    cookie_allowed,
    name_of_load,
    new_visitor,
    refuse_amount_outside,
    refuse_bots,
    refuse_other_pages,
    surroundings,
    visitor,
)


class Pixel(Source):
    """A 1×1 image on the page that follows a payment."""

    slug = "pixel"
    name = "Conversion pixel"
    category = Category.PAGE
    Settings = PixelSettings
    SnippetChoices = SnippetForm
    stages = frozenset(Stage)
    kinds = frozenset({Kind.CONVERSION})
    door = "pixel"
    resend_is_news = True

    def snippets(self, address: str, choices: Mapping[str, Any]) -> list[Paste]:
        return build_snippets(address, choices)

    def may_set_cookie(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        """Only after the visitor agreed (R65), unless the owner answers for it; never to a bot."""
        return cookie_allowed(inbound, settings["cookie"])

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """A page's hit is public. A backend may end its query with ``&ts=<Unix time>…&sig=<hex HMAC-SHA256>``."""
        text = raw_text(inbound)
        if not is_signed(text, settings["secret"]):
            raise Unsigned
        check_signed(text, settings["secret"], inbound.received_at)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        text = raw_text(inbound)
        fields, signed = read_fields(text, KNOWN), is_signed(text, settings["secret"])
        if not signed:
            refuse_bots(inbound)
            refuse_other_pages(inbound, settings["allowed_pages"])
        conversion = Conversion(f"pixel-{name_of_load(inbound, fields)}", stage=_stage(fields, settings["stage"]))
        if fields.placeholders:
            conversion.flags.append(PLACEHOLDER)
        conversion.test = read_flag(fields.one("test"))
        conversion.consent = read_consent(fields.one("consent"))
        conversion.context = surroundings(inbound, fields, signed=signed)
        known = None
        if settings["cookie"] != "never" and conversion.consent.analytics is not False:
            known = visitor(inbound)
            conversion.context.cookie = known or new_visitor(inbound)
        email_problem = _read_person(conversion, fields)
        conversion.order_id = _order_id(conversion, fields)
        _refuse_nobody(conversion, fields, email_problem, known)
        _read_money(conversion, fields, settings)
        _read_goods(conversion, fields)
        conversion.occurred_at, flags = read_moment(fields.one("time"), inbound.received_at)
        conversion.flags += flags
        return [conversion]


def _stage(fields: Fields, default: str) -> Stage:
    given = fields.one("stage")
    stage = stage_named(given)
    if given and stage is None:
        raise NotUnderstood(
            f"The pixel's stage “{given[:40]}” is none of: {', '.join(Stage)}.", reason="event_not_used"
        )
    return stage or Stage(default)


def _read_person(conversion: Conversion, fields: Fields) -> str | None:
    """Fills in the contact; returns what is wrong with the e-mail, if anything."""
    read = [clean_email(text, plus_became_space=True) for text in fields.all("email")]
    addresses = {address for address, _ in read if address}
    problem = next((said for _, said in read if said), None)
    if len(addresses) > 1:
        problem = "two different addresses were sent"
    conversion.contact = Contact(
        email=addresses.pop() if len(addresses) == 1 else None,
        phone=fields.one("phone")[:60] or None,
        first_name=fields.one("firstName")[:200] or None,
        last_name=fields.one("lastName")[:200] or None,
        external_id=fields.one("externalId")[:255] or None,
    )
    if problem:
        conversion.flags.append("email_not_readable")
    return problem


def _order_id(conversion: Conversion, fields: Fields) -> str | None:
    given = fields.all("orderId")
    order_id = clean_order_id(given[0]) if given else None
    if given and order_id is None:
        conversion.flags.append("order_id_not_usable")
    if order_id == "0":
        conversion.flags.append("order_id_zero")  # a real value somewhere, an unset variable nearly everywhere
    if len(given) > 1:
        conversion.flags.append("order_id_repeated")
    return order_id


def _refuse_nobody(conversion: Conversion, fields: Fields, email_problem: str | None, known_cookie: str | None) -> None:
    contact = conversion.contact
    if conversion.order_id or contact.email or contact.external_id or known_cookie:
        return
    fields.refuse_placeholders("email", "orderId", "externalId")
    raise NotUnderstood(
        f"The e-mail cannot be used: {email_problem}. There is no order id, external id or known cookie either."
        if email_problem
        else "The hit names nobody: no e-mail, no order id, no external id, and no known cookie.",
        reason="no_usable_identity",
    )


def _read_money(conversion: Conversion, fields: Fields, settings: Mapping[str, Any]) -> None:
    amount = fields.only("amount", "amount_not_readable")
    currency = fields.only("currency", "currency_unknown") if amount else fields.one("currency")
    conversion.value, conversion.currency = read_money(amount, currency, settings["currency"])
    refuse_amount_outside(conversion.value, settings["minimum"], settings["maximum"])


def _read_goods(conversion: Conversion, fields: Fields) -> None:
    product_id, name = fields.one("productId")[:255] or None, fields.one("productName")[:500] or None
    if product_id or name:
        conversion.items = [Item(product_id=product_id, name=name)]
    ids = [part.strip()[:100] for text in fields.all("webinarId") for part in text.split(",")]
    tags = fields.all("tag")
    if len(tags) > 1:
        conversion.flags.append("only_first_tag_used")
    conversion.campaigns = Campaigns(ids=list(dict.fromkeys(filter(None, ids))), tags=[tag[:100] for tag in tags[:1]])
    conversion.coupon = fields.one("coupon")[:100] or None
    conversion.offer = fields.one("offer")[:255] or None

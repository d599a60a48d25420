"""Makes conversions of messages of any shape. A person says where things stand, and what the sender's words mean.

For sources whose messages nobody can know beforehand. :mod:`hub.toolkit.field_picker` finds the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from hub.contract.conversion import Campaigns, Contact, Conversion, Item
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound
from hub.contract.money import from_minor
from hub.contract.settings import Choice, Currency, Paths, SettingsSchema, Table
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS, Kind, Stage, Text, stage_named
from hub.toolkit.amounts import read_currency, read_money
from hub.toolkit.cleaning import clean_email, clean_order_id, read_consent, read_flag, read_touch, split_name
from hub.toolkit.dates import first_time
from hub.toolkit.field_picker import NAMES, Message

WITHOUT_STAGE = (Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION, Kind.PENDING, Kind.CONTACT)


class PickedSettings(SettingsSchema):
    """Where things stand in a sender's messages, and what its words mean."""

    paths = Paths(
        Text("Where things stand", "Où se trouvent les données"),
        names=NAMES,
        help=Text(
            "Pick them from a real message. What is left out is looked for under usual names such as customer.email. "
            "A name of your own is kept as extra data.",
            "Choisissez-les dans un vrai message. Le reste est cherché sous des noms usuels comme customer.email. "
            "Un nom à vous est gardé comme donnée supplémentaire.",
        ),
    )
    stage = Choice(
        Text("Stage", "Étape"),
        STAGE_LABELS,
        help=Text("What a message means that does not say.", "Ce que signifie un message qui ne le dit pas."),
        load_default=Stage.PURCHASE.value,
    )
    stage_values = Table(
        Text("Words for stages", "Mots pour les étapes"),
        choices=STAGE_LABELS,
        help=Text(
            "The sender's word → the stage. A word that is in no table is not used.",
            "Le mot de l'expéditeur → l'étape. Un mot absent des tableaux n'est pas utilisé.",
        ),
        placeholder="order.paid",
    )
    kind_values = Table(
        Text("Words for kinds", "Mots pour les natures"),
        choices=KIND_LABELS,
        help=Text(
            "The sender's word → refund, renewal, cancellation …",
            "Le mot de l'expéditeur → remboursement, renouvellement, annulation …",
        ),
        placeholder="order.refunded",
    )
    currency = Currency(
        Text("Default currency", "Devise par défaut"),
        help=Text("When the message names none.", "Si le message n'en indique pas."),
        placeholder="EUR",
        load_default="",
    )
    amount_in = Choice(
        Text("Amounts are", "Les montants sont"),
        {
            "major": Text("whole units: 49.99", "en unités : 49.99"),
            "minor": Text("cents: 4999", "en centimes : 4999"),
        },
        help=Text("Compare one message with its sale.", "Comparez un message à sa vente."),
        load_default="major",
    )


def read_picked(
    found: list[dict[str, Any]], inbound: Inbound, settings: Mapping[str, Any], delivery_id: str = ""
) -> Iterator[Conversion]:
    """The conversions in the records ``found`` of one message, as :class:`PickedSettings` say how to read them.

    A record's own event id counts, else ``delivery_id`` (the sender's id of this message), else a digest of the body:
    the same for a resend. Raises NotUnderstood, for people.
    """
    for index, record in enumerate(found):
        message = Message(record, settings["paths"])
        conversion = _read(message, inbound, settings)
        if conversion is not None:
            conversion.event_id = message.text("event_id") or _event_id(inbound, delivery_id, index, len(found))
            yield conversion


def with_event_word(settings: Mapping[str, Any], path: str) -> dict[str, Any]:
    """``settings`` that look for the sender's word at ``path``, once a person has said what its words mean."""
    if not (settings["stage_values"] or settings["kind_values"]):
        return dict(settings)
    return {**settings, "paths": {"stage": path, "kind": path, **settings["paths"]}}


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
        city=message.text("city") or None,
        region=message.text("region") or None,
        postal_code=message.text("postal_code", 60) or None,
        country=message.text("country") or None,
    )
    if not conversion.contact.first_name and not conversion.contact.last_name:
        conversion.contact.first_name, conversion.contact.last_name = split_name(message.text("full_name"))


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


def _event_id(inbound: Inbound, delivery_id: str, index: int, count: int) -> str:
    whole = delivery_id or f"body-{sha256(inbound.body).hexdigest()[:32]}"
    return f"{whole}-{index}" if count > 1 else whole

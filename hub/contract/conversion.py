"""A conversion: the one shape that every source makes and that every destination is fed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from hub.contract.vocabulary import Kind, Stage

Json = dict[str, Any]


@dataclass(slots=True)
class Contact:
    """A person as the sender names them. Every field may be missing. ``country`` is ISO 3166 alpha-2, upper case."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    external_id: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(slots=True)
class Item:
    """One line of an order. ``price`` is per unit, in major units of the conversion's currency."""

    product_id: str | None = None
    sku: str | None = None
    name: str | None = None
    quantity: Decimal = Decimal(1)
    price: Decimal | None = None
    category: str | None = None


@dataclass(slots=True)
class Campaigns:
    """What may earn the credit for a sale: ids of webinars or launches, and tags. A tag means every campaign that has it."""

    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Context:
    """Where the visitor was. ``ip`` and ``user_agent`` are the *visitor's*, never the webhook sender's."""

    ip: str | None = None
    user_agent: str | None = None
    page_url: str | None = None
    referrer: str | None = None
    cookie: str | None = None  # our own first-party visitor id
    utm: dict[str, str] = field(default_factory=dict)  # source, medium, campaign, term, content, id
    click_ids: dict[str, str] = field(default_factory=dict)  # gclid gbraid wbraid fbclid fbp fbc ttclid msclkid …


@dataclass(slots=True)
class Consent:
    """What the person allowed, per purpose. None means the sender did not say."""

    ads: bool | None = None
    email: bool | None = None
    analytics: bool | None = None


@dataclass(slots=True)
class Conversion:
    """One thing that happened, as one sender tells it.

    ``event_id`` is the sender's own id of the event. It is the same when the sender sends it again. ``value`` is a Decimal
    in major units (49.99) and never negative: ``kind`` says which way the money went. ``order_id`` and ``order_aliases``
    are all the names that the sender has for the sale, so that several events become one order. ``money_id`` is the
    sender's own id of this refund or dispute: two events with the same ``money_id`` are about the same money. ``flags``
    says what had to be guessed ("date_replaced").
    """

    event_id: str
    kind: Kind = Kind.CONVERSION
    stage: Stage | None = None
    occurred_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    order_id: str | None = None
    order_aliases: list[str] = field(default_factory=list)
    value: Decimal | None = None
    currency: str | None = None
    recurring: bool = False
    subscription_id: str | None = None
    money_id: str | None = None
    test: bool = False
    contact: Contact = field(default_factory=Contact)
    items: list[Item] = field(default_factory=list)
    coupon: str | None = None
    campaigns: Campaigns = field(default_factory=Campaigns)
    offer: str | None = None
    context: Context = field(default_factory=Context)
    consent: Consent = field(default_factory=Consent)
    reason: str | None = None
    flags: list[str] = field(default_factory=list)
    extra: Json = field(default_factory=dict)

    def to_dict(self) -> Json:
        """Plain JSON: money as strings, times as ISO 8601 UTC. The stored form, and what mappings read."""
        return {
            "event_id": self.event_id,
            "kind": self.kind.value,
            "stage": self.stage.value if self.stage else None,
            "occurred_at": iso(self.occurred_at),
            "order_id": self.order_id,
            "order_aliases": self.order_aliases,
            "value": money_text(self.value),
            "currency": self.currency,
            "recurring": self.recurring,
            "subscription_id": self.subscription_id,
            "money_id": self.money_id,
            "test": self.test,
            "contact": _slots(self.contact),
            "items": [
                {**_slots(item), "quantity": money_text(item.quantity), "price": money_text(item.price)}
                for item in self.items
            ],
            "coupon": self.coupon,
            "campaigns": {"ids": self.campaigns.ids, "tags": self.campaigns.tags},
            "offer": self.offer,
            "context": _slots(self.context),
            "consent": _slots(self.consent),
            "reason": self.reason,
            "flags": self.flags,
            "extra": self.extra,
        }

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """The inverse of :meth:`to_dict`; missing keys take their defaults, unknown keys are ignored."""
        known = {name: data[name] for name in _PLAIN_FIELDS if data.get(name) is not None}
        return cls(
            **known,
            kind=Kind(data.get("kind") or "conversion"),
            stage=Stage(data["stage"]) if data.get("stage") else None,
            occurred_at=parse_iso(data["occurred_at"]) if data.get("occurred_at") else datetime(1970, 1, 1, tzinfo=UTC),
            value=_decimal(data.get("value")),
            contact=_build(Contact, data.get("contact")),
            items=[
                _build(
                    Item, {**item, "quantity": _decimal(item.get("quantity", 1)), "price": _decimal(item.get("price"))}
                )
                for item in data.get("items") or []
            ],
            campaigns=_build(Campaigns, data.get("campaigns")),
            context=_build(Context, data.get("context")),
            consent=_build(Consent, data.get("consent")),
        )


_PLAIN_FIELDS = (
    "event_id",
    "order_id",
    "order_aliases",
    "currency",
    "recurring",
    "subscription_id",
    "money_id",
    "test",
    "coupon",
    "offer",
    "reason",
    "flags",
    "extra",
)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a trailing Z, as short as the precision allows."""
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return there.isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The inverse of :func:`iso`."""
    return datetime.fromisoformat(text)


def money_text(value: Decimal | None) -> str | None:
    """A Decimal without exponent ("4900", "49.99"), or None."""
    return None if value is None else format(value, "f")


def _decimal(value: Any) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value))


def _slots(part: Any) -> Json:
    return {name: getattr(part, name) for name in part.__slots__}


def _build(kind: type[Any], data: Json | None) -> Any:
    return kind(**{name: data[name] for name in kind.__slots__ if name in data}) if data else kind()

"""What tools that send e-mail have in common: whom they may add, names by stage, and opt-outs that come back.

A destination of the category "email" never changes whether somebody known is subscribed. Only a person who is new there
and whose record carries a recorded agreement (:func:`agreed`) joins as subscribed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from hub.contract.calls import Record, Reply
from hub.contract.connector import Destination, Field, Source
from hub.contract.conversion import Consent, Contact, Conversion
from hub.contract.errors import BadMapping
from hub.contract.inbound import Headers, Inbound
from hub.contract.settings import Secrets, SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.ads import lines, number
from hub.toolkit.dates import first_time
from hub.toolkit.people import email as normal_email
from hub.toolkit.signing import check_token
from hub.toolkit.standard_fields import fields_for, mapping_for

TAKEN_KINDS = frozenset(
    {
        Kind.CONVERSION,
        Kind.RENEWAL,
        Kind.REFUND,
        Kind.DISPUTE,
        Kind.CANCELLATION,
        Kind.CONTACT,
    }
)
"""What such a tool takes: everything but money that is only promised."""

USUAL_STAGES = frozenset({Stage.COMPLETE_REGISTRATION, Stage.PURCHASE, Stage.LEAD})
"""The stages ticked on a new route."""

CONSENT = "email_consent"
CONSENT_FIELD = Field(CONSENT, Text("Agreed to e-mail", "A accepté les e-mails"), "boolean")
"""The field that carries the recorded agreement; its fact is ``consent_email``."""

TAGS_FIELDS = (
    Field("tags", Text("Tags to add", "Tags à ajouter"), "list"),
    Field("remove_tags", Text("Tags to take off", "Tags à retirer"), "list"),
)
TAGS_MAPPING: Mapping[str, Any] = {
    "tags": {
        "first": [
            {"from": "stage"},
            {"lookup": "kind", "table": {kind: kind for kind in ("renewal", "refund", "dispute", "cancellation")}},
        ],
        "as": "list",
    },
    "remove_tags": {"lookup": "stage", "table": {"purchase": "lead"}, "as": "list"},
}
"""The stage as a tag; a purchase takes the tag ``lead`` off, so that a reminder stops."""


EVENT_KEYS: Mapping[str, str] = {
    "value": "value",
    "currency": "currency",
    "order_id": "sale_order_id",
    "subscription_id": "subscription_id",
    "coupon": "coupon",
    "items": "items",
    "reason": "lead_reason",
    "page_url": "page_url",
}
EVENT_FIELDS = (Field("event_name", Text("Event to record", "Événement à enregistrer")), *fields_for(EVENT_KEYS))
"""The event that starts an automation, and what it tells of the sale."""


EVENT_FIELD_KEYS = frozenset(field.key for field in EVENT_FIELDS)
_OWN_NAMES = {name: name for name in (*Stage, Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE, Kind.CANCELLATION)}


def event_mapping(names: Mapping[Any, str] = _OWN_NAMES) -> dict[str, Any]:
    """The default mapping of :data:`EVENT_FIELDS`, the events called by ``names`` (as in :func:`named`).

    Without ``names`` they are called as the hub calls the stage or kind.
    """
    return {"event_name": named(names), **mapping_for(EVENT_KEYS)}


def person_fields(keys: Mapping[str, str], *more: Field) -> tuple[Field, ...]:
    """The fields of ``keys`` (as in :mod:`hub.toolkit.standard_fields`), the e-mail required, and the agreement."""
    return (*fields_for(keys, required={"email"}), CONSENT_FIELD, *more)


def person_mapping(keys: Mapping[str, str]) -> dict[str, Any]:
    """The default mapping of :func:`person_fields`."""
    return mapping_for({**keys, CONSENT: "consent_email"})


class EmailTool(Destination):
    """A tool that sends e-mail to people who agreed to it. With :class:`~hub.toolkit.crm.Crm`, it comes first."""

    category = Category.EMAIL
    kinds = TAKEN_KINDS
    default_stages = USUAL_STAGES
    purpose = "email"
    sends_tests = False  # nothing in such a tool says "test"


class EventLine(NamedTuple):
    """One order line of an event. ``price`` is per unit, in major units."""

    product_id: str
    name: str
    quantity: int | float
    price: int | float | None


def event_lines(record: Record) -> list[EventLine]:
    """The order lines that have an id."""
    return [
        EventLine(line.id, line.name or line.id, line.quantity, line.price)
        for line in lines(record.values.get("items"))
    ]


def event_properties(record: Record) -> dict[str, Any]:
    """What the mapping filled of the sale, numbers as JSON numbers, lines as plain objects."""
    told = filled(record.values, EVENT_KEYS)
    sold = [filled(line._asdict(), EventLine._fields) for line in event_lines(record)]
    return told | filled({"value": number("value", told.get("value")), "items": sold}, ("value", "items"))


def named(names: Mapping[Any, str]) -> dict[str, Any]:
    """The mapping rule for a name that depends on the stage, or on the kind where there is no stage.

    ``names``: Stage or Kind → the tool's name. What is not in it has none.
    """
    stages = {str(key): name for key, name in names.items() if key in set(Stage)}
    kinds = {str(key): name for key, name in names.items() if key not in set(Stage)}
    return {"first": [{"lookup": "stage", "table": stages}, {"lookup": "kind", "table": kinds}]}


def agreed(record: Record) -> bool:
    """Whether an agreement to e-mail is recorded. Nothing but a true yes counts."""
    return record.values.get(CONSENT) is True


def require_email(record: Record, tool: str, key: str = "email") -> str:
    """The record's address, trimmed and lower-cased. Raises BadMapping when there is none."""
    address = normal_email(record.values.get(key))
    if address is None:
        raise BadMapping(
            key, f"{tool} knows people by their e-mail, and this record has none. Map the contact's e-mail."
        )
    return address


def filled(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Those of ``keys`` that the mapping filled, in their order."""
    return {key: values[key] for key in keys if values.get(key) not in (None, "", [], {})}


def listed(value: Any) -> list[str]:
    """One text or many, as a list of texts."""
    parts = value if isinstance(value, list) else [value]
    return [str(part).strip() for part in parts if part not in (None, "")]


class OptOut(NamedTuple):
    """One person who no longer wants e-mail, as the tool tells it.

    ``at``: the times it gives, best first. ``reason``: its own word for why (unsubscribed, complained).
    """

    event_id: str
    email: str
    at: tuple[Any, ...]
    reason: str
    external_id: str | None = None


class OptOuts(Source):
    """A source that tells who no longer wants e-mail. A connector adds ``verify`` and :meth:`read_opt_outs`."""

    category = Category.EMAIL
    kinds = frozenset({Kind.CONTACT})

    def read_opt_outs(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[OptOut]:
        """The opt-outs in the message. A "yes" is ignored: it may be no more than the tool's default."""
        raise NotImplementedError

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        return [_conversion(told, inbound) for told in self.read_opt_outs(inbound, settings)]


class AddressSecret(SettingsSchema):
    """The secret that a person writes behind our address, for tools that sign nothing."""

    secret = Secrets(
        Text("Secret at the end of the address", "Secret à la fin de l'adresse"),
        help=Text(
            "Any long random text without spaces. Give the tool our address followed by ?secret= and this text.",
            "Un long texte au hasard, sans espaces. Donnez à l'outil notre adresse suivie de ?secret= et de ce texte.",
        ),
    )


class UnsignedOptOuts(OptOuts):
    """Opt-outs of a tool that signs nothing: a secret in the address is all that can be checked."""

    Settings = AddressSecret
    signs_body = False

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        """Such tools ask our address for an answer before they keep it."""
        return Reply(200, Headers()) if inbound.method in ("GET", "HEAD") else None

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        check_token(dict(parse_qsl(inbound.query)).get("secret", ""), settings["secret"])


def _conversion(told: OptOut, inbound: Inbound) -> Conversion:
    at, flags = first_time(*told.at, fallback=inbound.received_at)
    return Conversion(
        event_id=told.event_id,
        kind=Kind.CONTACT,
        occurred_at=at,
        flags=flags,
        contact=Contact(email=told.email, external_id=told.external_id),
        consent=Consent(email=False),
        extra={"email_opt_out": told.reason},
    )

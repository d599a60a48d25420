"""A conversion as one message tells it: new in this batch, or stored before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from hub.attribute import identity
from hub.attribute.orders import Json, Said, names_of, slot_of
from hub.contract.conversion import Conversion, parse_iso
from hub.contract.vocabulary import Trust
from hub.store.conversions import ObservationRow

LONGEST_EVENT_ID = 255
SELLS = ("refund", "dispute", "renewal")


@dataclass(slots=True)
class Observed:
    """One conversion as one message tells it, on its way into the books."""

    inbound_id: str
    connection_id: str
    order_scope: str
    trust: Trust
    conversion: Conversion
    effect: str = ""  # set by the books: the reason that says what this message changed


@dataclass(slots=True)
class Entry:
    """An observation in the books. ``subject`` is what it is folded with: an order, or a person and target."""

    said: Said
    connection_id: str
    keys: list[identity.Key]  # who it names, surest first
    names: list[str] = field(default_factory=list)  # of its order, normalized
    subject: str = ""
    observed: Observed | None = None  # None: stored before this batch
    row: ObservationRow | None = None  # as stored; None: new

    @classmethod
    def fresh(cls, one: Observed) -> Entry:
        data = one.conversion.to_dict()
        data["event_id"] = short(data["event_id"], LONGEST_EVENT_ID)
        moment = parse_iso(data["occurred_at"])
        said = Said(data["event_id"], slot_of(data), one.trust, moment, data)
        keys = identity.keys_of(data, one.connection_id)
        return cls(said, one.connection_id, keys, names_of(data, one.order_scope), observed=one)

    @classmethod
    def stored(cls, row: ObservationRow) -> Entry:
        data = row.data
        said = Said(row.event_id, slot_of(data), Trust(row.trust), row.occurred_at, data)
        keys = identity.keys_of(data, row.connection_id)
        return cls(said, row.connection_id, keys, names_of(data), row.subject, row=row)

    @property
    def data(self) -> Json:
        return self.said.data

    @property
    def email(self) -> identity.Key | None:
        return self.keys[0] if self.keys and self.keys[0][0] == identity.EMAIL else None

    @property
    def strength(self) -> tuple[int, datetime]:
        """How much it weighs in saying who somebody is: the surest, then the earliest telling. Less is stronger."""
        return self.said.trust.rank, self.said.occurred_at

    @property
    def sells(self) -> bool:
        """Whether money moved, so that it belongs to an order even if it names none."""
        return self.data["stage"] == "purchase" or self.data["kind"] in SELLS

    def subject_without_order(self, root: identity.Key | None) -> str:
        """Who, and what for (G4): hits without an order id are counted once for each person, target and stage."""
        who = ":".join(root) if root else f"event:{self.connection_id}:{self.said.event_id}"
        aim: dict[str, Any] = self.data["campaigns"]
        target = ",".join(sorted(aim["ids"]) + sorted(aim["tags"])) or self.data["offer"]
        return f"p:{short(who, 100)}|{short(target or self.data['subscription_id'] or '', 90)}"


def short(text: str, limit: int) -> str:
    """``text``, or where it is longer than ``limit`` characters its beginning and a digest of all of it."""
    return text if len(text) <= limit else f"{text[: limit - 41]}~{sha256(text.encode()).hexdigest()[:40]}"

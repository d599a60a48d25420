"""Writing the books: from what is folded to rows of conversions, orders, ledger, credits and observations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, update

from hub.attribute import orders
from hub.attribute.contacts import ContactBook
from hub.attribute.joins import retire
from hub.attribute.observed import Entry, short
from hub.store import campaigns as campaign_store
from hub.store import conversions as conversion_store
from hub.store import new_id
from hub.store import orders as order_store
from hub.store.base import Values, insert, insert_new, upsert
from hub.store.conversions import ConversionRow

NAMESPACE = uuid.UUID("6f1d0f5e-6f0c-5a7e-9d59-3a1f5b1c0de1")
ZERO = Decimal(0)


@dataclass(slots=True)
class Changed:
    """A conversion that is new, or is not what it was: routing looks at it again."""

    row: Values
    new: bool


@dataclass(slots=True)
class Subject:
    """One subject: all that was told of it, and what it says together."""

    name: str
    entries: list[Entry]
    folded: list[orders.Folded]
    contact_id: str | None = None
    ids: dict[str, str] = field(default_factory=dict)  # slot (as told, and as folded) → conversion

    @property
    def order_id(self) -> str | None:
        return self.name[2:] if self.name.startswith("o:") else None


class Changes:
    """What one batch writes."""

    def __init__(self, tx: Connection, workspace_id: str, at: datetime, people: ContactBook) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._people = people
        self.changed: list[Changed] = []  # the conversions that are new, or are not what they were
        self._seen: dict[str, str] = {}  # conversions told of in this batch: with what trust
        self._observations: list[Values] = []
        self._orders: list[Values] = []
        self._ledger: list[Values] = []
        self._redated: list[Values] = []
        self._credits: list[Values] = []
        self._campaign_ids: set[str] = set()
        self._withdrawn: dict[str, ConversionRow] = {}  # conversions that nothing says any more

    def open(self, subjects: Iterable[str], new_orders: set[str]) -> None:
        """Load what is written of these subjects."""
        stored = [name for name in subjects if name[2:] not in new_orders]
        self._stored: dict[str, dict[str, ConversionRow]] = {}
        for row in conversion_store.conversions_of(self._tx, self._workspace_id, stored):
            self._stored.setdefault(row.subject, {})[row.slot] = row
        order_ids = [name[2:] for name in stored if name.startswith("o:")]
        self._old_orders = order_store.by_ids(self._tx, order_ids)
        self._booked: dict[str, dict[tuple[str, str, str], Decimal]] = {}
        for (order_id, *line), amount in order_store.ledger_sums(self._tx, order_ids).items():
            self._booked.setdefault(order_id, {})[line[0], line[1], line[2]] = amount

    def put(self, subject: Subject) -> None:
        """Note all that has to be written of one subject."""
        subject.contact_id = self._people.person_of(subject.entries)
        self._people.learn(subject.entries, subject.contact_id)
        before = self._take_over(subject)
        for one in subject.folded:
            self._put_conversion(subject, one, before.get(one.slot))
        if subject.order_id is not None and subject.entries:
            self._put_order(subject, subject.order_id)
        elif subject.order_id is not None:
            self._put_lines(subject, subject.order_id, orders.Totals())
            order_store.drop(self._tx, subject.order_id)
        for entry in subject.entries:
            self._put_observation(subject, entry, before)

    def write(self, tx: Connection) -> None:
        """Write everything noted."""
        insert(tx, conversion_store.observation, self._observations)
        rows = [one.row for one in self.changed]
        upsert(tx, conversion_store.conversion, rows, ["id"], _CONVERSION_CHANGES)
        upsert(tx, order_store.order, self._orders, ["id"], _ORDER_CHANGES)
        order_store.redate(tx, self._redated)
        insert(tx, order_store.ledger, self._ledger)
        self._write_credits(tx)

    # -- conversions -----------------------------------------------------------------------------------------------

    def _take_over(self, subject: Subject) -> dict[str, ConversionRow]:
        """The stored conversion of each slot. One that was told under another slot goes on; what is left is retired."""
        stored = dict(self._stored.get(subject.name, {}))
        before = {one.slot: stored.pop(one.slot) for one in subject.folded if one.slot in stored}
        for one in subject.folded:
            if one.slot not in before:
                slot = next((slot for slot, row in stored.items() if slot in one.slots or _is_same(row, one)), None)
                if slot is not None:
                    before[one.slot] = stored.pop(slot)
                    chosen = conversion_store.conversion.c.id == before[one.slot].id
                    self._tx.execute(update(conversion_store.conversion).where(chosen).values(slot=one.slot))
        for slot, row in stored.items():
            kept = next((before[one.slot] for one in subject.folded if slot in one.slots), None)
            self._retire(subject, row, kept)
        return before

    def _retire(self, subject: Subject, row: ConversionRow, kept: ConversionRow | None) -> None:
        retire(self._tx, row, kept, self._at)
        booked = self._booked.get(subject.order_id or "", {})
        for key in [key for key in booked if key[0] == row.id]:
            if kept is None:
                self._withdrawn[row.id] = row
            else:
                line = (kept.id, key[1], key[2])
                booked[line] = booked.get(line, ZERO) + booked.pop(key)

    def _put_conversion(self, subject: Subject, one: orders.Folded, before: ConversionRow | None) -> None:
        conversion_id = before.id if before is not None else new_id()
        subject.ids |= dict.fromkeys((one.slot, *one.slots), conversion_id)
        row = {
            "id": conversion_id,
            "workspace_id": self._workspace_id,
            "subject": subject.name,
            "slot": one.slot,
            "event_id": before.event_id if before is not None else self._event_id(subject, one),
            "order_id": subject.order_id,
            "contact_id": subject.contact_id,
            "kind": one.kind.value,
            "stage": one.stage.value if one.stage else None,
            "occurred_at": one.occurred_at,
            "value": one.value,
            "currency": one.currency,
            "test": one.test,
            "trust": one.trust.value,
            "identified_by": self._people.identified_by(one.data, subject.contact_id),
            "state": one.state,
            "reason": _reason(one),
            "data": one.data,
            "created_at": before.created_at if before is not None else self._at,
            "updated_at": self._at,
        }
        if before is not None and all(getattr(before, name) == row[name] for name in _COMPARED):
            return
        self.changed.append(Changed(row, before is None))
        self._put_credit(conversion_id, one.data["campaigns"])
        moved = before is not None and any(getattr(before, name) != row[name] for name in ("contact_id", "occurred_at"))
        if moved and subject.order_id is not None:
            self._redated.append(
                {
                    "of_order": subject.order_id,
                    "of_conversion": conversion_id,
                    "new_contact": subject.contact_id,
                    "new_at": one.occurred_at,
                }
            )

    def _event_id(self, subject: Subject, one: orders.Folded) -> str:
        """Made from names, not from chance: after a restore and a re-send, destinations still see the same id."""
        names = [name for entry in subject.entries if entry.observed for name in entry.names]
        name = min(names, default=subject.name)
        return str(uuid.uuid5(NAMESPACE, f"{self._workspace_id}|{name}|{one.slot}"))

    # -- orders ----------------------------------------------------------------------------------------------------

    def _put_order(self, subject: Subject, order_id: str) -> None:
        total = orders.totals(subject.folded)
        before = self._old_orders.get(order_id)
        told = sorted(subject.folded, key=lambda one: not one.is_charge)
        row = {
            "id": order_id,
            "workspace_id": self._workspace_id,
            "display_id": short(next((one.data["order_id"] for one in told if one.data["order_id"]), ""), 255),
            "contact_id": subject.contact_id,
            "subscription_id": _subscription(subject),
            "currency": total.currency,
            "gross": total.gross,
            "refunded": total.refunded,
            "disputed": total.disputed,
            "status": total.status,
            "test": total.test,
            "paid_at": total.paid_at,
            "created_at": before.created_at if before is not None else self._at,
            "updated_at": self._at,
        }
        self._orders.append(row)
        self._put_lines(subject, order_id, total)

    def _put_lines(self, subject: Subject, order_id: str, total: orders.Totals) -> None:
        """What the ledger lacks to add up to the order: corrections add, they never edit."""
        whose = {one: (row.contact_id, row.occurred_at) for one, row in self._withdrawn.items()}
        whose |= {subject.ids[one.slot]: (subject.contact_id, one.occurred_at) for one in subject.folded}
        wanted = {(subject.ids[slot], kind, currency): amount for (slot, kind, currency), amount in total.lines.items()}
        booked = self._booked.get(order_id, {})
        for key in {**booked, **wanted}:
            step = wanted.get(key, ZERO) - booked.get(key, ZERO)
            if step:
                self._ledger.append(
                    {
                        "id": new_id(),
                        "workspace_id": self._workspace_id,
                        "order_id": order_id,
                        "contact_id": whose[key[0]][0],
                        "conversion_id": key[0],
                        "kind": key[1],
                        "amount": step,
                        "currency": key[2],
                        "occurred_at": whose[key[0]][1],
                        "booked_at": self._at,
                        "note": _note(key, booked, wanted),
                    }
                )

    # -- what was told, and credit ---------------------------------------------------------------------------------

    def _put_observation(self, subject: Subject, entry: Entry, before: dict[str, ConversionRow]) -> None:
        conversion_id, said = subject.ids[entry.said.slot], entry.said
        if entry.row is not None:
            kept = (entry.row.subject, entry.row.conversion_id)
            if kept != (subject.name, conversion_id):
                conversion_store.move_observation(self._tx, entry.row.id, subject.name, conversion_id)
            return
        observed = entry.observed
        assert observed is not None  # noqa: S101 - what is not stored was observed just now
        known = next((row.trust for row in before.values() if row.id == conversion_id), None)
        observed.effect = _effect(said, self._seen.get(conversion_id, known))
        self._seen[conversion_id] = said.trust.value
        self._observations.append(
            {
                "id": new_id(),
                "workspace_id": self._workspace_id,
                "connection_id": observed.connection_id,
                "inbound_id": observed.inbound_id,
                "event_id": said.event_id,
                "subject": subject.name,
                "slot": said.slot,
                "conversion_id": conversion_id,
                "trust": said.trust.value,
                "occurred_at": said.occurred_at,
                "effect": observed.effect,
                "data": said.data,
            }
        )

    def _put_credit(self, conversion_id: str, aim: dict[str, list[str]]) -> None:
        base = {"conversion_id": conversion_id, "workspace_id": self._workspace_id}
        self._campaign_ids |= {name[:255] for name in aim["ids"]}
        self._credits += [{**base, "type": "campaign", "value": name[:255]} for name in aim["ids"]]
        self._credits += [{**base, "type": "tag", "value": tag[:255]} for tag in aim["tags"]]

    def _write_credits(self, tx: Connection) -> None:
        """A webinar id we have not seen becomes a campaign, so that no sale waits for somebody to set it up."""
        if self._campaign_ids:
            base = {"workspace_id": self._workspace_id, "created_at": self._at}
            rows = [{"id": new_id(), "external_id": name, "name": name, **base} for name in sorted(self._campaign_ids)]
            insert_new(tx, campaign_store.campaign, rows, "workspace_id", "external_id")
            found = campaign_store.by_external_ids(tx, self._workspace_id, self._campaign_ids)
            for row in self._credits:
                if row["type"] == "campaign":
                    row["value"] = found[row["value"]].id
        insert_new(tx, campaign_store.credit, self._credits, "conversion_id", "type", "value")


_COMPARED = (
    "order_id",
    "contact_id",
    "kind",
    "stage",
    "occurred_at",
    "value",
    "currency",
    "test",
    "trust",
    "identified_by",
    "state",
    "reason",
    "data",
)
_CONVERSION_CHANGES = (*_COMPARED, "updated_at")
_ORDER_CHANGES = (
    "display_id",
    "contact_id",
    "subscription_id",
    "currency",
    "gross",
    "refunded",
    "disputed",
    "status",
    "test",
    "paid_at",
    "updated_at",
)
_NOTES = {
    "gross": "order_added",
    "renewal": "renewal_recorded",
    "refund": "refund_recorded",
    "dispute": "dispute_recorded",
}
_CORRECTIONS = {
    "gross": "amount_replaced",
    "renewal": "renewal_updated",
    "refund": "refund_updated",
    "dispute": "dispute_updated",
}
_TOLD_AGAIN = {
    "conversion": "amount_replaced",
    "renewal": "renewal_updated",
    "refund": "refund_updated",
    "dispute": "dispute_updated",
}
"""What a message changed whose slot had been told of with the same trust, by kind."""
_KIND_EFFECTS = {
    "renewal": "renewal_recorded",
    "refund": "refund_recorded",
    "dispute": "dispute_recorded",
    "cancellation": "cancellation_recorded",
    "pending": "pending_recorded",
    "contact": "contact_updated",
}


def _is_same(row: ConversionRow, one: orders.Folded) -> bool:
    """Of refunds alike, told by messages that match otherwise by now, either may stand for either."""
    return (row.kind, row.value, row.currency) == (
        one.kind.value,
        one.value,
        one.currency,
    ) and one.kind == "refund"


def _reason(one: orders.Folded) -> str:
    if one.test:
        return "test_not_counted"
    if one.value and not one.currency:
        return "currency_unknown"
    if one.kind.value in _KIND_EFFECTS:
        return _KIND_EFFECTS[one.kind.value]
    return "order_added" if one.stage == "purchase" else "new_conversion"


def _note(line: _Line, booked: Mapping[_Line, Decimal], wanted: Mapping[_Line, Decimal]) -> str:
    """Why an amount is booked on a line of the ledger."""
    kind = line[1]
    if line not in booked:
        return _NOTES[kind]
    is_won = kind == "dispute" and not wanted.get(line)
    return "dispute_won" if is_won else _CORRECTIONS[kind]


_Line = tuple[str, str, str]
"""A line of an order's ledger: conversion, kind, currency."""


def _effect(said: orders.Said, before: str | None) -> str:
    """What a message changed; ``before`` is the trust of what had been told of it (None: nothing had)."""
    if said.data.get("test"):
        return "test_not_counted"
    if before is None:
        added = "order_added" if said.data["stage"] == "purchase" else "new_conversion"
        return _KIND_EFFECTS.get(said.data["kind"], added)
    if before != said.trust.value:
        return "joined_known_sale"
    if said.data["kind"] == "dispute" and not Decimal(said.data.get("value") or 0):
        return "dispute_won"
    if said.data["kind"] in _TOLD_AGAIN:
        return _TOLD_AGAIN[said.data["kind"]] if said.data.get("value") else "joined_known_sale"
    return _KIND_EFFECTS[said.data["kind"]]


def _subscription(subject: Subject) -> str | None:
    names: Any = (one.data["subscription_id"] for one in subject.folded)
    return min((short(name, 255) for name in names if name), default=None)

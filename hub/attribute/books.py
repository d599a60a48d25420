"""The books of one batch: what it touches is loaded in bulk, changed in memory, written in bulk.

One reader works in a workspace at a time (a lease sees to it), so what was loaded stays true until the commit.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, update

from hub.attribute import identity, orders
from hub.attribute.contacts import ContactBook
from hub.contract.conversion import Conversion, parse_iso
from hub.contract.vocabulary import Trust
from hub.store import campaigns as campaign_store
from hub.store import conversions as conversion_store
from hub.store import new_id
from hub.store import orders as order_store
from hub.store.base import Row, Values, insert, insert_new, upsert

NAMESPACE = uuid.UUID("6f1d0f5e-6f0c-5a7e-9d59-3a1f5b1c0de1")
ZERO = Decimal(0)


@dataclass(slots=True)
class Observed:
    """One conversion as one message tells it, on its way into the books."""

    inbound_id: str
    connection_id: str
    order_scope: str
    trust: Trust
    conversion: Conversion
    data: dict[str, Any] = field(default_factory=dict)
    effect: str = ""  # set by the books: the reason that says what this message changed


@dataclass(slots=True)
class Changed:
    """A conversion that is new, or is not what it was: routing looks at it again."""

    row: Values
    new: bool


class Books:
    """Attribute a batch: :meth:`add` everything observed, then :meth:`write` once."""

    def __init__(self, tx: Connection, workspace_id: str, at: datetime) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._contacts = ContactBook(tx, workspace_id, at)

    def add(self, observed: list[Observed]) -> list[Changed]:
        """Fold ``observed`` into the books and write them. Sets each one's ``effect``; returns what changed."""
        for one in observed:
            one.data = one.conversion.to_dict()
        fresh = self._drop_known(observed)
        if not fresh:
            return []
        subjects = self._subjects(fresh)
        said, stored = self._load(subjects, fresh)
        self._contacts.load([entry for entries in said.values() for entry in entries])
        changed = self._fold(subjects, said, stored)
        self._contacts.write()
        return changed

    # -- what is new -----------------------------------------------------------------------------------------------

    def _drop_known(self, observed: list[Observed]) -> list[Observed]:
        """Leave out events this source told us before; a replayed message replaces what it said the first time."""
        pairs = [(one.connection_id, one.conversion.event_id) for one in observed]
        known = conversion_store.known_events(self._tx, pairs)
        fresh: dict[tuple[str, str], Observed] = {}
        for pair, one in zip(pairs, observed, strict=True):
            before = known.get(pair)
            if pair in fresh or (before is not None and before["inbound_id"] != one.inbound_id):
                one.effect = "duplicate_event"
                continue
            if before is not None:
                self._tx.execute(
                    conversion_store.observation.delete().where(conversion_store.observation.c.id == before["id"])
                )
            fresh[pair] = one
        return list(fresh.values())

    # -- which order -----------------------------------------------------------------------------------------------

    def _subjects(self, fresh: list[Observed]) -> dict[str, list[Observed]]:
        """Group by order, finding and joining orders by all their names; without an order, by person and target."""
        names = [orders.names_of(one.data, one.order_scope) or self._nameless(one) for one in fresh]
        known = order_store.aliases(self._tx, self._workspace_id, {name for some in names for name in some})
        self._order_of = dict(known)
        groups: dict[str, list[Observed]] = {}
        self._new_aliases: dict[str, str] = {}
        self._new_orders: dict[str, str] = {}
        for one, own in zip(fresh, names, strict=True):
            if not own:
                groups.setdefault(self._person_subject(one), []).append(one)
                continue
            order_id = self._one_order(own, groups)
            groups.setdefault(f"o:{order_id}", []).append(one)
        return groups

    def _one_order(self, names: list[str], groups: dict[str, list[Observed]]) -> str:
        found = sorted({self._order_of[name] for name in names if name in self._order_of})
        order_id = found[0] if found else new_id()
        if not found:
            self._new_orders[order_id] = names[0]
        for other in found[1:]:
            self._join(other, order_id, groups)
        for name in names:
            if name not in self._order_of:
                self._order_of[name] = self._new_aliases[name] = order_id
        return order_id

    def _join(self, loser: str, winner: str, groups: dict[str, list[Observed]]) -> None:
        """Two orders turn out to be one: everything of the younger goes to the elder."""
        for name, order_id in self._order_of.items():
            if order_id == loser:
                self._order_of[name] = winner
        for name, order_id in self._new_aliases.items():
            if order_id == loser:
                self._new_aliases[name] = winner
        if f"o:{loser}" in groups:
            groups.setdefault(f"o:{winner}", []).extend(groups.pop(f"o:{loser}"))
        groups.setdefault(f"o:{winner}", [])
        if self._new_orders.pop(loser, None) is None:
            _join_stored(self._tx, self._workspace_id, loser, winner)

    def _nameless(self, one: Observed) -> list[str]:
        """A sale without an order id is named by who, what for and which stage (G4), so that it is counted once."""
        sells = one.data["stage"] == "purchase" or one.data["kind"] in ("refund", "dispute", "renewal")
        return [self._person_subject(one)] if sells else []

    def _person_subject(self, one: Observed) -> str:
        keys = identity.keys_of(one.data, one.connection_id)
        who = ":".join(keys[0]) if keys else f"event:{one.connection_id}:{one.conversion.event_id}"
        aim = one.data["campaigns"]
        target = ",".join(sorted(aim["ids"]) + sorted(aim["tags"])) or one.data["offer"] or ""
        text = f"p:{who}|{target}"
        return text if len(text) <= 200 else text[:120] + str(uuid.uuid5(NAMESPACE, text))

    # -- what is known of them -------------------------------------------------------------------------------------

    def _load(
        self, subjects: dict[str, list[Observed]], fresh: list[Observed]
    ) -> tuple[dict[str, list[_Entry]], dict[tuple[str, str], Row]]:
        subscriptions = {one.data["subscription_id"] for one in fresh if one.data["subscription_id"]}
        self._of_subscription = {
            row["id"]: row for row in order_store.of_subscriptions(self._tx, self._workspace_id, subscriptions)
        }
        for order_id in self._of_subscription:
            subjects.setdefault(f"o:{order_id}", [])
        stored_subjects = [name for name in subjects if name[2:] not in self._new_orders]
        said: dict[str, list[_Entry]] = {name: [] for name in subjects}
        for row in conversion_store.observations_of(self._tx, self._workspace_id, stored_subjects):
            trust = Trust(row["trust"])
            entry = orders.Said(row["event_id"], row["slot"], trust, row["occurred_at"], row["data"])
            said[row["subject"]].append(_Entry(entry, row["connection_id"], None))
        for name, group in subjects.items():
            for one in group:
                moment = parse_iso(one.data["occurred_at"])
                entry = orders.Said(one.data["event_id"], orders.slot_of(one.data), one.trust, moment, one.data)
                said[name].append(_Entry(entry, one.connection_id, one))
        stored = conversion_store.conversions_of(self._tx, self._workspace_id, stored_subjects)
        return said, {(row["subject"], row["slot"]): row for row in stored}

    # -- what they say together ------------------------------------------------------------------------------------

    def _fold(
        self, subjects: dict[str, list[Observed]], said: dict[str, list[_Entry]], stored: dict[tuple[str, str], Row]
    ) -> list[Changed]:
        order_ids = [name[2:] for name in subjects if name.startswith("o:")]
        known = [order_id for order_id in order_ids if order_id not in self._new_orders]
        self._old_orders = order_store.by_ids(self._tx, known)
        booked = order_store.ledger_sums(self._tx, known)
        first_of = self._first_orders(said)
        writes = _Writes()
        for subject, entries in said.items():
            folded = orders.fold([entry.said for entry in entries], first_of_subscription=first_of.get(subject, True))
            contact_id = self._contacts.person_of([(entry.said.data, entry.connection_id) for entry in entries])
            order_id = subject[2:] if subject.startswith("o:") else None
            ids = self._put_conversions(writes, subject, order_id, contact_id, folded, stored)
            if order_id is not None:
                self._put_order(writes, order_id, contact_id, folded, entries, ids, booked)
            for entry in entries:
                if entry.observed is not None:
                    self._put_observation(writes, subject, entry, ids, stored)
        self._flush(writes)
        return writes.changed

    def _first_orders(self, said: dict[str, list[_Entry]]) -> dict[str, bool]:
        """Which orders hold the first charge of their subscription: only those are new sales, the rest are renewals."""
        paid: dict[str, list[tuple[datetime, str]]] = {}
        for subject, entries in said.items():
            moments = [
                (entry.said.data["subscription_id"], entry.said.occurred_at)
                for entry in entries
                if entry.said.data.get("subscription_id") and entry.said.data.get("stage") == "purchase"
            ]
            if moments:
                paid.setdefault(moments[0][0], []).append((min(moment for _, moment in moments), subject))
        return {subject: (moment, subject) == min(some) for some in paid.values() for moment, subject in some}

    def _put_conversions(
        self, writes: _Writes, subject: str, order_id: str | None, contact_id: str | None,
        folded: list[orders.Folded], stored: dict[tuple[str, str], Row],
    ) -> dict[str, str]:  # fmt: skip
        ids: dict[str, str] = {}
        for one in folded:
            before = stored.get((subject, one.slot))
            conversion_id = before["id"] if before is not None else new_id()
            ids[one.slot] = conversion_id
            row = {
                "id": conversion_id, "workspace_id": self._workspace_id, "subject": subject, "slot": one.slot,
                "event_id": before["event_id"] if before is not None else self._event_id(subject, one),
                "order_id": order_id, "contact_id": contact_id, "kind": one.kind.value,
                "stage": one.stage.value if one.stage else None, "occurred_at": one.occurred_at, "value": one.value,
                "currency": one.currency, "test": one.test, "trust": one.trust.value,
                "identified_by": self._contacts.identified_by(one.data, contact_id), "state": one.state,
                "reason": _reason(one), "data": one.data,
                "created_at": before["created_at"] if before is not None else self._at, "updated_at": self._at,
            }  # fmt: skip
            if before is None or _differs(before, row):
                writes.conversions.append(row)
                writes.changed.append(Changed(row, before is None))
                self._put_credit(writes, conversion_id, one.data["campaigns"])
        return ids

    def _event_id(self, subject: str, one: orders.Folded) -> str:
        """Made from names, not from chance: after a restore and a re-send, destinations still see the same id."""
        name = self._new_orders.get(subject[2:], subject)
        return str(uuid.uuid5(NAMESPACE, f"{self._workspace_id}|{name}|{one.slot}"))

    def _put_order(
        self, writes: _Writes, order_id: str, contact_id: str | None, folded: list[orders.Folded],
        entries: list[_Entry], ids: dict[str, str], booked: dict[tuple[str, str, str, str], Decimal],
    ) -> None:  # fmt: skip
        total = orders.totals(folded)
        before = self._old_orders.get(order_id)
        own = [entry.said.data for entry in entries]
        display = next((data["order_id"] for data in own if data["order_id"] and data["stage"] == "purchase"), None)
        display = display or next((data["order_id"] for data in own if data["order_id"]), None) or ""
        writes.orders.append({
            "id": order_id, "workspace_id": self._workspace_id, "display_id": display[:255], "contact_id": contact_id,
            "subscription_id": next((data["subscription_id"] for data in own if data["subscription_id"]), None),
            "currency": total.currency, "gross": total.gross, "refunded": total.refunded, "disputed": total.disputed,
            "status": total.status, "test": total.test, "paid_at": total.paid_at,
            "created_at": before["created_at"] if before is not None else self._at, "updated_at": self._at,
        })  # fmt: skip
        occurred = {one.slot: one.occurred_at for one in folded}
        wanted = {
            (order_id, ids[slot], kind, currency): (amount, slot)
            for (slot, kind, currency), amount in total.lines.items()
        }
        mine = {key: amount for key, amount in booked.items() if key[0] == order_id} if before is not None else {}
        for key in {**mine, **wanted}:
            amount, slot = wanted.get(key, (ZERO, ""))
            step = amount - mine.get(key, ZERO)
            if step:
                writes.ledger.append({
                    "id": new_id(), "workspace_id": self._workspace_id, "order_id": order_id, "contact_id": contact_id,
                    "conversion_id": key[1], "kind": key[2], "amount": step, "currency": key[3],
                    "occurred_at": occurred.get(slot, self._at), "booked_at": self._at,
                    "note": "amount_replaced" if key in mine else _NOTES[key[2]],
                })  # fmt: skip

    def _put_observation(
        self, writes: _Writes, subject: str, entry: _Entry, ids: dict[str, str], stored: dict[tuple[str, str], Row]
    ) -> None:
        observed, said = entry.observed, entry.said
        assert observed is not None  # noqa: S101 - the caller chose the new ones
        before = stored.get((subject, said.slot))
        observed.effect = observed.effect or _effect(said, before, (subject, said.slot) in writes.seen)
        writes.seen.add((subject, said.slot))
        writes.observations.append({
            "id": new_id(), "workspace_id": self._workspace_id, "connection_id": observed.connection_id,
            "inbound_id": observed.inbound_id, "event_id": said.event_id, "subject": subject, "slot": said.slot,
            "conversion_id": ids[said.slot], "trust": said.trust.value, "occurred_at": said.occurred_at,
            "effect": observed.effect, "data": said.data,
        })  # fmt: skip

    def _put_credit(self, writes: _Writes, conversion_id: str, aim: dict[str, list[str]]) -> None:
        base = {"conversion_id": conversion_id, "workspace_id": self._workspace_id}
        writes.campaign_ids |= {name[:255] for name in aim["ids"]}
        writes.credits += [{**base, "type": "campaign", "value": name[:255]} for name in aim["ids"]]
        writes.credits += [{**base, "type": "tag", "value": tag[:255]} for tag in aim["tags"]]

    # -- and onto disk ---------------------------------------------------------------------------------------------

    def _flush(self, writes: _Writes) -> None:
        tx, workspace_id = self._tx, self._workspace_id
        insert(tx, conversion_store.observation, writes.observations)
        upsert(tx, conversion_store.conversion, writes.conversions, ["id"], _CONVERSION_CHANGES)
        upsert(tx, order_store.order, writes.orders, ["id"], _ORDER_CHANGES)
        aliases = [
            {"workspace_id": workspace_id, "alias": name, "order_id": to} for name, to in self._new_aliases.items()
        ]
        insert_new(tx, order_store.order_alias, aliases, "workspace_id", "alias")
        insert(tx, order_store.ledger, writes.ledger)
        if writes.campaign_ids:
            self._make_campaigns(writes)
        insert_new(tx, campaign_store.credit, writes.credits, "conversion_id", "type", "value")

    def _make_campaigns(self, writes: _Writes) -> None:
        """A webinar id we have not seen becomes a campaign, so that no sale waits for somebody to set it up."""
        rows = [
            {
                "id": new_id(),
                "workspace_id": self._workspace_id,
                "external_id": name,
                "name": name,
                "created_at": self._at,
            }
            for name in sorted(writes.campaign_ids)
        ]
        insert_new(self._tx, campaign_store.campaign, rows, "workspace_id", "external_id")
        found = campaign_store.by_external_ids(self._tx, self._workspace_id, writes.campaign_ids)
        for row in writes.credits:
            if row["type"] == "campaign":
                row["value"] = found[row["value"]]["id"]


@dataclass(slots=True)
class _Entry:
    said: orders.Said
    connection_id: str
    observed: Observed | None  # None: stored before this batch


@dataclass(slots=True)
class _Writes:
    observations: list[Values] = field(default_factory=list)
    conversions: list[Values] = field(default_factory=list)
    orders: list[Values] = field(default_factory=list)
    ledger: list[Values] = field(default_factory=list)
    credits: list[Values] = field(default_factory=list)
    campaign_ids: set[str] = field(default_factory=set)
    changed: list[Changed] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)


_CONVERSION_CHANGES = (
    "order_id", "contact_id", "kind", "stage", "occurred_at", "value", "currency", "test", "trust", "identified_by", "state",
    "reason", "data", "updated_at",
)  # fmt: skip
_ORDER_CHANGES = (
    "display_id", "contact_id", "subscription_id", "currency", "gross", "refunded", "disputed", "status", "test", "paid_at",
    "updated_at",
)  # fmt: skip
_COMPARED = (
    "order_id", "contact_id", "kind", "stage", "occurred_at", "value", "currency", "test", "trust", "identified_by", "state",
    "reason", "data",
)  # fmt: skip
_NOTES = {
    "gross": "order_added", "renewal": "renewal_recorded", "refund": "refund_recorded", "dispute": "dispute_recorded",
}  # fmt: skip
_KIND_EFFECTS = {
    "renewal": "renewal_recorded", "refund": "refund_recorded", "dispute": "dispute_recorded",
    "cancellation": "cancellation_recorded", "pending": "pending_recorded", "contact": "contact_updated",
}  # fmt: skip


def _differs(before: Row, row: Values) -> bool:
    return any(before[name] != row[name] for name in _COMPARED)


def _reason(one: orders.Folded) -> str:
    if one.test:
        return "test_not_counted"
    if one.value and not one.currency:
        return "currency_unknown"
    if one.kind.value in _KIND_EFFECTS:
        return _KIND_EFFECTS[one.kind.value]
    return "order_added" if one.stage == "purchase" else "new_conversion"


def _effect(said: orders.Said, before: Row | None, seen_in_batch: bool) -> str:
    if said.data.get("test"):
        return "test_not_counted"
    if before is None and not seen_in_batch:
        return _KIND_EFFECTS.get(
            said.data["kind"], "order_added" if said.data["stage"] == "purchase" else "new_conversion"
        )
    if before is not None and before["trust"] == said.trust.value and said.data.get("value"):
        return "amount_replaced"
    return "joined_known_sale"


def _join_stored(tx: Connection, workspace_id: str, loser: str, winner: str) -> None:
    """Move the rows of a stored order under another one; slots that both have are folded together afterwards."""
    conversion, observation = conversion_store.conversion, conversion_store.observation
    old, new = f"o:{loser}", f"o:{winner}"
    stored = conversion_store.conversions_of(tx, workspace_id, [old, new])
    kept = {row["slot"]: row["id"] for row in stored if row["subject"] == new}
    for row in stored:
        if row["subject"] != old:
            continue
        twin = kept.get(row["slot"])
        if twin is None:
            tx.execute(update(conversion).where(conversion.c.id == row["id"]).values(subject=new, order_id=winner))
            continue
        # Both had been told to destinations: the row stays, so that this can be seen, but counts no more.
        replaced = {
            "subject": f"{old}>{winner}",
            "order_id": winner,
            "state": "replaced",
            "reason": "joined_known_sale",
        }
        tx.execute(update(conversion).where(conversion.c.id == row["id"]).values(**replaced))
        own_lines = order_store.ledger.c.conversion_id == row["id"]
        tx.execute(update(order_store.ledger).where(own_lines).values(conversion_id=twin))
        tx.execute(update(observation).where(observation.c.conversion_id == row["id"]).values(conversion_id=twin))
    moved = update(observation).where(observation.c.workspace_id == workspace_id, observation.c.subject == old)
    tx.execute(moved.values(subject=new))
    for table in (order_store.ledger, order_store.order_alias):
        tx.execute(update(table).where(table.c.order_id == bindparam("old")).values(order_id=winner), {"old": loser})
    tx.execute(order_store.order.delete().where(order_store.order.c.id == loser))

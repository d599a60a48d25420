"""One order out of all that was said about it. Pure: the same observations, in any order, give the same order.

*Slots.* Within an order there is one conversion for each funnel stage, one renewal, and one for each separate refund or
dispute. Every observation falls into a slot; the conversion of a slot is what its observations say together.
*Strength.* What is proven beats what is claimed; among equals the latest word counts (a page refresh replaces the amount).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.attribute.identity import normal_email
from hub.contract.conversion import iso
from hub.contract.money import rounded
from hub.contract.vocabulary import Kind, Stage, Trust

Json = dict[str, Any]
NOTHING = Decimal(0)
MAYBE_RENEWAL = "maybe_renewal"
"""A source sets this flag on a subscription's charge that may be the first or a later one: the hub knows, it does not."""
REFUND_ID_UNKNOWN = "refund_id_unknown"
"""A source sets this flag on a refund that another event of the same refund may tell with its id."""


@dataclass(slots=True)
class Said:
    """One observation, as far as folding goes. ``data`` is the conversion's JSON, never changed."""

    event_id: str
    slot: str  # as :func:`slot_of` says
    trust: Trust
    occurred_at: datetime
    data: Json


@dataclass(slots=True)
class Folded:
    """What all observations of one slot say together. ``slots`` are those the observations were told under."""

    slot: str
    kind: Kind
    stage: Stage | None
    trust: Trust
    occurred_at: datetime
    value: Decimal | None
    currency: str | None
    test: bool
    data: Json
    slots: frozenset[str]
    state: str = "counted"

    @property
    def is_charge(self) -> bool:
        """Whether a sale was paid by it, the first time or again."""
        return self.stage is Stage.PURCHASE and self.kind in (Kind.CONVERSION, Kind.RENEWAL)


@dataclass(slots=True)
class Totals:
    """An order's money and standing."""

    currency: str | None = None
    gross: Decimal = NOTHING
    refunded: Decimal = NOTHING
    disputed: Decimal = NOTHING
    status: str = "open"
    test: bool = False
    paid_at: datetime | None = None
    # What the ledger must add up to, by (slot, line kind, currency).
    lines: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)


def names_of(data: Json, scope: str = "") -> list[str]:
    """Every normalized name the message has for its order, the order id first."""
    names = [normal_id(name) for name in (data.get("order_id"), *data.get("order_aliases", ()))]
    return [f"{scope}{name}" for name in dict.fromkeys(names) if name]


def normal_id(text: Any) -> str | None:
    """An order id as a key: case, surrounding space and a leading # do not tell orders apart; leading zeros do."""
    key = str(text).strip().lstrip("#").strip().casefold() if text is not None else ""
    if len(key) > 200:
        key = key[:120] + hashlib.sha256(key.encode()).hexdigest()
    return key or None


def slot_of(data: Json) -> str:
    """Which conversion of its order an observation belongs to."""
    kind = data["kind"]
    if kind == "conversion":
        return str(data["stage"])
    if kind in ("refund", "dispute"):
        slot = f"{kind}:{data.get('money_id') or data['event_id']}"
        return slot if len(slot) <= 300 else slot[:200] + hashlib.sha256(slot.encode()).hexdigest()
    return str(kind)


def fold(said: Iterable[Said]) -> list[Folded]:
    """One Folded for each slot, in the order of the slots' names."""
    told_in: dict[str, list[Said]] = {}
    for told in said:
        told_in.setdefault(told.slot, []).append(told)
    slots: dict[str, list[Said]] = {}
    homes = _same_refunds(told_in)
    for slot, some in told_in.items():
        slots.setdefault(homes.get(slot, slot), []).extend(some)
    folded = [_fold_slot(slot, slots[slot]) for slot in sorted(slots)]
    _fill_currency(folded)
    if any(one.is_charge and not one.test for one in folded):
        for one in folded:
            if one.stage is Stage.LEAD and one.state == "counted":
                one.state = "recovered"
    return folded


def totals(folded: Iterable[Folded]) -> Totals:
    """Add up an order. Tests count nothing; money whose currency nobody knows is not counted."""
    result = Totals()
    conversions = list(folded)
    paid = [one for one in conversions if one.is_charge]
    result.currency = _currency(conversions)
    result.test = bool(conversions) and all(one.test for one in conversions)
    for one in conversions:
        _book(result, one)
    if paid:
        result.paid_at = min(one.occurred_at for one in paid)
    result.status = _status(result, conversions, bool(paid))
    return result


def mark_renewals(orders: Mapping[str, Sequence[Folded]]) -> None:
    """Of each subscription's charges in ``orders`` the earliest is a new sale; the others that may be renewals are."""
    charges: dict[str, list[tuple[datetime, str, Folded]]] = {}
    for folded in orders.values():
        for one in folded:
            if one.is_charge and one.kind is Kind.CONVERSION and one.data.get("subscription_id"):
                charge = (one.occurred_at, str(one.data["event_id"]), one)
                charges.setdefault(one.data["subscription_id"], []).append(charge)
    for some in charges.values():
        first = min(some, key=lambda charge: charge[:2])[2]
        for _, _, one in some:
            if one is not first and MAYBE_RENEWAL in one.data.get("flags", ()):
                one.kind = Kind.RENEWAL


def _same_refunds(told_in: Mapping[str, Sequence[Said]]) -> dict[str, str]:
    """Slots of refunds told without their id, and the slot of the same refund told with it: where the money agrees.

    Each refund with an id stands for one without, so two alike partial refunds stay two.
    """
    refunds = {slot: some for slot, some in told_in.items() if some[0].data["kind"] == "refund"}
    unnamed = [slot for slot, some in refunds.items() if all(REFUND_ID_UNKNOWN in one.data["flags"] for one in some)]
    free = sorted((_earliest(some), slot) for slot, some in refunds.items() if slot not in unnamed)
    homes: dict[str, str] = {}
    for slot in sorted(unnamed, key=lambda slot: (_earliest(refunds[slot]), slot)):
        money = {_money(one) for one in refunds[slot]}
        # Any amount ever told for it: one that failed later is worth nothing by now.
        home = next((one for one in free if money & {_money(told) for told in refunds[one[1]]}), None)
        if home is not None:
            free.remove(home)
            homes[slot] = home[1]
    return homes


def _earliest(said: Sequence[Said]) -> datetime:
    return min(one.occurred_at for one in said)


def _money(said: Said) -> tuple[Decimal | None, str | None]:
    return _value(said.data), said.data.get("currency")


def _value(data: Json) -> Decimal | None:
    """The amount as the books keep it: what was stored before amounts were rounded at reading is rounded here."""
    value = data.get("value")
    return None if value is None else rounded(Decimal(value))


def _fold_slot(slot: str, said: list[Said]) -> Folded:
    slots = frozenset(one.slot for one in said)
    # Among equals what is live beats a test, so that no test takes real money out of the books.
    said = sorted(said, key=lambda one: (-one.trust.rank, not _is_test(one), one.occurred_at, one.event_id))
    strongest = said[-1]
    is_test = _is_test(strongest)
    said = [one for one in said if is_test or not _is_test(one)]
    best = [one for one in said if one.trust is strongest.trust]
    occurred_at = _earliest(best)
    data = strongest.data
    if len(said) > 1:
        flags = _union(one.data.get("flags") for one in best)
        data = _overlay([one.data for one in said]) | {"flags": flags, "occurred_at": iso(occurred_at)}
    return Folded(
        slot=slot,
        kind=Kind(data["kind"]),
        stage=Stage(data["stage"]) if data.get("stage") else None,
        trust=strongest.trust,
        occurred_at=occurred_at,
        value=_value(data),
        currency=data.get("currency"),
        test=is_test,
        data=data,
        slots=slots,
        state="test" if is_test else "counted",
    )


def _is_test(said: Said) -> bool:
    return bool(said.data.get("test"))


def _overlay(layers: Sequence[Json]) -> Json:
    """Later layers win field by field; what they leave empty shows through. An amount comes with its own currency."""
    result: Json = _merged(layers)
    priced = [layer for layer in layers if layer.get("value") is not None]
    if priced and priced[-1].get("currency"):
        result["currency"] = priced[-1]["currency"]
    email = normal_email(result["contact"].get("email"))
    of_one_person = [
        layer["contact"] for layer in layers if normal_email(layer["contact"].get("email")) in (None, email)
    ]
    result["contact"] = _merged(of_one_person)
    result["test"] = layers[-1].get("test", False)
    result["recurring"] = any(layer.get("recurring") for layer in layers)
    result["order_aliases"] = _union(layer.get("order_aliases") for layer in layers)
    result["campaigns"] = {name: _union(layer["campaigns"].get(name) for layer in layers) for name in ("ids", "tags")}
    return result


def _merged(layers: Sequence[Json]) -> Json:
    result: Json = dict(layers[0])
    for layer in layers[1:]:
        for name, value in layer.items():
            if isinstance(value, dict) and isinstance(result.get(name), dict):
                result[name] = _merged([result[name], value])
            elif value not in (None, "", [], {}):
                result[name] = value
    return result


def _fill_currency(folded: Sequence[Folded]) -> None:
    """Money told without a currency is in the one of its order."""
    currency = _currency(folded)
    for one in folded:
        if currency is not None and one.value is not None and one.currency is None:
            one.currency, one.data = currency, {**one.data, "currency": currency}


def _currency(folded: Sequence[Folded]) -> str | None:
    charges_first = sorted(folded, key=lambda one: not one.is_charge)
    return next((one.currency for one in charges_first if one.currency), None)


def _union(lists: Iterable[list[str] | None]) -> list[str]:
    return sorted({element for some in lists for element in some or ()})


def _book(result: Totals, one: Folded) -> None:
    if one.test or not one.value or one.currency is None:
        return
    if one.kind is Kind.REFUND:
        kind, column = "refund", "refunded"
    elif one.kind is Kind.DISPUTE:
        kind, column = "dispute", "disputed"
    elif one.is_charge:
        kind, column = ("renewal" if one.kind is Kind.RENEWAL else "gross"), "gross"
    else:
        return
    if one.currency == result.currency:  # another currency stands in the ledger, and is never added up with this one
        setattr(result, column, getattr(result, column) + one.value)
    result.lines[(one.slot, kind, one.currency)] = one.value if column == "gross" else -one.value


def _status(result: Totals, conversions: list[Folded], paid: bool) -> str:
    kinds = {one.kind for one in conversions}
    if result.disputed:
        return "disputed"
    if result.refunded and result.refunded >= result.gross:
        return "refunded"
    if paid:
        return "paid"
    if Kind.PENDING in kinds:
        return "pending"
    if any(one.stage is Stage.LEAD for one in conversions):
        return "lead"
    return "cancelled" if Kind.CANCELLATION in kinds else "open"

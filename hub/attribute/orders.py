"""One order out of all that was said about it. Pure: the same observations, in any order, give the same order.

*Slots.* Within an order there is one conversion for each funnel stage, one renewal, and one for each separate refund or
dispute. Every observation falls into a slot; the conversion of a slot is what its observations say together.
*Strength.* What is proven beats what is claimed; among equals the latest word counts (a page refresh replaces the amount).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract.vocabulary import Kind, Stage, Trust

Json = dict[str, Any]
NOTHING = Decimal(0)
MAYBE_RENEWAL = "maybe_renewal"
"""A source sets this flag on a subscription's charge that may be the first or a later one: the hub knows, it does not."""


@dataclass(slots=True)
class Said:
    """One observation, as far as folding goes. ``data`` is the conversion's JSON, never changed."""

    event_id: str
    slot: str
    trust: Trust
    occurred_at: datetime
    data: Json


@dataclass(slots=True)
class Folded:
    """What all observations of one slot say together."""

    slot: str
    kind: Kind
    stage: Stage | None
    trust: Trust
    occurred_at: datetime
    value: Decimal | None
    currency: str | None
    test: bool
    data: Json
    state: str = "counted"


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
        return f"{kind}:{data.get('money_id') or data['event_id']}"[:300]
    return str(kind)


def fold(said: Sequence[Said], *, first_of_subscription: bool = True) -> list[Folded]:
    """One Folded for each slot, in the order of the slots' names."""
    slots: dict[str, list[Said]] = {}
    for told in said:
        slots.setdefault(told.slot, []).append(told)
    folded = [_fold_slot(slot, slots[slot], first_of_subscription) for slot in sorted(slots)]
    if any(one.kind in (Kind.CONVERSION, Kind.RENEWAL) and one.stage is Stage.PURCHASE for one in folded):
        for one in folded:
            if one.stage is Stage.LEAD:
                one.state = "recovered"
    return folded


def totals(folded: Iterable[Folded]) -> Totals:
    """Add up an order. Tests count nothing; money without a currency takes the order's, or is not counted."""
    result = Totals()
    conversions = list(folded)
    paid = [one for one in conversions if one.stage is Stage.PURCHASE and one.kind in (Kind.CONVERSION, Kind.RENEWAL)]
    with_currency = [one.currency for one in paid + conversions if one.currency]
    result.currency = with_currency[0] if with_currency else None
    result.test = bool(conversions) and all(one.test for one in conversions)
    for one in conversions:
        _book(result, one)
    if paid:
        result.paid_at = min(one.occurred_at for one in paid)
    result.status = _status(result, conversions, bool(paid))
    return result


def _fold_slot(slot: str, said: list[Said], first_of_subscription: bool) -> Folded:
    said.sort(key=lambda one: (-one.trust.rank, one.occurred_at, one.event_id))
    strongest = said[-1]
    data = strongest.data if len(said) == 1 else _overlay([one.data for one in said])
    best = [one for one in said if one.trust is strongest.trust]
    kind = Kind(data["kind"])
    if kind is Kind.CONVERSION and MAYBE_RENEWAL in data.get("flags", ()) and not first_of_subscription:
        kind = Kind.RENEWAL
    value = data.get("value")
    return Folded(
        slot=slot,
        kind=kind,
        stage=Stage(data["stage"]) if data.get("stage") else None,
        trust=strongest.trust,
        occurred_at=min(one.occurred_at for one in best),
        value=None if value is None else Decimal(value),
        currency=data.get("currency"),
        test=bool(strongest.data.get("test")),
        data=data,
        state="test" if strongest.data.get("test") else "counted",
    )


def _overlay(layers: Sequence[Json]) -> Json:
    """Later layers win field by field; what they leave empty shows through. An amount comes with its own currency."""
    result: Json = dict(layers[0])
    for layer in layers[1:]:
        for name, value in layer.items():
            if name == "currency" and layer.get("value") is not None:
                result[name] = value or result.get(name)
            elif isinstance(value, dict) and isinstance(result.get(name), dict):
                result[name] = _overlay([result[name], value])
            elif value not in (None, "", [], {}):
                result[name] = value
    result["test"] = layers[-1].get("test", False) if "test" in layers[-1] else result.get("test")
    if "campaigns" in result and "order_aliases" in result:
        result["order_aliases"] = _union(layer.get("order_aliases") for layer in layers)
        result["campaigns"] = {
            name: _union((layer.get("campaigns") or {}).get(name) for layer in layers) for name in ("ids", "tags")
        }
    return result


def _union(lists: Iterable[list[str] | None]) -> list[str]:
    return sorted({element for some in lists for element in some or ()})


def _book(result: Totals, one: Folded) -> None:
    currency = one.currency or result.currency
    if one.test or not one.value or currency is None:
        return
    if one.kind is Kind.REFUND:
        kind, column = "refund", "refunded"
    elif one.kind is Kind.DISPUTE:
        kind, column = "dispute", "disputed"
    elif one.stage is Stage.PURCHASE and one.kind in (Kind.CONVERSION, Kind.RENEWAL):
        kind, column = ("renewal" if one.kind is Kind.RENEWAL else "gross"), "gross"
    else:
        return
    if currency == result.currency:  # another currency stands in the ledger, and is never added up with this one
        setattr(result, column, getattr(result, column) + one.value)
    amount = one.value if column == "gross" else -one.value
    result.lines[(one.slot, kind, currency)] = amount


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

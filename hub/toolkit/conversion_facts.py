"""Reads what most messages about a sale have in common. The results are *facts*: arguments of :class:`Conversion`.

Conversion(event_id=…, stage=Stage.PURCHASE, **sale_names(order["id"], order.get("number")),
           **minor_money(order["total"], order["currency"]), contact=read_person(order, PERSON))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.contract.conversion import Contact, Conversion, Item
from hub.contract.errors import NotUnderstood
from hub.contract.money import currency_code, decimal, exponent, from_minor
from hub.contract.vocabulary import Stage
from hub.toolkit.cleaning import clean_text, split_name
from hub.toolkit.dates import first_time
from hub.toolkit.paths import dig, text
from hub.toolkit.tracking import read_tracking

Facts = dict[str, Any]
Paths = Mapping[str, Sequence[str]]
"""Field → where it stands in the message: one path (a text), or several, of which the first that holds a text counts."""


def first_text(data: Any, *paths: str) -> str | None:
    """The first text found at ``paths`` (as :func:`~hub.toolkit.paths.dig` reads them)."""
    for path in paths:
        said = text(dig(data, path))
        if said:
            return said
    return None


def first_object(data: Any, *paths: str) -> dict[str, Any]:
    """The first object at ``paths`` that has anything in it; else {}. For what belongs together, such as an address."""
    found = (dig(data, path) for path in paths)
    return next((one for one in found if isinstance(one, dict) and any(one.values())), {})


def told(facts: Facts, times: Iterable[Any], received_at: datetime, **notes: Any) -> Conversion:
    """The conversion of ``facts``, at the first readable of ``times`` (best first).

    ``notes`` are objects with the shop's free fields. Campaigns, UTM values and click ids among them are put where they
    belong; the rest is kept in ``extra`` under the note's name. A note that is no object is ignored.
    """
    occurred_at, flags = first_time(*times, fallback=received_at)
    conversion = Conversion(occurred_at=occurred_at, **{**facts, "flags": [*facts.get("flags", ()), *flags]})
    left = {name: read_tracking(conversion, pairs) for name, pairs in notes.items() if isinstance(pairs, dict)}
    conversion.extra = {**conversion.extra, **{name: pairs for name, pairs in left.items() if pairs}}
    return conversion


def sale_names(*candidates: Any) -> Facts:
    """``order_id`` and ``order_aliases`` out of all the sender's names for the sale, the canonical one first.

    Missing ones are passed over. Raises NotUnderstood when none is left: the sale could not be told from others.
    """
    names = list(dict.fromkeys(name for candidate in candidates if (name := text(candidate))))
    if not names:
        raise NotUnderstood(
            "The message names no order. Look at it, update the connector if the sender changed, then replay."
        )
    return {"order_id": names[0], "order_aliases": names[1:]}


def minor_money(amount: Any, currency: Any, exponents: dict[str, int] | None = None) -> Facts:
    """``value`` and ``currency`` of an amount in cents; ``exponents`` as in :func:`~hub.contract.money.from_minor`.

    Raises ValueError for a missing or negative amount, NotUnderstood for a missing or unknown currency.
    """
    code = _known(currency)
    return {"value": _not_negative(from_minor(amount, code, exponents)), "currency": code}


def major_money(amount: Any, currency: Any) -> Facts:
    """``value`` and ``currency`` of a machine-written amount in major units. Raises as :func:`minor_money` does.

    Zeros that the currency has no place for are taken off ("53.0000" USD is 53.00); other digits stay.
    """
    code, value = _known(currency), _not_negative(decimal(amount))
    rounded = value.quantize(Decimal(1).scaleb(-exponent(code)))
    is_longer = int(value.as_tuple().exponent) < -exponent(code)
    return {"value": rounded if is_longer and rounded == value else value, "currency": code}


def refused(words: Any = None) -> Facts:
    """The stage and reason of a payment that was refused, with the processor's words if it had any."""
    said = text(words)
    return {"stage": Stage.LEAD, "reason": f"refused: {said}" if said else "refused"}


def read_person(data: Any, paths: Paths) -> Contact:
    """The contact whose fields stand at ``paths``; ``name`` is a whole name, split when no first name is known."""
    found = _read(data, paths)
    first, last = split_name(found.pop("name", None))
    if not found.get("first_name"):
        found |= {"first_name": first, "last_name": found.get("last_name") or last}
    return Contact(**found)


def read_items(lines: Any, paths: Paths, unit_price: Callable[[Any], Decimal | None] | None = None) -> list[Item]:
    """The lines of an order. ``paths`` may name every field of an Item but the price; ``unit_price`` reads that.

    Names lose their HTML entities (``&ndash;``). Anything but a list of objects gives no item: no sale is lost for that.
    """
    rows = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    items = []
    for line in rows:
        found = _read(line, paths)
        if found.get("name"):
            found["name"] = clean_text(str(found["name"]))
        quantity = decimal(found.pop("quantity", None))
        price = unit_price(line) if unit_price else None
        items.append(Item(**found, quantity=Decimal(1) if quantity is None else quantity, price=price))
    return items


def _read(data: Any, paths: Paths) -> dict[str, str | None]:
    return {name: first_text(data, *([path] if isinstance(path, str) else path)) for name, path in paths.items()}


def _known(currency: Any) -> str:
    code = currency_code(currency)
    if code is None:
        raise NotUnderstood("The amount came without a currency that the hub knows.", reason="currency_unknown")
    return code


def _not_negative(amount: Decimal | None) -> Decimal:
    if amount is None or amount < 0:
        raise ValueError("an amount of zero or more was expected")
    return amount

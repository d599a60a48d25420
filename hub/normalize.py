"""Asking a source connector: is the message genuine, and which conversions are in it?

Connectors stay naive; what they trip over becomes an error for people here, and what they return is checked and cut to
what the store can hold. No I/O: a recipe's calls are yielded to whoever drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from re import compile as pattern
from typing import Any

import msgspec

from hub.connecting.seams import NAIVE, asking, at_most, guarded, where
from hub.contract import Conversion, Inbound, Item, Kind, NotUnderstood, Recipe, Source, Stage
from hub.contract.conversion import iso
from hub.contract.money import MAX_AMOUNT, currency_code, rounded
from hub.toolkit.dates import DATE_REPLACED, EARLIEST, LATEST

MAX_CONVERSIONS = 1000  # in one message
MAX_LIST = 200  # items, campaign ids, tags, aliases
MAX_ENTRIES = 40  # utm and click id dictionaries
MAX_WORDS = 500  # characters of an id or name
MAX_LONG = 2000  # characters of an address, a user agent, the processor's words
MAX_EXTRA = 32_000  # bytes of ``extra`` as JSON
MAX_DIGITS = 18  # of an amount, before and after the point together


Values = Mapping[str, Any]


def read_message(source: Source, inbound: Inbound, settings: Values) -> list[Conversion]:
    """The conversions in ``inbound``, checked; ``[]`` means "genuine, but not for us".

    Checked means: event ids are unique texts, no id of a sale is the text "None", amounts are Decimals of 18 digits at
    most, not negative and rounded to the four decimals of the books, currencies are ISO codes or None, times are aware and
    between 2000 and 2100, lists and texts have bounded lengths and hold nothing a database refuses. Raises NotUnderstood
    when the message or what the connector made of it is not usable, and ConnectorBroken when the connector failed in a way
    that no message explains.
    """
    with guarded(source, "reading this message"):
        try:
            with at_most():
                found = list(islice(source.normalize(inbound, settings), MAX_CONVERSIONS + 1))
                _check_all(found, inbound.received_at)
                return _distinct(found)
        except NAIVE as error:
            raise _not_understood(error) from error


def needs_fetch(source: Source, inbound: Inbound, settings: Values) -> bool:
    """Whether something has to be read back before the message can be read. Raises NotUnderstood, ConnectorBroken."""
    if type(source).needs_fetch is Source.needs_fetch:
        return False
    with guarded(source, "looking at this message"):
        try:
            with at_most():
                return bool(source.needs_fetch(inbound, settings))
        except NAIVE as error:
            raise _not_understood(error) from error


def read_back(source: Source, inbound: Inbound, settings: Values) -> Recipe:
    """A recipe that returns what :meth:`Source.fetch` read back, for ``inbound.fetched``: a dict that JSON can hold.

    Raises NotUnderstood and ConnectorBroken.
    """
    return asking(source, "reading back", _fetched, source, inbound, settings)


def _fetched(source: Source, inbound: Inbound, settings: Values) -> Recipe:
    try:
        found = dict((yield from source.fetch(inbound, settings)) or {})
        msgspec.json.encode(found)
    except NAIVE as error:
        raise _not_understood(error) from error
    return found


def _not_understood(error: Exception) -> NotUnderstood:
    if isinstance(error, KeyError) and error.args:
        missing = str(error.args[0])[:80]
        message = f"The message has no “{missing}”, which this sender was expected to send."
    else:
        message = "The message is not in the form this sender was expected to use."
    return NotUnderstood(
        f"{message} Look at it, update the connector if the sender changed, then replay.", detail=where(error)
    )


def _distinct(found: list[Conversion]) -> list[Conversion]:
    """Without exact repetitions. Two different conversions under one event id would swallow each other."""
    by_id: dict[str, Conversion] = {}
    for conversion in found:
        if by_id.setdefault(conversion.event_id, conversion) != conversion:
            raise NotUnderstood(f"Two different events of the message carry the same id {conversion.event_id[:80]}.")
    return list(by_id.values())


def _check_all(found: list[Conversion], received_at: datetime) -> None:
    if len(found) > MAX_CONVERSIONS:
        raise NotUnderstood(f"The message holds more than {MAX_CONVERSIONS} events. Ask its sender for smaller ones.")
    for conversion in found:
        _check(conversion, received_at)


def _check(conversion: Conversion, received_at: datetime) -> None:
    conversion.kind = Kind(conversion.kind)
    conversion.stage = Stage(conversion.stage) if conversion.stage else None
    if conversion.kind is Kind.CONVERSION and conversion.stage is None:
        raise NotUnderstood("The event reached no stage of the funnel that the hub knows.")
    _check_time(conversion, received_at)
    _check_money(conversion)
    _clean(conversion, ("event_id", "order_id", "subscription_id", "money_id"), _own_identifier)
    _clean(conversion, ("coupon", "offer"), _words)
    _clean(conversion, ("reason",), _long_words)
    if not conversion.event_id:
        raise NotUnderstood("The message does not say which event it is: its id is missing.")
    conversion.recurring, conversion.test = bool(conversion.recurring), bool(conversion.test)
    conversion.order_aliases = _list(conversion.order_aliases, "order_aliases", _own_identifier)
    conversion.campaigns.ids = _list(conversion.campaigns.ids, "campaigns.ids")
    conversion.campaigns.tags = _list(conversion.campaigns.tags, "campaigns.tags")
    conversion.flags = _list(conversion.flags, "flags")
    _clean(conversion.contact, conversion.contact.__slots__, _words)
    if conversion.contact.external_id == _NO_ID:  # it would make one person of many; the sale is none the worse for it
        conversion.contact.external_id = None
        conversion.flags.append("external_id_not_usable")
    _clean(conversion.context, ("ip", "cookie"), _words)
    _clean(conversion.context, ("user_agent", "page_url", "referrer"), _long_words)
    conversion.context.utm = _entries(conversion.context.utm, "context.utm")
    conversion.context.click_ids = _entries(conversion.context.click_ids, "context.click_ids")
    for name in conversion.consent.__slots__:
        if getattr(conversion.consent, name) not in (None, True, False):
            raise NotUnderstood(f"The consent for {name} is neither yes nor no.")
    conversion.extra = _extra(conversion)


def _check_time(conversion: Conversion, received_at: datetime) -> None:
    if conversion.occurred_at.tzinfo is None:
        raise NotUnderstood("The time of the event has no time zone.")
    if not EARLIEST <= conversion.occurred_at < LATEST:
        conversion.occurred_at = received_at
        if DATE_REPLACED not in conversion.flags:
            conversion.flags = [*conversion.flags, DATE_REPLACED]


def _check_money(conversion: Conversion) -> None:
    conversion.value = _amount(conversion.value, "The amount")
    if conversion.value is not None:
        if conversion.value < 0:
            raise NotUnderstood("The amount is negative.", detail=str(conversion.value), reason="amount_not_readable")
        conversion.value = rounded(conversion.value)
    if conversion.currency:
        code = currency_code(conversion.currency)
        if code is None:
            said = str(conversion.currency)[:20]
            raise NotUnderstood(f"“{said}” is not a currency the hub knows.", reason="currency_unknown")
        conversion.currency = code
    else:
        conversion.currency = None
    conversion.items = conversion.items[:MAX_LIST]
    for item in conversion.items:
        _check_item(item)


def _check_item(item: Item) -> None:
    item.price = _amount(item.price, "The price of an item")
    quantity = _amount(item.quantity, "The quantity of an item")
    item.quantity = Decimal(1) if quantity is None else quantity
    _clean(item, ("product_id", "sku"), _identifier)
    _clean(item, ("name", "category"), _words)


def _amount(value: Any, name: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise TypeError(f"{name} must be a Decimal, not {type(value).__name__}")
    if not value.is_finite() or abs(value) > MAX_AMOUNT:
        raise NotUnderstood(f"{name} is not a sum of money.", detail=str(value)[:80], reason="amount_not_readable")
    _, digits, exponent = value.as_tuple()
    if len(digits) > MAX_DIGITS or not -MAX_DIGITS <= int(exponent) <= MAX_DIGITS:
        raise NotUnderstood(f"{name} has too many digits.", detail=str(value)[:80], reason="amount_not_readable")
    return value if value else abs(value)  # a negative zero would be shown as "-0"


def _clean(part: Any, names: Iterable[str], clean: Callable[[Any, str], str | None]) -> None:
    for name in names:
        value = getattr(part, name)
        if value is not None:
            setattr(part, name, clean(value, name))


def _words(value: Any, name: str, limit: int = MAX_WORDS) -> str | None:
    """Text without what a database refuses (NUL, lone surrogates), cut to ``limit`` characters; None when empty."""
    text = _text(value, name)
    return text[:limit] or None


def _long_words(value: Any, name: str) -> str | None:
    return _words(value, name, MAX_LONG)


def _identifier(value: Any, name: str) -> str | None:
    """As words, but what is cut off leaves a digest behind, so that two long ids never become one."""
    text = _text(value, name).strip()
    if len(text) > MAX_WORDS:
        text = f"{text[: MAX_WORDS - 65]}~{sha256(text.encode()).hexdigest()}"
    return text or None


def _own_identifier(value: Any, name: str) -> str | None:
    """As an identifier; refused is the text that Python makes of a missing one: all sales without id would be one."""
    identifier = _identifier(value, name)
    if identifier == _NO_ID:
        raise NotUnderstood(
            f"The message names no {name.replace('_', ' ')}: “{identifier}” is what a program writes for a missing value. "
            "Look at it, update the connector or the sender's template, then replay.",
            detail=f"{name} is the text {identifier}",
        )
    return identifier


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise TypeError(f"{name} must be text, not {type(value).__name__}")
        value = str(value)
    return value if value.isprintable() else _UNSTORABLE.sub("", value)


_NO_ID = "None"  # str(None)
_UNSTORABLE = pattern("[\x00\ud800-\udfff]")


def _list(values: list[str], name: str, clean: Callable[[Any, str], str | None] = _identifier) -> list[str]:
    """Distinct identifiers in their order, capped."""
    if values == []:
        return []
    cleaned = (clean(value, name) for value in values[:MAX_LIST] if value is not None)
    return list(dict.fromkeys(value for value in cleaned if value))


def _entries(values: dict[str, str], name: str) -> dict[str, str]:
    pairs = ((_words(key, name, 80), _long_words(value, name)) for key, value in values.items() if value is not None)
    return dict(islice(((key, value) for key, value in pairs if key and value), MAX_ENTRIES))


def _extra(conversion: Conversion) -> dict[str, Any]:
    """``extra`` as plain JSON; dropped, and said so, when it is longer than anyone maps."""
    if not conversion.extra:
        return {}
    extra = _plain(conversion.extra)
    if len(msgspec.json.encode(extra)) > MAX_EXTRA:
        conversion.flags.append("extra_dropped")
        return {}
    return dict(extra)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value, "extra")
    if isinstance(value, Decimal):
        # Written out, 1e999999999 would be a gigabyte of zeros.
        return format(value, "f") if -30 < value.adjusted() < 30 else str(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {_text(str(key), "extra"): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"extra holds a {type(value).__name__}")

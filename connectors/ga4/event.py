"""One record as a message of the GA4 Measurement Protocol.

Sources: developers.google.com/analytics/devguides/collection/protocol/ga4/reference, …/sending-events (body, limits),
…/collection/ga4/uid-data (user data), support.google.com/analytics/answer/9267744 (lengths of values).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.contract import BadMapping, Kind, Record, Settings, Stage, money
from hub.toolkit import ads, people
from hub.toolkit.paths import text

MAX_PARAMS = 25
MAX_ITEMS = 200
ENGAGEMENT = 100  # milliseconds, Google's own example: without any, an event joins no session
NAME = re.compile(r"(?!_|firebase_|ga_|google_|gtag\.)[A-Za-z][A-Za-z0-9_]{0,39}")
_LENGTHS = {"page_location": 1000, "page_referrer": 420, "page_title": 300}  # 100 for all others
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERSON = ("email", "phone", "first_name", "last_name", "city", "region", "postal_code", "country")
_CONSENT = ("ad_user_data", "ad_personalization")
_NOT_PARAMS = {
    "client_id",
    "user_id",
    "visitor",
    "session_id",
    "transaction_id",
    "value",
    "currency",
    "items",
    *_PERSON,
    *_CONSENT,
}


def build_message(record: Record, settings: Settings) -> dict[str, Any]:
    """The body of one request. Raises BadMapping for what Google would drop without a word."""
    values = record.values
    message: dict[str, Any] = {
        "client_id": client_id(record, settings),
        "timestamp_micros": (record.occurred_at - _EPOCH) // timedelta(microseconds=1),
        "events": [{"name": _event_name(record, settings), "params": _params(record)}],
    }
    user_id = text(values.get("user_id"))
    if user_id:
        message["user_id"] = user_id[:256]
        message |= _user_data(values)
    return message | _consent(values)


def client_id(record: Record, settings: Settings) -> str:
    """The browser's own id out of its ``_ga`` cookie, else one that is the same for every event of this person."""
    values = record.values
    given = text(values.get("client_id"))
    if given:
        return ".".join(given.split(".")[-2:]) if given.startswith("GA") else given
    known = (people.email(values.get("email")), people.phone(values.get("phone"), text(values.get("country"))))
    plain = (text(values.get(key)) for key in ("user_id", "visitor", "transaction_id"))
    person = next(filter(None, (*known, *plain)), record.event_id)
    return str(people.stable_uuid("ga4", settings["measurement_id"], person))


def session_id(given: Any) -> str | None:
    """The number in a ``_ga_<stream>`` cookie of either form (``GS1.1.170….``, ``GS2.1.s170…$o1…``), or as it is."""
    cookie = text(given)
    if cookie and cookie.startswith("GS"):
        parts = cookie.split(".")
        return parts[2].partition("$")[0].lstrip("s") if len(parts) > 2 else None
    return cookie


def _event_name(record: Record, settings: Settings) -> str:
    if record.kind is Kind.REFUND:
        return "refund"
    if record.kind is Kind.RENEWAL:
        return "purchase"
    if record.stage is None:
        raise BadMapping("events", "This conversion has no stage, so Google Analytics has no event for it.")
    return ads.ANALYTICS_NAMES.get(record.stage) or str(settings["lead_event_name"])


def _params(record: Record) -> dict[str, Any]:
    values = record.values
    params: dict[str, Any] = {"engagement_time_msec": ENGAGEMENT}
    session = session_id(values.get("session_id"))
    if session:
        params["session_id"] = session
    sale = record.kind in (Kind.RENEWAL, Kind.REFUND) or record.stage is Stage.PURCHASE
    if sale:
        params["transaction_id"] = _transaction_id(record)
    amount, currency = _number("value", values.get("value")), money.currency_code(values.get("currency"))
    if amount is not None and currency:
        params |= {"value": amount, "currency": currency}
    elif amount is not None and sale:
        raise BadMapping("currency", "Google Analytics drops an amount without an ISO currency: map it.")
    items = _items(values.get("items"))
    if items:
        params["items"] = items
    for key, value in values.items():
        if key not in _NOT_PARAMS and value not in (None, ""):
            params[key] = _param(key, value)
    if len(params) > MAX_PARAMS:
        raise BadMapping(list(params)[MAX_PARAMS], f"Google Analytics takes {MAX_PARAMS} parameters: map fewer.")
    return params


def _transaction_id(record: Record) -> str:
    given = text(record.values.get("transaction_id"))
    if not given:
        raise BadMapping("transaction_id", "Without an order id Google Analytics would count all sales as one: map it.")
    # A renewal often carries its first sale's order id, and Google drops a purchase whose id it has seen.
    given = f"{given}-{record.event_id[:8]}" if record.kind is Kind.RENEWAL else given
    if len(given) > 100:
        raise BadMapping("transaction_id", "Longer than the 100 characters that Google Analytics keeps.")
    return given


def _items(given: Any) -> list[dict[str, Any]]:
    found = []
    for item in given if isinstance(given, list) else []:
        if not isinstance(item, dict):
            continue
        item_id, item_name = text(item.get("product_id") or item.get("sku")), text(item.get("name"))
        line = {
            "item_id": item_id and item_id[:100],
            "item_name": item_name and item_name[:100],
            "price": _number("items", item.get("price")),
            "quantity": _number("items", item.get("quantity")),
            "item_category": (text(item.get("category")) or "")[:100] or None,
        }
        if item_id or item_name:
            found.append({key: value for key, value in line.items() if value is not None})
    return found[:MAX_ITEMS]


def _param(key: str, value: Any) -> Any:
    if not NAME.fullmatch(key):
        raise BadMapping(key, "Google Analytics takes names of letters, digits and _, at most 40, none reserved.")
    if isinstance(value, list | dict):
        raise BadMapping(key, "Google Analytics takes single values here, no lists or objects.")
    return value[: _LENGTHS.get(key, 100)] if isinstance(value, str) else value


def _number(key: str, given: Any) -> int | float | None:
    try:
        number = money.decimal(given)
    except ValueError:
        raise BadMapping(key, "Not a number: map a plain amount such as 49.99.") from None
    if number is None:
        return None
    if number < 0:
        raise BadMapping(key, "Negative: a refund is an event of its own, with a positive amount.")
    return int(number) if number == number.to_integral_value() else float(number)


def _user_data(values: dict[str, Any]) -> dict[str, Any]:
    email = people.digest(people.google_email(values.get("email"), drop_suffix=False))
    phone = people.digest(people.phone(values.get("phone"), text(values.get("country"))))
    address = {
        "sha256_first_name": people.digest(people.name(values.get("first_name"))),
        "sha256_last_name": people.digest(people.name(values.get("last_name"))),
        "city": text(values.get("city")),
        "region": text(values.get("region")),
        "postal_code": text(values.get("postal_code")),
        "country": people.country(values.get("country")),
    }
    named = address["sha256_first_name"] or address["sha256_last_name"]
    data = {
        "sha256_email_address": [email] if email else None,
        "sha256_phone_number": [phone] if phone else None,
        "address": [{key: value for key, value in address.items() if value}] if named else None,
    }
    found = {key: value for key, value in data.items() if value}
    return {"user_data": found} if found else {}


def _consent(values: dict[str, Any]) -> dict[str, Any]:
    said = {key: "GRANTED" if values[key] else "DENIED" for key in _CONSENT if isinstance(values.get(key), bool)}
    return {"consent": said} if said else {}

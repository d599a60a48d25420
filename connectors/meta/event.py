"""One record as an event of Meta's Conversions API.

Sources: developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event,
…/parameters/customer-information-parameters and …/parameters/custom-data.
"""

from __future__ import annotations

from typing import Any

from hub.contract import BadMapping, Kind, Record, Settings, Stage, money, people
from hub.contract.paths import text

EVENT_NAMES = {
    Stage.VIEW_CONTENT: "ViewContent",
    Stage.ADD_TO_CART: "AddToCart",
    Stage.INITIATE_CHECKOUT: "InitiateCheckout",
    Stage.COMPLETE_REGISTRATION: "CompleteRegistration",
    Stage.ADD_PAYMENT_INFO: "AddPaymentInfo",
    Stage.PURCHASE: "Purchase",
}
RENEWAL = "RecurringSubscriptionPayment"
# Without one of these Meta answers that names, places and a browser are not enough to find a person by.
_FINDS_A_PERSON = {"em", "ph", "external_id", "fbc", "fbp", "client_ip_address", "subscription_id"}

_LARGEST = float(money.MAX_AMOUNT)


def build_event(record: Record, settings: Settings) -> dict[str, Any]:
    """The event, or BadMapping for what would make Meta refuse it, and the rest of its batch with it."""
    values = record.values
    renewal = record.kind is Kind.RENEWAL
    user = _user_data(values, record)
    if user.keys().isdisjoint(_FINDS_A_PERSON) and not {"fn", "ln"} <= user.keys():
        raise BadMapping("em", "Nothing identifies the person: map an e-mail, a phone, an id or a click cookie.")
    if renewal and "subscription_id" not in user:
        raise BadMapping("subscription_id", "Meta ties a renewal to its first sale by the subscription id: map it.")
    custom = _custom_data(values, needs_value=renewal or record.stage is Stage.PURCHASE)
    event: dict[str, Any] = {
        "event_name": RENEWAL if renewal else _event_name(record, settings),
        "event_time": int(record.occurred_at.timestamp()),
        "event_id": text(values.get("event_id")) or record.event_id,
        "action_source": _action_source(values, settings),
    }
    _take(("event_source_url", "referrer_url"), values, event)
    event["user_data"] = user
    if custom:
        event["custom_data"] = custom
    if settings["limited_data_use"]:
        # Zeros ask Meta to locate the person itself.
        event |= {
            "data_processing_options": ["LDU"],
            "data_processing_options_country": 0,
            "data_processing_options_state": 0,
        }
    return event


def _event_name(record: Record, settings: Settings) -> str:
    if record.stage is None:
        raise BadMapping("event_name", "This conversion has no stage, so Meta has no event for it.")
    return EVENT_NAMES.get(record.stage) or str(settings["lead_event_name"])


def _action_source(values: dict[str, Any], settings: Settings) -> str:
    visited = values.get("client_user_agent") and values.get("event_source_url")
    source = values.get("action_source") or ("website" if visited else settings["action_source"])
    if source == "website" and not values.get("client_user_agent"):
        raise BadMapping("client_user_agent", "Meta refuses website events without the visitor's browser.")
    return str(source)


def _user_data(values: dict[str, Any], record: Record) -> dict[str, Any]:
    get = values.get
    country = people.country(get("country"))
    phone = people.phone(get("ph"), country)
    normalized = (
        ("em", people.email(get("em"))),
        ("ph", phone and phone.lstrip("+")),
        ("fn", people.name(get("fn"))),
        ("ln", people.name(get("ln"))),
        ("ct", people.city(get("ct"))),
        ("st", people.region(get("st"), country)),
        ("zp", people.postal_code(get("zp"))),
        ("country", country and country.lower()),
        ("external_id", text(get("external_id"))),
    )
    user: dict[str, Any] = {key: people.digest(value) for key, value in normalized if value}
    _take(("client_ip_address", "client_user_agent", "subscription_id"), values, user)
    fbc = people.current_fbc(get("fbc"), get("fbclid"), record.occurred_at)
    if fbc:
        user["fbc"] = fbc
    fbp = people.fb_cookie(get("fbp"))
    if fbp:
        user["fbp"] = fbp
    return user


def _take(keys: tuple[str, ...], values: dict[str, Any], into: dict[str, Any]) -> None:
    for key in keys:
        value = values.get(key)
        plain = value if isinstance(value, str) else text(value)
        if plain:
            into[key] = plain


def _custom_data(values: dict[str, Any], *, needs_value: bool) -> dict[str, Any]:
    custom: dict[str, Any] = {}
    amount, currency = _amount("value", values.get("value")), money.currency_code(values.get("currency"))
    if needs_value and (amount is None or currency is None):
        missing = "value" if amount is None else "currency"
        raise BadMapping(missing, "Meta refuses a sale without an amount and an ISO currency.")
    if amount is not None and currency is not None:
        custom |= {"value": amount, "currency": currency}
    _take(("order_id", "content_name"), values, custom)
    items = values.get("items")
    if isinstance(items, list) and items:
        custom |= _contents([item for item in items if isinstance(item, dict)])
    return custom


def _contents(items: list[dict[str, Any]]) -> dict[str, Any]:
    contents = []
    pieces: int | float = 0
    for item in items:
        given = _amount("items", item.get("quantity"))
        quantity = 1 if given is None else given
        content: dict[str, Any] = {"id": text(item.get("product_id")) or text(item.get("sku")), "quantity": quantity}
        price = _amount("items", item.get("price"))
        if price is not None:
            content["item_price"] = price
        if content["id"]:
            contents.append(content)
            pieces += quantity
    if not contents:
        return {}
    return {
        "content_type": "product",
        "content_ids": [content["id"] for content in contents],
        "contents": contents,
        "num_items": pieces,
    }


def _amount(field: str, given: Any) -> int | float | None:
    if given is None or given == "":
        return None
    try:
        number = float(given)
    except (TypeError, ValueError, OverflowError):
        raise BadMapping(field, "Not a number: map a plain amount such as 49.99.") from None
    if not 0 <= number <= _LARGEST:
        raise BadMapping(field, "Meta takes no negative or endless amounts, and refunds are not sent.")
    return int(number) if number.is_integer() else number

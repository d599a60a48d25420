"""One record as an event of Meta's Conversions API.

Sources: developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event,
…/parameters/customer-information-parameters and …/parameters/custom-data.
"""

from __future__ import annotations

from typing import Any

from hub.contract import BadMapping, Kind, Record, Settings, Stage
from hub.toolkit import ads, people

KEYS = {
    "em": "email",
    "ph": "phone",
    "fn": "first_name",
    "ln": "last_name",
    "ct": "city",
    "st": "region",
    "zp": "postal_code",
    "country": "country",
    "external_id": "external_id",
    "client_ip_address": "ip",
    "client_user_agent": "user_agent",
    "fbc": "fbc",
    "fbclid": "fbclid",
    "fbp": "fbp",
    "event_source_url": "page_url",
    "referrer_url": "referrer",
    "value": "value",
    "currency": "currency",
    "order_id": "sale_order_id",
    "subscription_id": "subscription_id",
    "content_name": "content_name",
    "items": "items",
}
PLAIN = {"client_ip_address": "ip", "client_user_agent": "user_agent", "subscription_id": "subscription_id"}
RENEWAL = "RecurringSubscriptionPayment"
# Without one of these Meta answers that names, places and a browser are not enough to find a person by.
_FINDS_A_PERSON = ("em", "ph", "external_id", "fbc", "fbp", "client_ip_address", "subscription_id")


def build_event(record: Record, settings: Settings) -> dict[str, Any]:
    """The event, or BadMapping for what would make Meta refuse it, and the rest of its batch with it."""
    facts = ads.by_fact(record.values, KEYS)
    renewal = record.kind is Kind.RENEWAL
    user = _user_data(facts, record)
    if not {"fn", "ln"} <= user.keys():
        ads.need_one_of(user, _FINDS_A_PERSON, "em")
    if renewal and "subscription_id" not in user:
        raise BadMapping("subscription_id", "Meta ties a renewal to its first sale by the subscription id: map it.")
    custom = _custom_data(facts, needs_value=renewal or record.stage is Stage.PURCHASE)
    event: dict[str, Any] = {
        "event_name": RENEWAL if renewal else ads.stage_name(record, ads.PIXEL_NAMES, settings["lead_event_name"]),
        "event_time": int(record.occurred_at.timestamp()),
        "event_id": ads.event_id(record),
        "action_source": _action_source(record.values, settings),
        **ads.texts(facts, {"event_source_url": "page_url", "referrer_url": "referrer"}),
        "user_data": user,
    }
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


def _action_source(values: dict[str, Any], settings: Settings) -> str:
    visited = values.get("client_user_agent") and values.get("event_source_url")
    source = values.get("action_source") or ("website" if visited else settings["action_source"])
    if source == "website" and not values.get("client_user_agent"):
        raise BadMapping("client_user_agent", "Meta refuses website events without the visitor's browser.")
    return str(source)


def _user_data(facts: ads.Facts, record: Record) -> dict[str, Any]:
    user: dict[str, Any] = ads.hashed(facts, ads.SHORT) | ads.texts(facts, PLAIN)
    fbc = people.current_fbc(facts["fbc"], facts["fbclid"], record.occurred_at)
    if fbc:
        user["fbc"] = fbc
    fbp = people.fb_cookie(facts["fbp"])
    if fbp:
        user["fbp"] = fbp
    return user


def _custom_data(facts: ads.Facts, *, needs_value: bool) -> dict[str, Any]:
    paid = ads.price(facts, needed=needs_value)
    custom: dict[str, Any] = {"value": paid[0], "currency": paid[1]} if paid else {}
    custom |= ads.texts(facts, {"order_id": "sale_order_id", "content_name": "content_name"})
    bought = ads.lines(facts["items"])
    if bought:
        contents = [
            {"id": line.id, "quantity": line.quantity} | ({} if line.price is None else {"item_price": line.price})
            for line in bought
        ]
        custom |= {
            "content_type": "product",
            "content_ids": [line.id for line in bought],
            "contents": contents,
            "num_items": ads.pieces(bought),
        }
    return custom

"""One record as an event, or as an audience member, of Google's Data Manager API.

Sources, under developers.google.com/data-manager/api: reference/rest/v1/events/ingest, …/audienceMembers/ingest,
devguides/concepts/formatting, devguides/events/google-ads/conversion-adjustments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.contract import BadMapping, Kind, Outcome, Record, Settings, Stage
from hub.toolkit import ads, people

KEYS = {
    "email": "email",
    "phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "postal_code": "postal_code",
    "country": "country",
    "consent_ads": "consent_ads",
    "gclid": "gclid",
    "gbraid": "gbraid",
    "wbraid": "wbraid",
    "ip": "ip",
    "user_agent": "user_agent",
    "order_id": "sale_order_id",
    "value": "value",
    "currency": "currency",
}
ONE_EACH = {"emailAddress": "google_email", "phoneNumber": "phone"}
NAMED = {"givenName": "first_name", "familyName": "last_name"}


def conversion_action(record: Record, settings: Settings) -> str | Outcome:
    """The id of the owner's conversion action for this record; a refund changes the purchase's."""
    if record.kind is Kind.REFUND:
        found = settings["conversion_actions"].get(Stage.PURCHASE)
        return str(found) if found else Outcome.skipped("stage_not_accepted", "Purchases have no conversion action.")
    if record.kind is not Kind.CONVERSION:
        return Outcome.skipped("stage_not_accepted", "Google Ads takes this for audiences only.")
    return ads.id_of_stage(record, settings["conversion_actions"])


def build_event(record: Record) -> dict[str, Any]:
    """The event; BadMapping for what would make Google refuse its whole request.

    A refund is the sale's event once more, under the same transaction id, with what is left of its value.
    """
    facts = ads.by_fact(record.values, KEYS)
    sale = record.kind is Kind.REFUND or record.stage is Stage.PURCHASE
    order = ads.texts(facts, {"id": "sale_order_id"}).get("id")
    if record.kind is Kind.REFUND and not order:
        raise BadMapping("order_id", "Google finds the sale to change by its order id: map it.")
    people_found = user_identifiers(facts)
    clicks = list(ads.texts(facts, {"gclid": "gclid", "gbraid": "gbraid", "wbraid": "wbraid"}).items())[:1]
    ads.need_one_of({"people": people_found, "clicks": clicks}, ("people", "clicks"), "email")
    paid = ads.price(facts, needed=sale)
    return ads.without_empty(
        {
            "eventTimestamp": record.occurred_at.isoformat(),
            "transactionId": (order if sale else None) or ads.event_id(record),
            "eventSource": "WEB",
            **({"conversionValue": paid[0], "currency": paid[1]} if paid else {}),
            "adIdentifiers": dict(clicks),
            "userData": {"userIdentifiers": people_found} if people_found else None,
            "eventDeviceInfo": ads.texts(facts, {"ipAddress": "ip", "userAgent": "user_agent"}),
            "consent": consent(facts),
        }
    )


def build_member(record: Record) -> dict[str, Any]:
    """One person for a Customer Match list."""
    facts = ads.by_fact(record.values, KEYS)
    people_found = user_identifiers(facts)
    ads.need_one_of({"people": people_found}, ("people",), "email")
    return ads.without_empty({"userData": {"userIdentifiers": people_found}, "consent": consent(facts)})


def user_identifiers(facts: ads.Facts) -> list[dict[str, Any]]:
    """E-mail, phone and address, each by itself. An address needs all four of its parts."""
    found: list[dict[str, Any]] = [{key: value} for key, value in ads.hashed(facts, ONE_EACH).items()]
    address = ads.hashed(facts, NAMED) | ads.texts(facts, {"postalCode": "postal_code"})
    country = people.country(facts["country"])
    if len(address) == 3 and country and len(country) == 2:
        found.append({"address": {**address, "regionCode": country.upper()}})
    return found


def consent(facts: ads.Facts) -> dict[str, str]:
    """What the person said, in Google's words; nothing when they said nothing."""
    agreed: Any = facts["consent_ads"]
    if not isinstance(agreed, bool):
        return {}
    word = "CONSENT_GRANTED" if agreed else "CONSENT_DENIED"
    return {"adUserData": word, "adPersonalization": word}


def destination(settings: Settings, product_id: str) -> Mapping[str, Any]:
    """The account and the conversion action, or list, that a request is for."""
    account = {"accountType": "GOOGLE_ADS", "accountId": settings["customer_id"].replace("-", "")}
    above = settings["login_customer_id"].replace("-", "")
    login = {"loginAccount": {"accountType": "GOOGLE_ADS", "accountId": above}} if above else {}
    return {"operatingAccount": account, **login, "productDestinationId": product_id}

"""Snapchat Conversions API, v3.

Source: developers.snap.com/api/marketing-api/Conversions-API (UsingTheAPI, Parameters, VerifySetUp). What Snap answers to
a batch with a bad event is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    ApiKeyQuery,
    Batch,
    Call,
    Field,
    Outcome,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Stage,
    Status,
    Text,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = ads.PERSON | ads.VISIT | ads.SALE | {"sccid": "sccid", "subscription_id": "subscription_id"}
VISITOR = {
    "client_ip_address": "ip",
    "client_user_agent": "user_agent",
    "sc_click_id": "sccid",
    "subscription_id": "subscription_id",
}
NAMES = {
    Stage.VIEW_CONTENT: "VIEW_CONTENT",
    Stage.ADD_TO_CART: "ADD_CART",
    Stage.INITIATE_CHECKOUT: "START_CHECKOUT",
    Stage.COMPLETE_REGISTRATION: "SIGN_UP",
    Stage.ADD_PAYMENT_INFO: "ADD_BILLING",
    Stage.PURCHASE: "PURCHASE",
}
LIMITED = {"data_processing_options": ["LDU"], "data_processing_options_country": 0, "data_processing_options_state": 0}


class SnapchatSettings(SettingsSchema):
    """The pixel and its token."""

    pixel_id = ads.id_setting(
        Text("Pixel id", "Identifiant du pixel"),
        Text("Events Manager → your Snap Pixel.", "Gestionnaire d'évènements → votre Snap Pixel."),
        "67d34640-b7a4-4000-8000-1f7d0e5a1c2b",
        r"[0-9a-fA-F-]{30,40}",
    )
    access_token = ads.token_setting(
        Text(
            "Ads Manager → Business details → Conversions API tokens.",
            "Gestionnaire de publicités → Détails de l'entreprise → Jetons de l'API Conversions.",
        ),
        Text("Conversions API token", "Jeton de l'API Conversions"),
    )
    lead_event_name = ads.lead_name_setting("LEAD", default="CUSTOM_EVENT_1")
    limited_data_use = ads.limited_use_setting()


class Snapchat(AdPlatform):
    """Events of one pixel. Tests go to Snap's own validation address, which counts nothing."""

    slug = "snapchat"
    name = "Snapchat"
    status = Status.BETA
    homepage = "https://developers.snap.com/api/marketing-api/Conversions-API/Introduction"
    Settings = SnapchatSettings
    auth = ApiKeyQuery("access_token", "access_token")
    batch = Batch(max_records=2000)
    max_age = 37 * 24 * 3600
    fields = (*fields_for(KEYS), Field("sc_cookie1", Text("Cookie _scid", "Cookie _scid"), group="visit"), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for what Snap would refuse."""
        facts = ads.by_fact(record.values, KEYS)
        user = (
            ads.hashed(facts, ads.SHORT)
            | ads.texts(facts, VISITOR)
            | ads.texts(record.values, {"sc_cookie1": "sc_cookie1"})
        )
        if not {"client_ip_address", "client_user_agent"} <= user.keys():
            words = "Snap needs an e-mail, a phone, or the visitor's IP address and browser."
            ads.need_one_of(user, ("em", "ph"), "email", words)
        event = {
            "event_name": ads.stage_name(record, NAMES, settings["lead_event_name"]),
            "event_time": int(record.occurred_at.timestamp()),
            "event_id": ads.event_id(record),
            "action_source": "WEB" if facts["page_url"] else "OFFLINE",  # Snap wants the page of a web event
            "event_source_url": facts["page_url"],
            "user_data": user,
            "custom_data": _custom_data(facts, needs_value=record.stage is Stage.PURCHASE),
        }
        return ads.without_empty(event) | (LIMITED if settings["limited_data_use"] else {})

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All events of the pixel; tests, and the probe, are only validated."""
        end = "/validate" if first is None or first.test else ""
        url = f"https://tr.snapchat.com/v3/{settings['pixel_id']}/events{end}"
        return Call.post(url, json={"data": events}, timeout=30.0)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 200 can say no: ``status`` FAILED (as in v2) or INVALID (validation)."""
        answer = reply.json()
        if reply.ok and dig(answer, "status") in ("FAILED", "INVALID"):
            words = text(dig(answer, "reason")) or text(dig(answer, "error_records[0].reason")) or "no words"
            raise Refused(
                "Snapchat refused it. Read its words, then fix the mapping.", status=reply.status, detail=words
            )
        return None


def _custom_data(facts: ads.Facts, *, needs_value: bool) -> dict[str, Any]:
    paid, bought = ads.price(facts, needed=needs_value), ads.lines(facts["items"])
    # Amounts and quantities are ads.texts in Snap's own example.
    custom: dict[str, Any] = {"value": str(paid[0]), "currency": paid[1]} if paid else {}
    custom |= ads.texts(facts, {"order_id": "sale_order_id"})
    if bought:
        contents = [
            {"id": line.id, "quantity": str(line.quantity)}
            | ({} if line.price is None else {"item_price": str(line.price)})
            for line in bought
        ]
        custom |= {
            "content_ids": [line.id for line in bought],
            "contents": contents,
            "num_items": str(ads.pieces(bought)),
        }
    return custom

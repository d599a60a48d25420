"""Pinterest Conversions API, v5.

Source: the vendor's OpenAPI description (pinterest/api-description, v5/openapi.json, events/create), and
developers.pinterest.com/docs/track-conversions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.contract import (
    Batch,
    Bearer,
    Call,
    Choice,
    Limits,
    Outcome,
    Outcomes,
    Record,
    Reply,
    SettingsSchema,
    Stage,
    Text,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = ads.PERSON | ads.VISIT | ads.SALE | {"epik": "epik"}
VISITOR = {"client_ip_address": "ip", "client_user_agent": "user_agent", "click_id": "epik"}
LINE: Mapping[str, Any] = {
    "id": "id",
    "item_name": "name",
    "item_category": "category",
    "item_price": lambda line: None if line.price is None else str(line.price),  # Pinterest refuses numbers
    "quantity": lambda line: int(line.quantity),
}
NAMES = {
    Stage.VIEW_CONTENT: "view_content",
    Stage.ADD_TO_CART: "add_to_cart",
    Stage.INITIATE_CHECKOUT: "initiate_checkout",
    Stage.COMPLETE_REGISTRATION: "signup",
    Stage.ADD_PAYMENT_INFO: "add_payment_info",
    Stage.PURCHASE: "checkout",
    Stage.LEAD: "custom",  # Pinterest takes the names of its own list only, and its "lead" is a form
}


class PinterestSettings(SettingsSchema):
    """The ad account and its conversion token."""

    ad_account_id = ads.id_setting(
        Text("Ad account id", "Identifiant du compte publicitaire"),
        Text("Ads Manager → Conversions → Conversions API.", "Ads Manager → Conversions → API Conversions."),
        "549755885175",
    )
    access_token = ads.token_setting(
        Text("The same page → Generate new token.", "Même page → Générer un nouveau jeton."),
        Text("Conversion access token", "Jeton d'accès de conversion"),
    )
    action_source = Choice(
        Text("Where sales happen", "Où ont lieu les ventes"),
        {"web": Text("On the web", "Sur le web"), "offline": Text("Elsewhere", "Ailleurs")},
        help=Text("Pinterest does not deduplicate “elsewhere”.", "Pinterest ne dédoublonne pas « ailleurs »."),
        load_default="web",
    )


class Pinterest(AdPlatform):
    """Events of one ad account, each with a verdict of its own."""

    slug = "pinterest"
    name = "Pinterest"
    homepage = "https://developers.pinterest.com/docs/track-conversions/track-conversions-in-the-api/"
    Settings = PinterestSettings
    auth = Bearer("access_token")
    batch = Batch(max_records=1000, whole_batch_fails=False)
    limits = Limits(per_second=80)  # 5,000 calls a minute
    max_age = 7 * 24 * 3600
    fields = (*fields_for(KEYS), ads.EVENT_ID)
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS)

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event; BadMapping for what Pinterest would refuse."""
        facts = ads.by_fact(record.values, KEYS)
        user: dict[str, Any] = {key: [value] for key, value in ads.hashed(facts, ads.SHORT).items()}
        user |= ads.texts(facts, VISITOR)
        if not {"client_ip_address", "client_user_agent"} <= user.keys():
            ads.need_one_of(
                user, ("em",), "email", "Pinterest needs an e-mail, or the visitor's IP address and browser."
            )
        event = {
            "event_name": ads.stage_name(record, NAMES),
            "action_source": settings["action_source"],
            "event_time": int(record.occurred_at.timestamp()),
            "event_id": ads.event_id(record),
            "event_source_url": facts["page_url"],
            "user_data": user,
            "custom_data": _custom_data(facts, needs_value=record.stage is Stage.PURCHASE),
        }
        return ads.without_empty(event)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """All events of the account; tests, and the probe, are only validated."""
        trial = first is None or first.test
        return Call.post(
            f"https://api.pinterest.com/v5/ad_accounts/{settings['ad_account_id']}/events",
            json={"data": events},
            params={"test": "true"} if trial else None,
            timeout=30.0,
        )

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """Each event's own status, in the order they were sent."""
        said = dig(reply.json(), "events") or []
        judged = {record.id: _verdict(each) for record, each in zip(records, said, strict=False)}
        return self.preset_outcomes(records, Outcome.delivered()) | judged

    def judge(self, reply: Reply) -> Outcome | None:
        """200 and 422 both bring a verdict on each event; a 422 that took none of them is a refusal of those."""
        said = dig(reply.json(), "events")
        if reply.status not in (200, 422) or not isinstance(said, list):
            return None
        failed = {row: _words(each) for row, each in enumerate(said) if dig(each, "status") == "failed"}
        if failed and len(failed) == len(said):
            raise ads.RowsRefused(failed, "Pinterest refused it.", status=reply.status, detail=failed[0])
        return Outcome.delivered(f"Pinterest refused {len(failed)} of {len(said)} events." if failed else "")


def _verdict(each: Any) -> Outcome:
    return Outcome.refused(_words(each)) if dig(each, "status") == "failed" else Outcome.delivered(_words(each))


def _words(each: Any) -> str:
    return text(dig(each, "error_message")) or text(dig(each, "warning_message")) or ""


def _custom_data(facts: ads.Facts, *, needs_value: bool) -> dict[str, Any]:
    paid, bought = ads.price(facts, needed=needs_value), ads.lines(facts["items"])
    # Pinterest wants amounts as text, and refuses numbers.
    custom: dict[str, Any] = {"value": str(paid[0]), "currency": paid[1]} if paid else {}
    custom |= ads.texts(facts, {"order_id": "sale_order_id"})
    if bought:
        custom |= {
            "content_ids": [line.id for line in bought],
            "contents": ads.line_objects(bought, LINE),
            "num_items": int(ads.pieces(bought)),
        }
    return custom

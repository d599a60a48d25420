"""ActiveCampaign: contacts synced by e-mail, tags, a list for those who agreed, orders of its e-commerce data.

Sources, under developers.activecampaign.com/reference: sync-a-contacts-data, contact-custom-fields-api-guide, tags,
contact-tags, update-list-status-for-contact, rate-limits (5 calls a second and account).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

from hub.contract import (
    ApiKeyHeader,
    Call,
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Status,
    Switch,
    Text,
    Url,
    Words,
)
from hub.toolkit.crm import (
    HUB_KEYS,
    LISTED_FOR,
    Crm,
    Listed,
    by_account_key,
    expected,
    flat,
    listed_fields,
    said,
    title,
)
from hub.toolkit.email_tools import (
    CONSENT,
    CONSENT_FIELD,
    TAGS_FIELDS,
    TAGS_MAPPING,
    agreed,
    filled,
    listed,
    require_email,
)
from hub.toolkit.paging import read_pages
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import FACTS, fields_for, mapping_for

from .orders import ORDER_FIELDS, connection, send_order

KEYS = {"email": "email", "firstName": "first_name", "lastName": "last_name", "phone": "phone", **HUB_KEYS}
CONTACT = ("firstName", "lastName", "phone")
FIXED = frozenset({"email", *CONTACT, CONSENT, "tags", "remove_tags", *(field.key for field in ORDER_FIELDS)})
TYPES = {"date": "datetime", "checkbox": "list", "listbox": "list"}
LONG = ("hub_summary", "hub_products")
PAGE = 100  # the most fields that one answer lists


class ActiveCampaignSettings(SettingsSchema):
    """One account."""

    url = Url(
        Text("API address", "Adresse de l'API"),
        help=Text("ActiveCampaign: Settings, Developer.", "ActiveCampaign : Paramètres, Développeur."),
        placeholder="https://acme.api-us1.com",
        required=True,
    )
    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text("Beside the address.", "À côté de l'adresse."),
        required=True,
    )
    list_id = Words(
        Text("List for people who agreed", "Liste des personnes ayant accepté"),
        help=Text("The number in the list's address.", "Le numéro dans l'adresse de la liste."),
        load_default="",
    )
    orders = Switch(
        Text("Send orders", "Envoyer les commandes"),
        help=Text(
            "As e-commerce data, with abandoned carts.", "Comme données e-commerce, avec les paniers abandonnés."
        ),
    )


class ActiveCampaign(Crm):
    """ActiveCampaign itself finds or creates the contact; what can be repeated without harm comes first."""

    slug = "activecampaign"
    name = "ActiveCampaign"
    status = Status.BETA
    homepage = "https://www.activecampaign.com"
    Settings = ActiveCampaignSettings
    auth = ApiKeyHeader("Api-Token", "api_key")
    purpose = "email"
    fields = (*fields_for(KEYS, required={"email"}), CONSENT_FIELD, *TAGS_FIELDS, *ORDER_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **mapping_for({**KEYS, CONSENT: "consent_email"}),
        **TAGS_MAPPING,
        "order.id": {"first": [{"from": "order.id"}, {"from": "order_id"}]},
        "order.total": dict(FACTS["order_amount"].rule),
        "order.currency": dict(FACTS["order_currency"].rule),
        "order.items": {"from": "items"},
    }
    limits = Limits(per_second=4, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        offsets = count(0, PAGE)

        def page(_: Reply | None = None) -> Call:
            return Call.get(
                f"{_base(settings)}/fields?limit={PAGE}&offset={next(offsets)}", cache_seconds=cache_seconds
            )

        replies = yield from read_pages(
            page(), lambda reply: page() if len(dig(reply.json(), "fields[]") or []) == PAGE else None
        )
        if dig(replies[0].json(), "fields") is None and cache_seconds:
            return expected()
        told = [each for reply in replies for each in dig(reply.json(), "fields[]") or []]
        return listed_fields(told, "id", "title", "type", types=TYPES, names=["perstag"])

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        """The field, then its relation to all lists, without which no page shows it."""
        kind = "textarea" if field.key in LONG else "date" if field.type == "datetime" else "text"
        definition = {"type": kind, "title": title(field.key), "perstag": field.key.upper(), "visible": 1}
        reply = yield Call.post(f"{_base(settings)}/fields", json={"field": definition})
        relation = {"field": text(dig(reply.json(), "field.id")), "relid": 0}
        yield Call.post(f"{_base(settings)}/fieldRels", json={"fieldRel": relation})

    def prepare(self, settings: Mapping[str, Any]) -> Recipe:
        """The fields, and with orders switched on the shop that they belong to."""
        sentence = yield from self._prepare(settings)
        if settings["orders"]:
            yield from connection(_base(settings))
        return sentence

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The contact, its list, its tags, its order."""
        base, email = _base(settings), require_email(record, self.name)
        fields = yield from self.list_fields(settings, LISTED_FOR)
        found, warning = by_account_key(record.values, fields, FIXED)
        values = [{"field": key, "value": _worded(field, value)} for key, (field, value) in found.items()]
        contact = {"email": email, **filled(record.values, CONTACT)} | ({"fieldValues": values} if values else {})
        reply = yield Call.post(f"{base}/contact/sync", json={"contact": contact})
        known = text(dig(reply.json(), "contact.id"))
        if settings["list_id"] and agreed(record):
            yield from _join(base, known, settings["list_id"])
        yield from _tag(base, known, listed(record.values.get("tags")), listed(record.values.get("remove_tags")))
        if settings["orders"]:
            warning = f"{warning} {(yield from send_order(base, record, email))}".strip()
        if known is None:
            return Outcome.refused("ActiveCampaign answered without an error, but names no contact that it wrote.")
        return Outcome.delivered(warning)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 402 is an account beyond its plan; a 422 lists what is wrong."""
        if reply.status in (402, 404, 422):
            words = said(reply, "errors[].detail", "errors[].title", "message")
            raise Refused("ActiveCampaign refused.", status=reply.status, detail=words)
        return None


def _base(settings: Mapping[str, Any]) -> str:
    return f"{settings['url'].rstrip('/')}/api/3"


def _worded(field: Field, value: Any) -> str:
    """Every value is a text: choices between double bars, dates as days."""
    if field.type == "list":
        return f"||{'||'.join(listed(value))}||"
    return str(value)[:10] if field.type == "datetime" else str(flat(value))


def _join(base: str, contact: str | None, list_id: str) -> Generator[Call, Reply, None]:
    """Subscribe somebody who was never on the list. Who left it stays away: status 1 would bring them back."""
    reply = yield Call.get(f"{base}/contacts/{contact}/contactLists")
    if list_id not in map(str, dig(reply.json(), "contactLists[].list") or []):
        membership = {"list": list_id, "contact": contact, "status": 1}
        yield Call.post(f"{base}/contactLists", json={"contactList": membership})


def _tag(base: str, contact: str | None, added: list[str], removed: list[str]) -> Generator[Call, Reply, None]:
    for name in added:
        tag = yield from _tag_id(base, name)
        if tag is None:
            made = yield Call.post(f"{base}/tags", json={"tag": {"tag": name, "tagType": "contact", "description": ""}})
            tag = text(dig(made.json(), "tag.id"))
        yield Call.post(f"{base}/contactTags", json={"contactTag": {"contact": contact, "tag": tag}})
    reply = (yield Call.get(f"{base}/contacts/{contact}/contactTags")) if removed else None
    worn = {dig(each, "tag"): dig(each, "id") for each in (dig(reply.json(), "contactTags[]") if reply else None) or []}
    for name in removed if worn else ():
        if (tag := (yield from _tag_id(base, name))) in worn:
            yield Call.delete(f"{base}/contactTags/{worn[tag]}")


def _tag_id(base: str, name: str) -> Generator[Call, Reply, str | None]:
    """Tags have no case; the search finds every tag that holds the word."""
    reply = yield Call.get(f"{base}/tags?limit=100&search={quote(name, safe='')}")
    tags = dig(reply.json(), "tags[]") or []
    return next((text(dig(tag, "id")) for tag in tags if str(dig(tag, "tag")).lower() == name.lower()), None)

"""Kit (ConvertKit): subscribers with their custom fields and tags.

Sources, under developers.kit.com/api-reference: subscribers/create-a-subscriber (an upsert that never changes the state of
somebody known), tags, custom-fields, response-codes. Purchases and bulk calls need an app of one's own and are not used.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

from hub.contract import (
    ApiKeyHeader,
    Call,
    Category,
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Text,
    TryLater,
)
from hub.contract.crm import HUB_KEYS, LISTED_FOR, Crm, Listed, by_account_key, flat, listed_field, title
from hub.contract.email_tools import (
    CONSENT,
    CONSENT_FIELD,
    TAGS_FIELDS,
    TAGS_MAPPING,
    agreed,
    filled,
    listed,
    require_answer,
    require_email,
)
from hub.contract.paging import read_pages
from hub.contract.paths import dig, text
from hub.contract.standard_fields import fields_for, mapping_for

API = "https://api.kit.com/v4"
PERSON = {"email": "email", "first_name": "first_name"}
FIXED = (*PERSON, CONSENT, "tags", "remove_tags")
FIELDS_OF = {**PERSON, "last_name": "last_name", "phone": "phone", **HUB_KEYS}
A_BULK_LATER = 300.0  # seconds


class KitSettings(SettingsSchema):
    """The account's key."""

    api_key = Secret(
        Text("API key", "Clé API"),
        help=Text(
            "Kit: Settings, Developer, V4 keys, Add a new key.",
            "Kit : Paramètres, Développeur, clés V4, Ajouter une clé.",
        ),
        placeholder="kit_…",
        required=True,
    )


class Kit(Crm):
    """Adds and updates subscribers; a new one is active only with a recorded agreement."""

    slug = "kit"
    name = "Kit (ConvertKit)"
    category = Category.EMAIL
    homepage = "https://kit.com"
    Settings = KitSettings
    auth = ApiKeyHeader("X-Kit-Api-Key")
    purpose = "email"
    limits = Limits(per_second=2, concurrency=2)  # 120 calls in any 60 seconds
    exists_already = (422,)
    fields = (*fields_for(FIELDS_OF, required={"email"}), CONSENT_FIELD, *TAGS_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {
        **mapping_for({**FIELDS_OF, CONSENT: "consent_email"}),
        **TAGS_MAPPING,
    }

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        found = yield from _listed("custom_fields", cache_seconds)
        return {
            key: listed_field(key, each.get("label"), "text", types={})
            for each in found
            if (key := text(each.get("key")))
        }

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        yield Call.post(f"{API}/custom_fields", json={"label": title(field.key)})

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The subscriber, then the tags."""
        email = require_email(record, "Kit")
        found, warning = by_account_key(record.values, (yield from self.list_fields(settings, LISTED_FOR)), FIXED)
        reply = yield Call.post(
            f"{API}/subscribers",
            json={
                "email_address": email,
                "state": "active" if agreed(record) else "inactive",  # Kit heeds it for new people only
                **filled(record.values, ("first_name",)),
                "fields": {key: str(flat(value)) for key, (_, value) in found.items()},
            },
        )
        yield from _tag(record, require_answer(reply, "subscriber.id", "Kit"))
        ignored = listed(dig(reply.json(), "warnings"))
        return Outcome.delivered(" ".join(filter(None, [warning, *ignored])))

    def judge(self, reply: Reply) -> Outcome | None:
        """413 is Kit's word for too many bulk jobs at once; a success without a subscriber is none."""
        words = "; ".join(listed(dig(reply.json(), "errors")))
        if reply.status == 413:
            raise TryLater("Kit is busy with bulk jobs.", after=A_BULK_LATER, detail=words)
        if reply.status == 422:
            raise Refused(f"Kit refused: {words or 'no words'}", status=422, detail=words)
        return None


def _tag(record: Record, subscriber: str) -> Recipe:
    added, removed = listed(record.values.get("tags")), listed(record.values.get("remove_tags"))
    if not added and not removed:
        return
    found = yield from _listed("tags", LISTED_FOR)
    ids = {text(tag.get("name")): text(tag.get("id")) for tag in found}
    for name in added:
        if not ids.get(name):
            made = yield Call.post(f"{API}/tags", json={"name": name})  # answers with the tag if it exists by now
            ids[name] = require_answer(made, "tag.id", "Kit")
        yield Call.post(f"{API}/tags/{ids[name]}/subscribers/{subscriber}", json={})
    for name in removed:
        if ids.get(name):
            try:
                yield Call.delete(f"{API}/tags/{ids[name]}/subscribers/{subscriber}")
            except Refused as error:  # it was not on this person
                if error.status != 404:
                    raise


def _listed(what: str, cache_seconds: int) -> Generator[Call, Reply, list[dict[str, Any]]]:
    def page(**after: str) -> Call:
        return Call.get(f"{API}/{what}", params={"per_page": "500", **after}, cache_seconds=cache_seconds)

    def following(reply: Reply) -> Call | None:
        cursor = text(dig(reply.json(), "pagination.end_cursor"))
        return page(after=cursor) if cursor and dig(reply.json(), "pagination.has_next_page") is True else None

    replies = yield from read_pages(page(), following)
    return [each for reply in replies for each in dig(reply.json(), f"{what}[]") or [] if isinstance(each, dict)]

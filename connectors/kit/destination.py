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
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Text,
    TryLater,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, LISTED_FOR, Crm, Listed, by_account_key, expected, flat, listed_fields, title
from hub.toolkit.email_tools import (
    CONSENT,
    TAGS_FIELDS,
    TAGS_MAPPING,
    EmailTool,
    agreed,
    filled,
    listed,
    person_fields,
    person_mapping,
    require_email,
)
from hub.toolkit.paging import read_pages
from hub.toolkit.paths import dig, text

API = "https://api.kit.com/v4"
PERSON = {"email": "email", "first_name": "first_name"}
FIXED = (*PERSON, CONSENT, "tags", "remove_tags")
FIELDS_OF = {**PERSON, "last_name": "last_name", "phone": "phone", **HUB_KEYS}
A_BULK_LATER = 300.0  # seconds


class KitSettings(SettingsSchema):
    """The account's key."""

    api_key = key_setting(
        Text(
            "Kit: Settings, Developer, V4 keys, Add a new key.",
            "Kit : Paramètres, Développeur, clés V4, Ajouter une clé.",
        ),
        placeholder="kit_…",
    )


class Kit(EmailTool, Crm):
    """Adds and updates subscribers; a new one is active only with a recorded agreement."""

    slug = "kit"
    name = "Kit (ConvertKit)"
    homepage = "https://kit.com"
    Settings = KitSettings
    auth = ApiKeyHeader("X-Kit-Api-Key")
    limits = Limits(per_second=2, concurrency=2)  # 120 calls in any 60 seconds
    exists_already = (422,)
    fields = person_fields(FIELDS_OF, *TAGS_FIELDS)
    default_mapping: ClassVar[Mapping[str, Any]] = {**person_mapping(FIELDS_OF), **TAGS_MAPPING}

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        found = yield from _listed("custom_fields", cache_seconds)
        if found is None and cache_seconds:
            return expected()
        return listed_fields(found, "key", "label", types={})

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
        untagged = yield from _tag(record, email)
        ignored = listed(dig(reply.json(), "warnings"))
        return Outcome.delivered(" ".join(filter(None, [warning, *ignored, untagged])))

    def judge(self, reply: Reply) -> Outcome | None:
        """413 is Kit's word for too many bulk jobs at once; a success without a subscriber is none."""
        words = "; ".join(listed(dig(reply.json(), "errors")))
        if reply.status == 413:
            raise TryLater("Kit is busy with bulk jobs.", after=A_BULK_LATER, detail=words)
        if reply.status == 422:
            raise Refused(f"Kit refused: {words or 'no words'}", status=422, detail=words)
        return None


def _tag(record: Record, email: str) -> Generator[Call, Reply, str]:
    """Tag by e-mail; returns a warning for what could not be tagged."""
    added, removed = listed(record.values.get("tags")), listed(record.values.get("remove_tags"))
    if not added and not removed:
        return ""
    found = (yield from _listed("tags", LISTED_FOR)) or []
    unknown = []
    ids = {text(tag.get("name")): text(tag.get("id")) for tag in found}
    for name in added:
        if not ids.get(name):
            made = yield Call.post(f"{API}/tags", json={"name": name})  # answers with the tag if it exists by now
            ids[name] = text(dig(made.json(), "tag.id"))
        if ids[name]:
            yield Call.post(f"{API}/tags/{ids[name]}/subscribers", json={"email_address": email})
        else:
            unknown.append(name)
    for name in removed:
        if ids.get(name):
            try:
                yield Call.delete(f"{API}/tags/{ids[name]}/subscribers", json={"email_address": email})
            except Refused as error:  # it was not on this person
                if error.status != 404:
                    raise
    return f"Kit told no id for the tag {', '.join(unknown)}." if unknown else ""


def _listed(what: str, cache_seconds: int) -> Generator[Call, Reply, list[dict[str, Any]] | None]:
    """All entries; None when the answer holds no list at all, as in a preview."""

    def page(**after: str) -> Call:
        return Call.get(f"{API}/{what}", params={"per_page": "500", **after}, cache_seconds=cache_seconds)

    def following(reply: Reply) -> Call | None:
        cursor = text(dig(reply.json(), "pagination.end_cursor"))
        return page(after=cursor) if cursor and dig(reply.json(), "pagination.has_next_page") is True else None

    replies = yield from read_pages(page(), following)
    if dig(replies[0].json(), what) is None:
        return None
    return [each for reply in replies for each in dig(reply.json(), f"{what}[]") or [] if isinstance(each, dict)]

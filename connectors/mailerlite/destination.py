"""MailerLite: subscribers with their fields and groups.

Sources, under developers.mailerlite.com/docs: subscribers (an upsert by e-mail), fields, groups, and getting started (120
calls a minute; 422 names the fields). ``status`` is sent for new subscribers only: with "active", people who left would be
written to again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from marshmallow import validate

from hub.contract import (
    BadMapping,
    Bearer,
    Call,
    Choice,
    Field,
    Limits,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    SettingsSchema,
    Status,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import HUB_KEYS, LISTED_FOR, Crm, Listed, by_account_key, expected, flat, listed_fields, title
from hub.toolkit.email_tools import (
    CONSENT,
    EmailTool,
    agreed,
    filled,
    listed,
    person_fields,
    person_mapping,
    require_email,
)
from hub.toolkit.paging import read_pages
from hub.toolkit.paths import dig

API = "https://connect.mailerlite.com/api"
PERSON = {
    "name": "first_name",
    "last_name": "last_name",
    "phone": "phone",
    "city": "city",
    "state": "region",
    "z_i_p": "postal_code",
    "country": "country",
}
KEYS = {"email": "email", **PERSON, **HUB_KEYS}
FIXED = {"email", *PERSON, CONSENT, "groups"}
GROUPS = Field("groups", Text("Groups (ids)", "Groupes (identifiants)"), "list")
TYPES = {"number": "number", "date": "datetime"}
CREATED_AS = {"number": "number", "integer": "number", "datetime": "date"}


class MailerliteSettings(SettingsSchema):
    """The account's token, and how a consenting person joins."""

    api_key = key_setting(
        Text("MailerLite: Integrations, API, Generate new token.", "MailerLite : Intégrations, API, Générer un jeton."),
        label=Text("API token", "Jeton d'API"),
    )
    group_id = Words(
        Text("Group for people who agreed to e-mail", "Groupe des personnes ayant accepté les e-mails"),
        help=Text(
            "The number in the group's address. Empty: no group.", "Le numéro dans l'adresse du groupe. Vide : aucun."
        ),
        load_default="",
        validate=validate.Regexp(r"\A[0-9]{0,25}\Z", error="A group id is a number."),
    )
    consenting = Choice(
        Text("New people who agreed to e-mail", "Nouvelles personnes ayant accepté les e-mails"),
        {
            "unconfirmed": Text("Ask them to confirm (double opt-in)", "Leur demander de confirmer (double opt-in)"),
            "active": Text("Subscribe them at once", "Les abonner aussitôt"),
        },
        help=Text("All others join as unsubscribed.", "Les autres entrent comme désabonnées."),
        load_default="unconfirmed",
    )


class Mailerlite(EmailTool, Crm):
    """Adds and updates subscribers without ever changing whether they are subscribed."""

    slug = "mailerlite"
    name = "MailerLite"
    status = Status.BETA
    homepage = "https://www.mailerlite.com"
    Settings = MailerliteSettings
    auth = Bearer("api_key")
    limits = Limits(per_second=2, concurrency=1)  # 120 calls a minute
    exists_already = (422,)
    fields = person_fields(KEYS, GROUPS)
    default_mapping: ClassVar[Mapping[str, Any]] = person_mapping(KEYS)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        def page(number: int) -> Call:
            return Call.get(f"{API}/fields", params={"limit": "100", "page": str(number)}, cache_seconds=cache_seconds)

        def following(reply: Reply) -> Call | None:
            current, last = dig(reply.json(), "meta.current_page"), dig(reply.json(), "meta.last_page")
            more = isinstance(current, int) and isinstance(last, int) and current < last
            return page(current + 1) if more else None

        replies = yield from read_pages(page(1), following)
        told = [each for reply in replies for each in dig(reply.json(), "data[]") or []]
        if not told and cache_seconds:  # a real account has at least the fields that MailerLite made
            return expected()
        return listed_fields(told, "key", "name", "type", types=TYPES, wanted=lambda row: row.get("key") not in FIXED)

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        body = {"name": title(field.key), "type": CREATED_AS.get(field.type, "text")}
        yield Call.post(f"{API}/fields", json=body)

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """Whether MailerLite knows the person, then the person."""
        email = require_email(record, self.name)
        found, warning = by_account_key(record.values, (yield from self.list_fields(settings, LISTED_FOR)), FIXED)
        fields = filled(record.values, PERSON) | {key: _plain(field, value) for key, (field, value) in found.items()}
        subscriber: dict[str, Any] = {"email": email, "fields": fields}
        if not (yield from _is_known(email)):
            subscriber["status"] = settings["consenting"] if agreed(record) else "unsubscribed"
        groups = [*listed(record.values.get("groups")), settings["group_id"]] if agreed(record) else []
        yield Call.post(f"{API}/subscribers", json=subscriber | filled({"groups": listed(groups)}, ("groups",)))
        return Outcome.delivered(warning)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 422 names each field that is wrong."""
        errors = dig(reply.json(), "errors") if reply.status == 422 else None
        if isinstance(errors, dict) and errors:
            field, said = next(iter(errors.items()))
            words = "; ".join(listed(said))
            raise BadMapping(str(field), f"MailerLite refused {field}: {words}", status=422, detail=words)
        return None


def _is_known(email: str) -> Generator[Call, Reply, bool]:
    try:
        yield Call.get(f"{API}/subscribers/{quote(email, safe='')}")
    except Refused as error:
        if error.status != 404:
            raise
        return False
    return True


def _plain(field: Field, value: Any) -> Any:
    """Dates are days and a time without a zone at MailerLite."""
    return str(value)[:19].replace("T", " ") if field.type == "datetime" else flat(value)

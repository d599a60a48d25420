"""SendGrid Marketing: contacts, through an import that is judged later.

Sources, under twilio.com/docs/sendgrid/api-reference: contacts/add-or-update-a-contact (202 and a ``job_id``),
contacts/import-contacts-status, custom-fields (contacts name them by id). Suppressions are another part of SendGrid that
nothing here touches.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import (
    BadMapping,
    Batch,
    Bearer,
    Call,
    Choice,
    Field,
    Limits,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Refused,
    Reply,
    Result,
    SettingsSchema,
    Text,
    Words,
)
from hub.contract.settings import key_setting
from hub.toolkit.crm import (
    HUB_KEYS,
    LISTED_FOR,
    Crm,
    Listed,
    by_account_key,
    expected,
    flat,
    listed_fields,
    people_of,
    title,
)
from hub.toolkit.email_tools import CONSENT, EmailTool, agreed, filled, person_fields, person_mapping
from hub.toolkit.paths import dig, text

HOSTS = {"global": "https://api.sendgrid.com/v3", "eu": "https://api.eu.sendgrid.com/v3"}
PERSON = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "phone_number": "phone",
    "city": "city",
    "state_province_region": "region",
    "postal_code": "postal_code",
    "country": "country",
}
FIXED = {*PERSON, CONSENT}
TYPES = {"Number": "number", "Date": "datetime"}
CREATED_AS = {"number": "Number", "integer": "Number", "datetime": "Date"}
FIRST_LOOK, NEXT_LOOK = 30.0, 60.0  # seconds until an import is asked for


class SendgridSettings(SettingsSchema):
    """The account's key, and where consenting people go."""

    api_key = key_setting(
        Text(
            "SendGrid: Settings, API Keys, with full access to Marketing. It starts with SG.",
            "SendGrid : Settings, API Keys, avec accès complet à Marketing. Elle commence par SG.",
        ),
        placeholder="SG.…",
    )
    list_id = Words(
        Text("List for people who agreed to e-mail", "Liste des personnes ayant accepté les e-mails"),
        help=Text(
            "The id at the end of the list's address in Marketing, Contacts. All others join no list.",
            "L'identifiant à la fin de l'adresse de la liste dans Marketing, Contacts. Les autres n'entrent dans aucune.",
        ),
        load_default="",
        validate=validate.Regexp(r"\A[0-9a-f-]{0,36}\Z", error="A list id is 36 characters of 0-9, a-f and hyphens."),
    )
    region = Choice(
        Text("Region", "Région"),
        {
            "global": Text("Global", "Mondiale"),
            "eu": Text("European Union (subuser)", "Union européenne (sous-compte)"),
        },
        help=Text("Where the account or subuser is hosted.", "Où le compte ou sous-compte est hébergé."),
        load_default="global",
    )


class Sendgrid(EmailTool, Crm):
    """Contacts, up to a thousand in an import; people who agreed join a list."""

    slug = "sendgrid"
    name = "SendGrid Marketing"
    homepage = "https://sendgrid.com"
    Settings = SendgridSettings
    auth = Bearer("api_key")
    batch = Batch(max_records=1000, whole_batch_fails=True)  # it would take 30,000 or 6 MB
    limits = Limits(per_second=1, concurrency=1)
    exists_already = (400,)
    fields = person_fields({**PERSON, **HUB_KEYS})
    default_mapping: ClassVar[Mapping[str, Any]] = person_mapping({**PERSON, **HUB_KEYS})

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(_marketing(settings, "field_definitions"), cache_seconds=cache_seconds)
        told = dig(reply.json(), "custom_fields[]")
        if told is None and cache_seconds:
            return expected()
        return listed_fields(told, "id", "name", "field_type", types=TYPES)

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        body = {"name": title(field.key).replace(" ", "_"), "field_type": CREATED_AS.get(field.type, "Text")}
        yield Call.post(_marketing(settings, "field_definitions"), json=body)

    def group(self, record: Record, settings: Mapping[str, Any]) -> str:
        """A call names its lists once for all its contacts."""
        return "list" if agreed(record) and settings["list_id"] else "no list"

    def deliver(self, record: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """One import for all; what it says of them is asked for later."""
        outcomes: Outcomes = {}
        people = people_of(record, self.name, "email", outcomes)
        listed = yield from self.list_fields(settings, LISTED_FOR)
        contacts = []
        for person in people:
            found, _ = by_account_key(person.values, listed, FIXED)
            custom = {key: flat(value) for key, (_, value) in found.items()}
            contacts.append(filled(person.values, PERSON) | ({"custom_fields": custom} if custom else {}))
        if contacts:
            lists = {"list_ids": [settings["list_id"]]} if self.group(record[0], settings) == "list" else {}
            reply = yield Call.put(_marketing(settings, "contacts"), json={**lists, "contacts": contacts}, timeout=30.0)
            ticket = text(dig(reply.json(), "job_id"))
            taken = Outcome.pending(ticket, FIRST_LOOK) if ticket else Outcome(Result.ACCEPTED_UNVERIFIED)
            for person in people:
                outcomes |= person.outcomes(taken)
        return outcomes

    def poll(self, ticket: str, settings: Mapping[str, Any]) -> Recipe:
        """SendGrid counts what failed, but does not say here who it was."""
        reply = yield Call.get(_marketing(settings, f"contacts/imports/{ticket}"))
        status, results = text(dig(reply.json(), "status")), dig(reply.json(), "results")
        if status not in ("completed", "errored", "failed"):
            return Outcome.pending(ticket, NEXT_LOOK)
        failed, asked = dig(results, "errored_count") or 0, dig(results, "requested_count") or 0
        if status == "completed" and not failed:
            return Outcome.delivered()
        words = f"SendGrid's import {ticket}: {status}, {failed} of {asked} contacts refused."
        if status == "failed" or failed >= asked:
            return Outcome.refused(words)
        return Outcome.delivered(f"{words} Its list of errors is in SendGrid under Marketing, Contacts.")

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 names the field; a refused import names the place of the contact in it."""
        body = reply.json() if reply.status in (400, 403) else None
        field, words = text(dig(body, "errors[0].field")), text(dig(body, "errors[0].message")) or ""
        if reply.status == 400 and field:
            if "email" in field:
                raise Refused(f"SendGrid does not take this e-mail address: {words}", status=400, detail=field)
            raise BadMapping(field, f"SendGrid refused {field}: {words}", status=400, detail=words)
        return None


def _marketing(settings: Mapping[str, Any], path: str) -> str:
    return f"{HOSTS[settings['region']]}/marketing/{path}"

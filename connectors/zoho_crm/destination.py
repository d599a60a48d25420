"""Zoho CRM: contacts or leads, upserted by e-mail.

Sources, under zoho.com/crm/developer/docs/api/v8: upsert-records (100 records, ``duplicate_check_fields``, status by
record), create-custom-field (five a call), field-meta, status-codes, multi-dc, access-refresh.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.contract import (
    Batch,
    Call,
    Choice,
    Field,
    Limits,
    OAuth2,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Status,
    Switch,
    Words,
)
from hub.toolkit.bundled_files import read_words
from hub.toolkit.crm import (
    HUB_KEYS,
    LISTED_FOR,
    Crm,
    Listed,
    Person,
    Verdict,
    flat,
    listed_fields,
    people_of,
    refusal,
    row_outcome,
    title,
)
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API_VERSION = "v8"
KEYS = {"Email": "email", "First_Name": "first_name", "Last_Name": "last_name", "Phone": "phone", **HUB_KEYS}
TYPES = {
    "integer": "integer",
    "bigint": "integer",
    "double": "number",
    "currency": "money",
    "boolean": "boolean",
    "date": "datetime",
    "datetime": "datetime",
    "email": "email",
    "phone": "phone",
    "multiselectpicklist": "list",
}
LONG: dict[str, Any] = {"data_type": "textarea", "length": 2000, "textarea": {"type": "small"}}
CREATED_AS: dict[str, dict[str, Any]] = {  # else a line of text
    "number": {"data_type": "double", "length": 16, "decimal_place": 2},
    "integer": {"data_type": "integer", "length": 9},
    "datetime": {"data_type": "datetime"},
}
VERDICTS: dict[str, Verdict] = {
    "INVALID_TOKEN": "credentials",
    "AUTHENTICATION_FAILURE": "credentials",
    "OAUTH_SCOPE_MISMATCH": "credentials",
    "NO_PERMISSION": "credentials",
    "TOO_MANY_REQUESTS": "slower",
    "LIMIT_EXCEEDED": "slower",
    "INTERNAL_ERROR": "later",
    "RECORD_LOCKED": "later",
    "MANDATORY_NOT_FOUND": "field",
    "INVALID_DATA": "field",
}
WORDS = read_words(__name__)


class ZohoSettings(SettingsSchema):
    """One organization, in its data center, and where its people live."""

    accounts_host = Choice(**WORDS["accounts_host"], load_default="accounts.zoho.com")
    client_id = Words(**WORDS["client_id"], required=True)
    client_secret = Secret(**WORDS["client_secret"], required=True)
    api_domain = Words(**WORDS["api_domain"], load_default="")
    module = Choice(**WORDS["module"], load_default="Contacts")
    workflows = Switch(**WORDS["workflows"], load_default=True)


class ZohoCrm(Crm):
    """A hundred people a call; Zoho itself finds or creates each."""

    slug = "zoho_crm"
    name = "Zoho CRM"
    status = Status.BETA
    homepage = "https://www.zoho.com/crm/"
    Settings = ZohoSettings
    auth = OAuth2(
        "https://{accounts_host}/oauth/v2/auth",
        "https://{accounts_host}/oauth/v2/token",
        scopes=("ZohoCRM.modules.ALL", "ZohoCRM.settings.fields.ALL"),
        scope_separator=",",
        parameters={"access_type": "offline", "prompt": "consent"},
        pkce=False,
        keeps=("api_domain",),
        prefix="Zoho-oauthtoken",
    )
    fields = fields_for(KEYS, required={"Email"})
    default_mapping = mapping_for(KEYS)
    batch = Batch(max_records=100)
    limits = Limits(per_second=5, concurrency=1)

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        url = f"{_base(settings)}/settings/fields?module={settings['module']}"
        reply = yield Call.get(url, cache_seconds=cache_seconds)
        return listed_fields(
            dig(reply.json(), "fields[]"),
            "api_name",
            "field_label",
            "data_type",
            types=TYPES,
            options="pick_list_values[].actual_value",
            required="system_mandatory",
            wanted=lambda row: not row.get("read_only"),
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = LONG if field.key in ("hub_summary", "hub_products") else {"data_type": "text", "length": 255}
        definition = {"field_label": title(field.key), **CREATED_AS.get(field.type, kind)}
        url, params = f"{_base(settings)}/settings/fields", {"module": settings["module"]}
        yield Call.post(url, params=params, json={"fields": [definition]})

    def deliver(self, records: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """One upsert for all; Zoho answers in the same order, record by record."""
        outcomes: dict[str, Outcome] = {}
        people = people_of(records, self.name, "Email", outcomes)
        if not people:
            return outcomes
        listed = yield from self.list_fields(settings, LISTED_FOR)
        names = {field.key: name for name, field in listed.items()}
        rows = yield from self._upsert([_row(person, names) for person in people], settings)
        nameless = [number for number, row in enumerate(rows) if _wants_a_name(row)]
        if nameless:  # new people: Zoho wants a last name to create one, and known people keep theirs
            named = [_row(people[number], names) | {"Last_Name": _stand_in(people[number])} for number in nameless]
            again = yield from self._upsert(named, settings)
            rows = [dict(zip(nameless, again, strict=True)).get(number, row) for number, row in enumerate(rows)]
        for person, row in zip(people, rows, strict=True):
            outcomes |= person.outcomes(_outcome(row))
        return outcomes

    def _upsert(self, data: list[Any], settings: Mapping[str, Any]) -> Generator[Call, Reply, list[Any]]:
        trigger = ["workflow"] if settings["workflows"] else []
        body = {"data": data, "duplicate_check_fields": ["Email"], "trigger": trigger}
        reply = yield Call.post(f"{_base(settings)}/{settings['module']}/upsert", json=body)
        rows = dig(reply.json(), "data[]") or []
        return (rows + [None] * len(data))[: len(data)]

    def judge(self, reply: Reply) -> Outcome | None:
        """Zoho's ``code``, which is about the call. In an upsert's answer, also a 400, each record has its own."""
        body = reply.json()
        rows = dig(body, "data[]") if reply.status == 400 else None
        if rows:
            return _outcome(rows[0])  # deliver reads the rows
        code, words = text(dig(body, "code")), text(dig(body, "message")) or ""
        if reply.ok or reply.status >= 500 or code is None:
            return None
        verdict = VERDICTS.get(code)
        if verdict in ("credentials", "slower", "later"):
            raise refusal(self.name, verdict, f"{code}: {words}", status=reply.status)
        field = text(dig(body, "details.api_name"))
        if verdict == "field" and field:
            raise refusal(self.name, "field", f"{code}: {words}", status=reply.status, field=field)
        status = 409 if code == "DUPLICATE_DATA" else reply.status
        raise Refused("Zoho CRM refused.", status=status, detail=f"{code}: {words}")


def _base(settings: Mapping[str, Any]) -> str:
    """Before the grant, for a preview: the API's address as each data center writes it."""
    ending = re.sub(r"^accounts\.zoho(cloud)?", "", settings["accounts_host"])
    return f"{settings['api_domain'] or f'https://www.zohoapis{ending}'}/crm/{API_VERSION}"


def _row(person: Person, names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key) or _api_name(key): _plain(flat(value)) for key, value in person.values.items()}


def _stand_in(person: Person) -> str:
    return text(person.values.get("First_Name")) or person.email.partition("@")[0]


def _wants_a_name(row: Any) -> bool:
    return (dig(row, "code"), dig(row, "details.api_name")) == ("MANDATORY_NOT_FOUND", "Last_Name")


def _outcome(row: Any) -> Outcome:
    code, words = text(dig(row, "code")), text(dig(row, "message")) or "Zoho does not say that it wrote this record."
    if code == "SUCCESS":
        return Outcome.delivered()
    field = text(dig(row, "details.api_name")) or ""
    return row_outcome(VERDICTS.get(code or ""), f"{code}: {words}" if code else words, field)


def _api_name(key: str) -> str:
    """What Zoho makes of the title, unless the account's list says otherwise."""
    return title(key).replace(" ", "_") if key in HUB_KEYS else key


def _plain(value: Any) -> Any:
    """Zoho refuses a fraction of a second, and the Z of UTC."""
    if isinstance(value, str) and len(value) >= 20 and value[10] == "T" and value.endswith("Z"):
        return f"{value[:19]}+00:00"
    return float(value) if isinstance(value, Decimal) else value

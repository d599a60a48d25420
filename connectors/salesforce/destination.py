"""Salesforce: contacts, found by e-mail, a hundred a call.

Sources, under developer.salesforce.com/docs: api_rest (query, sObject collections create and update, sObject describe,
status codes and error responses), api_tooling (CustomField), object_reference (FieldPermissions, PermissionSet).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from hub.contract import (
    Batch,
    Call,
    Field,
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
    Url,
    Words,
)
from hub.toolkit.bundled_files import read_words
from hub.toolkit.crm import (
    HUB_KEYS,
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

from .access import grant_access

KEYS = {
    "Email": "email",
    "FirstName": "first_name",
    "LastName": "last_name",
    "Phone": "phone",
    "MailingCity": "city",
    "MailingPostalCode": "postal_code",
    **HUB_KEYS,
}
TYPES = {
    "int": "integer",
    "double": "number",
    "percent": "number",
    "currency": "money",
    "boolean": "boolean",
    "date": "datetime",
    "datetime": "datetime",
    "email": "email",
    "phone": "phone",
    "multipicklist": "list",
}
LONG = {"type": "LongTextArea", "length": 32768, "visibleLines": 4}
CREATED_AS: dict[str, dict[str, Any]] = {  # else a line of text
    "number": {"type": "Number", "precision": 18, "scale": 2},
    "integer": {"type": "Number", "precision": 9, "scale": 0},
    "datetime": {"type": "DateTime"},
}
VERDICTS: dict[str, Verdict] = {
    "INVALID_SESSION_ID": "credentials",
    "API_DISABLED_FOR_ORG": "credentials",
    "INSUFFICIENT_ACCESS": "credentials",
    "INSUFFICIENT_ACCESS_OR_READONLY": "credentials",
    "REQUEST_LIMIT_EXCEEDED": "slower",
    "SERVER_UNAVAILABLE": "slower",
    "UNABLE_TO_LOCK_ROW": "later",
    "INVALID_FIELD": "field",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "field",
    "REQUIRED_FIELD_MISSING": "field",
    "STRING_TOO_LONG": "field",
    "INVALID_EMAIL_ADDRESS": "field",
    "JSON_PARSER_ERROR": "field",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "field",
    "FIELD_INTEGRITY_EXCEPTION": "field",
}
EXISTS = ("DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE")
WORDS = read_words(__name__)


class SalesforceSettings(SettingsSchema):
    """One org, through an external client app of its own."""

    login_url = Url(**WORDS["login_url"], load_default="https://login.salesforce.com")
    client_id = Words(**WORDS["client_id"], required=True)
    client_secret = Secret(**WORDS["client_secret"], required=True)
    instance_url = Words(**WORDS["instance_url"], load_default="")
    api_version = Words(**WORDS["api_version"], load_default="v62.0")
    allow_duplicates = Switch(**WORDS["allow_duplicates"])


class Salesforce(Crm):
    """One query finds the known people of a batch, one call updates them, one creates the others."""

    slug = "salesforce"
    name = "Salesforce"
    status = Status.BETA
    homepage = "https://www.salesforce.com"
    Settings = SalesforceSettings
    auth = OAuth2(
        "{login_url}/services/oauth2/authorize",
        "{login_url}/services/oauth2/token",
        scopes=("api", "refresh_token", "openid"),  # openid: to learn whom the fields are shown to
        keeps=("instance_url",),
    )
    fields = fields_for(KEYS, required={"Email"})
    default_mapping = mapping_for(KEYS)
    batch = Batch(max_records=100)  # 200 are allowed, but their e-mails have to fit into one address

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        reply = yield Call.get(f"{_base(settings)}/sobjects/Contact/describe")
        return listed_fields(
            dig(reply.json(), "fields[]"),
            "name",
            "label",
            "type",
            types=TYPES,
            options="picklistValues[]",
            option=("value", "label"),
            wanted=lambda row: row.get("updateable"),
        )

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe:
        kind = LONG if field.key in ("hub_summary", "hub_products") else {"type": "Text", "length": 255}
        metadata = {"label": title(field.key), **CREATED_AS.get(field.type, kind)}
        body = {"FullName": f"Contact.{_api_name(field.key)}", "Metadata": metadata}
        yield Call.post(f"{_base(settings)}/tooling/sobjects/CustomField", json=body)

    def prepare(self, settings: Mapping[str, Any]) -> Recipe:
        """Create the fields, then a permission set that shows them: Salesforce hides a field made this way."""
        said = yield from self._prepare(settings)
        names = [f"Contact.{_api_name(field.key)}" for field in self.created]
        yield from grant_access(_base(settings), _instance(settings), names)
        return f"{said} The permission set “Conversion Hub” shows them; assign it to your colleagues."

    def deliver(self, records: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """Find by e-mail, then update or create. Of two contacts with one address the older is taken."""
        outcomes: dict[str, Outcome] = {}
        people = people_of(records, self.name, "Email", outcomes)
        if not people:
            return outcomes
        listed = ",".join("'" + person.email.replace("\\", "\\\\").replace("'", "\\'") + "'" for person in people)
        query = f"SELECT Id, Email FROM Contact WHERE Email IN ({listed}) ORDER BY CreatedDate DESC"  # noqa: S608 - escaped
        reply = yield Call.get(f"{_base(settings)}/query", params={"q": query})
        found = dig(reply.json(), "records[]") or []
        ids = {str(dig(row, "Email")).lower(): text(dig(row, "Id")) for row in found}  # the oldest comes last
        known = [person for person in people if ids.get(person.email)]
        new = [person for person in people if not ids.get(person.email)]
        if known:
            rows = [_row(person) | {"id": ids[person.email]} for person in known]
            outcomes |= yield from _write(Call.patch, known, rows, settings)
        if new:
            rows = [{"LastName": person.email.partition("@")[0]} | _row(person) for person in new]
            outcomes |= yield from _write(Call.post, new, rows, settings)
        return outcomes

    def judge(self, reply: Reply) -> Outcome | None:
        """Salesforce's ``errorCode``: a 403 is as often a limit as a missing right."""
        error = dig(reply.json(), "[0]") if not reply.ok else None
        code, words = text(dig(error, "errorCode")), text(dig(error, "message")) or ""
        if reply.status == 300:
            raise Refused("Several Salesforce records match. Merge them there, then replay.", status=300)
        if code is None:
            return None
        verdict = VERDICTS.get(code)
        if verdict:
            field = text(dig(error, "fields[0]")) or code
            after = 3600.0 if code == "REQUEST_LIMIT_EXCEEDED" else None
            raise refusal(self.name, verdict, f"{code}: {words}", status=reply.status, field=field, after=after)
        if reply.status < 500 and reply.status not in (401, 403, 429):
            status = 409 if code in EXISTS else reply.status
            raise Refused("Salesforce refused.", status=status, detail=f"{code}: {words}")
        return None


def _base(settings: Mapping[str, Any]) -> str:
    return f"{_instance(settings)}/services/data/{settings['api_version']}"


def _instance(settings: Mapping[str, Any]) -> str:
    return str(settings["instance_url"] or settings["login_url"]).rstrip("/")  # a preview comes before the grant


def _api_name(key: str) -> str:
    return "_".join(part.capitalize() for part in key.split("_")) + "__c" if key in HUB_KEYS else key


def _row(person: Person) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}} | {_api_name(key): flat(value) for key, value in person.values.items()}


def _write(
    method: Any, people: list[Person], rows: list[dict[str, Any]], settings: Mapping[str, Any]
) -> Generator[Call, Reply, dict[str, Outcome]]:
    """One collection call. Salesforce answers in the same order, record by record."""
    headers = {"Sforce-Duplicate-Rule-Header": "allowSave=true"} if settings["allow_duplicates"] else {}
    body = {"allOrNone": False, "records": rows}
    reply = yield method(f"{_base(settings)}/composite/sobjects", json=body, headers=headers)
    results = dig(reply.json(), "[]") or []
    outcomes: dict[str, Outcome] = {}
    for number, person in enumerate(people):
        outcomes |= person.outcomes(_outcome(results[number] if number < len(results) else None))
    return outcomes


def _outcome(result: Any) -> Outcome:
    if dig(result, "success") is True:
        return Outcome.delivered()
    code = text(dig(result, "errors[0].statusCode")) or ""
    words = f"{code}: {text(dig(result, 'errors[0].message')) or 'Salesforce does not say that it wrote this record.'}"
    return row_outcome(VERDICTS.get(code), words, text(dig(result, "errors[0].fields[0]")) or code)

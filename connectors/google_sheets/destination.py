"""Google Sheets: one row for each conversion, written as it is, never twice.

Sources, under developers.google.com/workspace/sheets/api: reference/rest/v4/spreadsheets.values/append, …/get, …/update,
reference/rest/v4/ValueInputOption (RAW: stored as is, nothing is run), limits (60 writes a minute and user).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

from marshmallow import validate

from hub.contract import (
    BadMapping,
    Batch,
    Call,
    Category,
    Destination,
    Field,
    Kind,
    Limits,
    Outcome,
    Recipe,
    Record,
    Reply,
    Result,
    Secret,
    ServiceAccount,
    SettingsSchema,
    Text,
    Words,
)
from hub.toolkit.crm import flat
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://sheets.googleapis.com/v4/spreadsheets"
EVENT_ID = "Event id"
"""The column by which a repeated delivery is known."""
LOOKED_BACK = 4000  # rows at the end of the sheet in which an event id is looked for: one answer holds about as many
KEYS = {
    "Email": "email",
    "First name": "first_name",
    "Last name": "last_name",
    "Phone": "phone",
    "Country": "country",
    "Amount": "value",
    "Currency": "currency",
    "Order id": "sale_order_id",
    "Products": "products",
    "Offer": "offer",
    "Coupon": "coupon",
    "Campaigns": "campaigns",
    "Reason": "lead_reason",
    "Order status": "order_status",
    "Left of order": "order_amount",
    "Customer summary": "summary",
    "Lifetime value": "lifetime_value",
    "Orders": "orders",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
}
OWN = (
    Field("Happened at", Text("Happened at", "Date et heure"), "datetime", group="sale"),
    Field("What", Text("Stage or kind", "Étape ou nature"), group="sale"),
    Field("Test", Text("Test", "Test"), "boolean", group="sale"),
)


class GoogleSheetsSettings(SettingsSchema):
    """One sheet of one spreadsheet, shared with a service account."""

    service_account = Secret(
        Text("Service account's JSON key", "Clé JSON du compte de service"),
        help=Text(
            "Google Cloud console: IAM and admin, Service accounts, Keys, Add key. Paste the whole file.",
            "Console Google Cloud : IAM et administration, Comptes de service, Clés, Ajouter. Collez le fichier entier.",
        ),
        required=True,
    )
    spreadsheet = Words(
        Text("Spreadsheet id", "Identifiant du classeur"),
        help=Text("In its address, between /d/ and /edit.", "Dans son adresse, entre /d/ et /edit."),
        required=True,
        validate=validate.Regexp(r"\A[A-Za-z0-9_-]{20,100}\Z", error="Copy what stands between /d/ and /edit."),
    )
    sheet = Words(
        Text("Sheet", "Feuille"),
        help=Text("The name on its tab.", "Le nom de son onglet."),
        load_default="Sheet1",
    )


class Columns(NamedTuple):
    """The sheet's first row, and how many rows it has, empty ones included."""

    names: list[str]
    rows: int

    def letter(self, name: str) -> str:
        """``AB``: where the column of that name is. Raises BadMapping when there is none."""
        if name not in self.names:
            raise BadMapping(name, f"The sheet has no column “{name}” in its first row. Press Prepare.")
        return _letters(self.names.index(name))


class GoogleSheets(Destination):
    """Appends a hundred rows a call. What the last rows hold already is not written again."""

    slug = "google_sheets"
    name = "Google Sheets"
    category = Category.GENERIC
    homepage = "https://sheets.google.com"
    Settings = GoogleSheetsSettings
    auth = ServiceAccount(("https://www.googleapis.com/auth/spreadsheets",), "service_account")
    kinds = frozenset(Kind)
    fields = (*OWN, *fields_for(KEYS))
    default_mapping: ClassVar[Mapping[str, Any]] = {
        "Happened at": {"from": "occurred_at", "as": "datetime"},
        "What": {"first": [{"from": "stage"}, {"from": "kind"}]},
        "Test": {"from": "test"},
        **mapping_for(KEYS),
        "Amount": {"from": "value", "as": "money"},
    }
    batch = Batch(max_records=100)  # rows are appended together or not at all: one cell that is too long refuses all
    limits = Limits(per_second=1, concurrency=1)

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Whether the service account may open the sheet, and whether the column of event ids is there."""
        columns = yield from _columns(settings)
        if EVENT_ID in columns.names:
            return f"The sheet is open to the hub. It has {len(columns.names)} columns."
        return "The sheet is open to the hub. Press Prepare to write the columns into its first row."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """The names in the first row, and what Prepare would add."""
        columns = yield from _columns(settings)
        own = {field.key: field for field in self.fields}
        found = {
            name: Field(name, Text(name, name), group="sheet") for name in columns.names if name != EVENT_ID and name
        }
        return list((found | own).values())

    def prepare(self, settings: Mapping[str, Any]) -> Recipe:
        """Write the missing columns to the right of those that are there."""
        columns = yield from _columns(settings)
        wanted = [EVENT_ID, *(field.key for field in self.fields)]
        missing = [name for name in wanted if name not in columns.names]
        if missing:
            url = _values(settings, f"{_letters(len(columns.names))}1")
            yield Call.put(url, params={"valueInputOption": "RAW"}, json={"values": [missing]})
        return f"Wrote {len(missing)} columns." if missing else "The sheet has all the columns already."

    def deliver(self, records: Sequence[Record], settings: Mapping[str, Any]) -> Recipe:
        """Look the event ids up, then append the rows that are new, in the order of the sheet's columns."""
        columns = yield from _columns(settings)
        letter = columns.letter(EVENT_ID)
        window = f"{letter}{max(1, columns.rows - LOOKED_BACK)}:{letter}{max(1, columns.rows)}"
        params = {"majorDimension": "COLUMNS", "prettyPrint": "false"}
        reply = yield Call.get(_values(settings, window), params=params)
        known = set(map(str, dig(reply.json(), "values[0]") or []))
        new = [record for record in records if record.event_id not in known]
        outcomes = self.preset_outcomes(records, Outcome(Result.DUPLICATE, "had_it_already"))
        if new:
            rows = [[_cell(record, name) for name in columns.names] for record in new]
            params = {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"}
            yield Call.post(f"{_values(settings, 'A1')}:append", params=params, json={"values": rows})
            strangers = sorted({key for record in new for key in record.values if key not in columns.names})
            warning = f"Left out, since the sheet has no such column: {', '.join(strangers)}." if strangers else ""
            outcomes |= self.preset_outcomes(new, Outcome.delivered(warning))
        return outcomes


def _values(settings: Mapping[str, Any], cells: str) -> str:
    sheet = settings["sheet"].replace("'", "''")
    return f"{API}/{settings['spreadsheet']}/values/" + quote(f"'{sheet}'!{cells}", safe="")


def _columns(settings: Mapping[str, Any]) -> Generator[Call, Reply, Columns]:
    sheet = settings["sheet"].replace("'", "''")
    fields = "sheets(properties.gridProperties.rowCount,data.rowData.values.formattedValue)"
    reply = yield Call.get(
        f"{API}/{settings['spreadsheet']}",
        params={"ranges": f"'{sheet}'!1:1", "fields": fields, "prettyPrint": "false"},
    )
    if reply.json() == {}:  # a preview, where no sheet answers: as Prepare would make it
        return Columns([EVENT_ID, *(field.key for field in GoogleSheets.fields)], 1)
    found = dig(reply.json(), "sheets[0]")
    cells = dig(found, "data[0].rowData[0].values") or []
    names = [text(dig(cell, "formattedValue")) or "" for cell in cells]
    rows = re.sub(r"\D", "", str(dig(found, "properties.gridProperties.rowCount"))) or "1"
    return Columns(names, int(rows))


def _cell(record: Record, name: str) -> Any:
    """A cell as Google takes it: text, number or yes/no; "" for nothing, since null would keep what is there."""
    value = record.event_id if name == EVENT_ID else flat(record.values.get(name))
    return "" if value is None or isinstance(value, dict) else value


def _letters(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters

"""What the samples of Google Sheets cannot show: rows that are there already, moved columns, sheets that are not ready."""

from __future__ import annotations

import pytest
from platforms import Platform, record

from connectors.google_sheets.destination import EVENT_ID, GoogleSheets
from hub.contract import BadMapping, Result

SETTINGS = {"service_account": "made up", "spreadsheet": "made-up-spreadsheet-id", "sheet": "Anna's"}


def sheet(*names, rows=1000):
    cells = [{"formattedValue": name} for name in names]
    grid = {"gridProperties": {"rowCount": rows}}
    return 200, {"sheets": [{"properties": grid, "data": [{"rowData": [{"values": cells}]}]}]}


def test_a_row_that_is_there_is_not_written_again():
    platform = Platform(GoogleSheets(), SETTINGS, sheet("Email", EVENT_ID), (200, {"values": [[EVENT_ID, "event-r1"]]}))
    outcomes = platform.deliver([record({"Email": "a@example.com"}), record({"Email": "b@example.com"}, id="r2")])
    assert {key: outcome.result for key, outcome in outcomes.items()} == {
        "r1": Result.DUPLICATE,
        "r2": Result.DELIVERED,
    }
    assert platform.sent == [{"values": [["b@example.com", "event-r2"]]}]


def test_only_the_end_of_a_long_sheet_is_looked_through_in_the_column_where_the_ids_are():
    platform = Platform(GoogleSheets(), SETTINGS, sheet(*["x"] * 26, EVENT_ID, rows=9000))
    platform.deliver([record({})])
    assert platform.calls[1].url.endswith("/values/%27Anna%27%27s%27%21AA5000%3AAA9000")


def test_a_formula_in_a_buyers_name_is_sent_as_a_text_that_is_not_read():
    platform = Platform(GoogleSheets(), SETTINGS, sheet(EVENT_ID, "First name"))
    platform.deliver([record({"First name": '=IMPORTXML("https://example.com")'})])
    assert platform.sent == [{"values": [["event-r1", '=IMPORTXML("https://example.com")']]}]
    assert platform.calls[-1].params["valueInputOption"] == "RAW"


def test_a_sheet_without_event_ids_takes_nothing_until_it_is_prepared():
    with pytest.raises(BadMapping, match="Press Prepare"):
        Platform(GoogleSheets(), SETTINGS, sheet("Email")).deliver([record({"Email": "a@example.com"})])


def test_prepare_writes_what_is_missing_to_the_right():
    platform = Platform(GoogleSheets(), SETTINGS, sheet("Notes", "Email"))
    platform.ask("prepare")
    [body] = platform.sent
    assert platform.calls[-1].url.endswith("%21C1")
    assert body["values"][0][0] == EVENT_ID
    assert "Email" not in body["values"][0]


def test_a_value_without_a_column_is_named():
    platform = Platform(GoogleSheets(), SETTINGS, sheet(EVENT_ID))
    outcomes = platform.deliver([record({"Email": "a@example.com"})])
    assert outcomes["r1"].result is Result.DELIVERED_WITH_WARNING
    assert "Email" in outcomes["r1"].detail

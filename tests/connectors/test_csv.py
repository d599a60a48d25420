"""CSV files: names of columns, ways to write amounts and dates, what a status means."""

from typing import Any

import pytest
from senders import message, read

from connectors.csv.columns import LABELS, assign, folded
from connectors.csv.source import Csv
from hub.contract import Conversion, Kind, NotUnderstood, Stage
from hub.toolkit.flat_form import KEYS

SOURCE = Csv()
EUR = {"currency": "EUR"}


def row(settings: dict[str, Any] | None = None, **cells: str) -> Conversion:
    [conversion] = read(SOURCE, message({"order id": "7", **cells}), EUR | (settings or {}))
    return conversion


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("N° de commande", "order_id"),
        ("Montant TTC (€)", "value"),
        ("E-mail", "email"),
        ("Prénom", "first_name"),
        ("DATE DE COMMANDE", "occurred_at"),
        ("Qté", "quantity"),
        ("Order ID", "order_id"),
        ("order_id", "order_id"),
        ("Téléphone", "phone"),
        ("Code postal", "postal_code"),
        ("Statut", "stage"),
        ("Désignation", "product_name"),
    ],
)
def test_usual_columns_are_known(column: str, name: str) -> None:
    assert assign([column], {}) == {column: name}


def test_the_better_of_two_usual_names_counts() -> None:
    assert assign(["Prix", "Montant", "Name", "Billing Name"], {}) == {"Montant": "value", "Billing Name": "full_name"}


def test_what_a_person_picked_comes_first_and_a_dash_means_none() -> None:
    assert assign(["Total", "Net", "Type"], {"value": "net", "stage": "-"}) == {"Net": "value"}


def test_every_name_is_one_that_records_know() -> None:
    assert set(LABELS) - {"time"} <= KEYS | {"consent_ads", "consent_email"}
    assert folded("N° de commande") == "ndecommande"


@pytest.mark.parametrize(
    ("amount", "value", "kind"),
    [
        ("1 234,56", "1234.56", Kind.CONVERSION),
        ("1\u202f234,56 €", "1234.56", Kind.CONVERSION),
        ("49.9", "49.9", Kind.CONVERSION),
        ("1,234.56", "1234.56", Kind.CONVERSION),
        ("-49,90", "49.90", Kind.REFUND),
        ("(49,90)", "49.90", Kind.REFUND),
        ("49,90-", "49.90", Kind.REFUND),
        ("0", "0", Kind.CONVERSION),
    ],
)
def test_amounts_as_spreadsheets_write_them(amount: str, value: str, kind: Kind) -> None:
    sale = row(montant=amount)
    assert (str(sale.value), sale.kind, sale.currency) == (value, kind, "EUR")


def test_the_currency_may_stand_in_the_columns_name() -> None:
    assert row({"currency": ""}, **{"Total (USD)": "12.00"}).currency == "USD"
    assert row(Total="12.00", Devise="chf").currency == "CHF"


@pytest.mark.parametrize(
    ("written", "settings", "at"),
    [
        ("31/12/2026", {}, "2026-12-31T00:00:00Z"),
        ("12/31/2026", {"dates": "month_first"}, "2026-12-31T00:00:00Z"),
        ("31.12.26 18:05", {}, "2026-12-31T18:05:00Z"),
        ("31/12/2026 à 18h05", {}, "2026-12-31T18:05:00Z"),
        ("12/31/2026 6:05 PM", {"dates": "month_first"}, "2026-12-31T18:05:00Z"),
        ("2026-12-31 18:05:30", {}, "2026-12-31T18:05:30Z"),
        ("2026-12-31T18:05:30+02:00", {"time_zone": "Europe/Paris"}, "2026-12-31T16:05:30Z"),
        ("31/12/2026", {"time_zone": "Europe/Paris"}, "2026-12-30T23:00:00Z"),
        ("46387", {}, "2026-12-31T00:00:00Z"),
        ("46387,5", {}, "2026-12-31T12:00:00Z"),
    ],
)
def test_dates_as_people_and_spreadsheets_write_them(written: str, settings: dict[str, str], at: str) -> None:
    assert row(settings, date=written).to_dict()["occurred_at"] == at


@pytest.mark.parametrize("written", ["31/13/2026", "32/12/2026", "soon", "0001-01-01", "12:30"])
def test_a_date_that_cannot_be_read_leaves_the_line_out(written: str) -> None:
    with pytest.raises(NotUnderstood, match="The date"):
        row(date=written)


@pytest.mark.parametrize(
    ("word", "settings", "kind", "stage"),
    [
        ("Payée", {}, Kind.CONVERSION, Stage.PURCHASE),
        ("Avoir", {}, Kind.REFUND, None),
        ("refunded", {}, Kind.REFUND, None),
        ("On hold", {}, Kind.PENDING, None),
        ("Échouée", {}, Kind.CONVERSION, Stage.LEAD),
        ("AddToCart", {}, Kind.CONVERSION, Stage.ADD_TO_CART),
        ("", {"stage": "lead"}, Kind.CONVERSION, Stage.LEAD),
        ("Kdo", {"words": {"Kdo": "registration"}}, Kind.CONVERSION, Stage.COMPLETE_REGISTRATION),
    ],
)
def test_a_status_means_what_it_says(word: str, settings: dict[str, Any], kind: Kind, stage: Stage | None) -> None:
    found = row(settings, statut=word)
    assert (found.kind, found.stage) == (kind, stage)


def test_a_status_that_means_nothing_gives_no_sale_and_a_strange_one_is_named() -> None:
    inbound = message({"order id": "7", "statut": "Brouillon"})
    assert read(SOURCE, inbound, {"words": {"Brouillon": "nothing"}}) == []
    with pytest.raises(NotUnderstood, match="Brouillon"):
        read(SOURCE, inbound)


def test_a_posted_file_with_a_broken_line_is_parked_with_its_number() -> None:
    with pytest.raises(NotUnderstood, match="Line 3"):
        read(SOURCE, message("order id;total\n1;5\n2;6;7\n"), EUR)


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "/etc/passwd"])
def test_a_time_zone_must_be_one(zone: str) -> None:
    assert SOURCE.Settings().validate({"time_zone": zone})

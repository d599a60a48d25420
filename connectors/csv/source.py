"""Orders and in-store sales out of a CSV file: each row is one conversion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from connectors.csv.columns import LABELS, assign
from connectors.csv.rows import record_of
from hub.contract import (
    ALL_STAGES,
    Category,
    Choice,
    Conversion,
    Currency,
    Inbound,
    Kind,
    NotUnderstood,
    Paths,
    SettingsSchema,
    Snippet,
    Stage,
    Text,
    TimeZone,
)
from hub.contract.calls import dump_json
from hub.contract.vocabulary import STAGE_LABELS
from hub.toolkit.csv_tables import read_table
from hub.toolkit.event_meanings import EventTable
from hub.toolkit.field_picker import records
from hub.toolkit.flat_form import read_record
from hub.toolkit.signing import fingerprint
from hub.toolkit.unsigned_source import UnsignedSender


class CsvSettings(SettingsSchema):
    columns = Paths(
        Text("Which column holds what", "Quelle colonne contient quoi"),
        names=LABELS,
        help=Text(
            "Usual names are found by themselves: enter a column's name only where it is not. - means: none.",
            "Les noms usuels sont reconnus : saisissez celui d'une colonne s'il ne l'est pas. - veut dire : aucune.",
        ),
        placeholder="Montant TTC",
    )
    stage = Choice(
        Text("A row is", "Une ligne est"),
        STAGE_LABELS,
        help=Text(
            "Where no column tells. A negative amount is a refund.",
            "Si aucune colonne ne le dit. Un montant négatif est un remboursement.",
        ),
        load_default=Stage.PURCHASE.value,
    )
    words = EventTable("Payée")
    currency = Currency(
        Text("Currency", "Devise"),
        help=Text("Where the file names none.", "Si le fichier n'en indique pas."),
        placeholder="EUR",
        load_default="",
    )
    dates = Choice(
        Text("Dates with slashes", "Dates avec des barres"),
        {
            "day_first": Text("day first: 31/12/2026", "le jour d'abord : 31/12/2026"),
            "month_first": Text("month first: 12/31/2026", "le mois d'abord : 12/31/2026"),
        },
        help=Text("2026-12-31 is read either way.", "2026-12-31 se lit dans les deux cas."),
        load_default="day_first",
    )
    time_zone = TimeZone(
        Text("Time zone", "Fuseau horaire"),
        help=Text("Of times without one. Empty: UTC.", "Des heures qui n'en ont pas. Vide : UTC."),
        placeholder="Europe/Paris",
        load_default="",
    )


class Csv(UnsignedSender):
    """Rows of files; also rows that a program posts as JSON or CSV."""

    slug = "csv"
    name = "CSV file"
    category = Category.GENERIC
    homepage = "https://www.rfc-editor.org/rfc/rfc4180"
    Settings = CsvSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Import the file here below, or with the command: hub import orders FILE --source ID",
            "Importez le fichier ci-dessous, ou avec la commande : hub import orders FICHIER --source ID",
        ),
        note=Text(
            "A program may also post the file to the address.", "Un programme peut aussi poster le fichier à l'adresse."
        ),
    )

    def columns(self, header: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Text]:
        return {column: LABELS[name] for column, name in assign(header, settings["columns"]).items()}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        for cells in _rows(inbound):
            record = record_of(cells, settings)
            if record is None:
                continue
            name = f"row-{fingerprint(dump_json(sorted(record.items())))}"
            conversion = read_record(record, inbound.received_at, settings["currency"], name)
            if conversion is not None:
                yield conversion


def _rows(inbound: Inbound) -> Iterator[dict[str, Any]]:
    if inbound.content().lstrip().startswith((b"{", b"[")):
        yield from records(inbound)
        return
    _, rows = read_table(inbound.content())
    for row in rows:
        if row.problem:
            raise NotUnderstood(f"Line {row.line} cannot be read: {row.problem}.")
        yield row.cells

"""One row of a file, as a flat record: what its word means, when it happened, which way the money went."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.csv.columns import assign, currency_in
from hub.contract import Kind, NotUnderstood, Stage
from hub.contract.amounts import parse_amount
from hub.contract.conversion import iso
from hub.contract.dates import parse_time
from hub.contract.meanings import MEANINGS
from hub.contract.vocabulary import stage_named

Json = dict[str, Any]
# What an order's status or a line's type says, folded to lower case, in English and French.
WORDS = {
    word: meaning
    for meaning, words in {
        "purchase": (
            "sale|order|paid|completed|complete|fulfilled|processing|succeeded|partially_refunded|vente|commande|achat|"
            "payé|payée|terminé|terminée|réglé|réglée|encaissé|encaissée"
        ),
        "refund": "refund|refunded|remboursement|remboursé|remboursée|avoir|retour|return",
        "cancellation": "cancelled|canceled|voided|annulé|annulée|annulation",
        "pending": "pending|authorized|on-hold|on hold|unpaid|en attente|impayé|impayée",
        "refused": "failed|declined|refused|échoué|échouée|refusé|refusée",
        "renewal": "rebill|renouvellement|échéance",
    }.items()
    for word in words.split("|")
}
IN_RECORDS = {
    "registration": Stage.COMPLETE_REGISTRATION.value,
    "refused": Stage.LEAD.value,
    "abandoned": Stage.LEAD.value,
}
MINUS = re.compile(r"^\(.*\d.*\)$|^\s*[-−–]|[-−]\s*$")
DATE = re.compile(
    r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})(?:[ T,à]+(\d{1,2})[h:](\d{2})?(?::(\d{2}))?)?\s*(am|pm)?", re.I
)
EXCEL_DAYS = range(36526, 73051)  # 2000 to 2100, as a spreadsheet counts days


def record_of(cells: Json, settings: Mapping[str, Any]) -> Json | None:
    """The row under the names of :mod:`hub.contract.records`; None when its word means nothing."""
    names = assign(cells, settings["columns"])
    record: Json = {names.get(column, column): value for column, value in cells.items() if value not in (None, "")}
    for column, name in names.items():
        if name == "value" and "currency" not in record and currency_in(column):
            record["currency"] = currency_in(column)
    amount = record.get("value")
    is_negative = (isinstance(amount, str) and bool(MINUS.search(amount))) or (
        isinstance(amount, int | Decimal) and amount < 0
    )
    if isinstance(amount, str):
        record["value"] = amount.strip("()-−– ") if is_negative else amount
    meaning = _meaning(record.pop("stage", ""), is_negative, settings)
    if meaning is None:
        return None
    record["stage"] = meaning
    if "occurred_at" in record:
        record["occurred_at"] = iso(_moment(f"{record['occurred_at']} {record.pop('time', '')}".strip(), settings))
    for name in ("price", "quantity"):
        if isinstance(record.get(name), str):
            record[name] = str(parse_amount(record[name], None))
    return record


def _meaning(word: Any, is_negative: bool, settings: Mapping[str, Any]) -> str | None:
    """The hub's word for a row. A refund is one whatever its status says, once its amount is negative."""
    said = str(word).strip()
    known = settings["words"].get(said) or WORDS.get(said.lower()) or said or settings["stage"]
    if known in MEANINGS and MEANINGS[known][1] is None:
        return None
    if known not in MEANINGS and known not in set(Kind) and stage_named(known) is None:
        raise NotUnderstood(
            f"The word “{said[:60]}” is not known. Say under “Other events” what it means, then import again."
        )
    known = IN_RECORDS.get(known, known)
    return "refund" if is_negative and known == Stage.PURCHASE else known


def _moment(said: str, settings: Mapping[str, Any]) -> datetime:
    zone = ZoneInfo(settings["time_zone"] or "UTC")
    number = re.fullmatch(r"(\d{5})(?:[.,](\d+))?", said)
    if number and int(number[1]) in EXCEL_DAYS:
        days = float(f"{number[1]}.{number[2] or 0}")
        return (datetime(1899, 12, 30, tzinfo=zone) + timedelta(seconds=round(days * 86400))).astimezone(UTC)
    written = DATE.fullmatch(said)
    if written:
        return _from_parts(written, said, settings["dates"] == "day_first", zone)
    try:
        moment = datetime.fromisoformat(said)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except ValueError:
        moment = parse_time(said) or datetime.min.replace(tzinfo=UTC)
    if parse_time(moment.isoformat()) is None:
        raise _no_date(said)
    return moment.astimezone(UTC)


def _from_parts(written: re.Match[str], said: str, day_first: bool, zone: ZoneInfo) -> datetime:
    first, second, year = (int(part) for part in written.groups()[:3])
    hour, minute, second_of = (int(part or 0) for part in written.groups()[3:6])
    day, month = (first, second) if day_first else (second, first)
    hour = hour % 12 + (12 if written[7].lower() == "pm" else 0) if written[7] else hour
    try:
        moment = datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second_of, tzinfo=zone)
    except ValueError:
        raise _no_date(said) from None
    return moment.astimezone(UTC)


def _no_date(said: str) -> NotUnderstood:
    return NotUnderstood(f"The date {said[:40]} cannot be read. Choose whether the day or the month comes first.")

"""One row of a file, as a flat record: what its word means, when it happened, which way the money went."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.csv.columns import assign, currency_in
from hub.contract import Kind, NotUnderstood, Stage
from hub.contract.conversion import iso
from hub.contract.vocabulary import stage_named
from hub.toolkit.amounts import parse_amount
from hub.toolkit.dates import written_time
from hub.toolkit.event_meanings import MEANINGS

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


def record_of(cells: Json, settings: Mapping[str, Any]) -> Json | None:
    """The row under the names of :mod:`hub.toolkit.flat_form`; None when its word means nothing."""
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
    record["stage"] = IN_RECORDS.get(meaning, meaning)
    if record["stage"] == Stage.LEAD and meaning != Stage.LEAD:
        record.setdefault("reason", meaning)
    if "occurred_at" in record:
        record["occurred_at"] = iso(_moment(f"{record['occurred_at']} {record.pop('time', '')}".strip(), settings))
    for name in ("price", "quantity"):
        if isinstance(record.get(name), str):
            record[name] = str(_number(record[name]))
    return record


def _number(said: str) -> Decimal:
    try:
        return parse_amount(said)
    except ValueError as error:
        raise NotUnderstood(str(error), reason="amount_not_readable") from None


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
    return "refund" if is_negative and known == Stage.PURCHASE else known


def _moment(said: str, settings: Mapping[str, Any]) -> datetime:
    moment = written_time(said, settings["time_zone"], day_first=settings["dates"] == "day_first")
    if moment is None:
        raise NotUnderstood(f"The date {said[:40]} cannot be read. Choose whether the day or the month comes first.")
    return moment

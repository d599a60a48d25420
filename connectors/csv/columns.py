"""What a column holds, by its name: English and French, as shops, tills and payment processors export them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from hub.contract import Text
from hub.toolkit.amounts import read_currency
from hub.toolkit.bundled_files import read_words

_COLUMNS = read_words(__name__, "columns.json")  # of the names that hub.toolkit.flat_form knows
LABELS: dict[str, Text] = {name: column["label"] for name, column in _COLUMNS.items()}
# The usual names of such a column, as `folded` writes them, best first.
_KNOWN = {word: (name, rank) for name, column in _COLUMNS.items() for rank, word in enumerate(column["usual"].split())}


def folded(column: str) -> str:
    """A column's name in bare letters: ``N° de commande`` → ``ndecommande``, ``Montant TTC (€)`` → ``montantttc``."""
    bare = re.sub(r"\([^)]*\)|\[[^\]]*\]", "", column.replace("°", " ")).lower()
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", bare)) or re.sub("[^a-z0-9]", "", column.lower())


def assign(columns: Iterable[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Column → the name it is read under. What a person chose comes first; of two usual names the better one counts.

    A column chosen as ``-`` for a name keeps that name from being looked for.
    """
    return _assigned(tuple(columns), tuple(chosen.items()))


@lru_cache(maxsize=256)  # the rows of a file have few sets of filled columns
def _assigned(columns: tuple[str, ...], chosen: tuple[tuple[str, str], ...]) -> dict[str, str]:
    by_folded: dict[str, str] = {}
    for column in columns:
        by_folded.setdefault(folded(column), column)
    picked = {name: by_folded.get(folded(column)) for name, column in chosen}
    best: dict[str, tuple[int, str]] = {}
    taken = set(picked.values())
    for word, column in by_folded.items():
        name, rank = _KNOWN.get(word, ("", 0))
        if name and name not in picked and column not in taken and rank < best.get(name, (999, ""))[0]:
            best[name] = rank, column
    return {column: name for name, column in picked.items() if column} | {
        column: name for name, (_, column) in best.items()
    }


@lru_cache(maxsize=256)
def currency_in(column: str) -> str:
    """The currency that a column's own name tells: ``Montant (€)`` → EUR; empty when it tells none, or several."""
    for word in re.findall(r"[(\[]([^)\]]+)[)\]]|([A-Z]{3}|[€£$]) *$", column):
        codes = read_currency("".join(word))
        if codes and len(codes) == 1:
            return next(iter(codes))
    return ""

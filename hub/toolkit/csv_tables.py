"""Reads CSV files as spreadsheets, tills and shops write them. A fault in one line leaves the other lines alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from hub.contract.errors import NotUnderstood

SEPARATORS = ";,\t|"
LONGEST_RECORD = 50  # lines that one row may stretch over: more of them mean a quotation mark that nobody closed
MOST_COLUMNS = 500


class Row(NamedTuple):
    """One row: the number of its first line in the file, its cells by column, and what is wrong with it (empty: nothing)."""

    line: int
    cells: dict[str, str]
    problem: str = ""


def read_table(raw: bytes) -> tuple[list[str], Iterator[Row]]:
    """The names of the columns, out of the first line that is not empty, and the rows below; empty rows are passed over.

    Comma, semicolon, tab and bar separate; a byte order mark, UTF-16, Windows-1252 and Excel's ``sep=;`` are understood.
    A column without a name is called by its number, one with a name that was there before gets a number behind it.
    Raises NotUnderstood when the file is no table.
    """
    lines = _decoded(raw).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    told = re.fullmatch(r"sep=(.)", lines[start].strip()) if start < len(lines) else None
    start += 1 if told else 0
    header = lines[start] if start < len(lines) else ""
    separator = told[1] if told else max(SEPARATORS, key=lambda mark: len(_cells(header, mark)))
    columns = _distinct(_cells(header, separator))
    if not 2 <= len(columns) <= MOST_COLUMNS:
        raise NotUnderstood(
            "The first line must name the columns, separated by commas or semicolons: email; amount; date …"
        )
    return columns, _rows(lines, start + 1, separator, columns)


def _rows(lines: list[str], position: int, separator: str, columns: list[str]) -> Iterator[Row]:
    while position < len(lines):
        height = _height(lines, position, separator)
        record, number = "\n".join(lines[position : position + (height or 1)]), position + 1
        position += height or 1
        if not height:
            yield Row(number, {}, "a quotation mark is opened and never closed")
            continue
        cells = _cells(record, separator)
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if not any(cells):
            continue
        if len(cells) > len(columns):
            yield Row(number, {}, f"it has {len(cells)} cells, but there are {len(columns)} columns")
        else:
            yield Row(number, dict(zip(columns, cells, strict=False)))


def _height(lines: list[str], position: int, separator: str) -> int:
    """How many lines the record at ``position`` stretches over; 0 when its quotation mark is never closed."""
    if not re.search(rf'(?:^|{re.escape(separator)})\s*"', lines[position]):
        return 1  # a quotation mark inside a cell, such as a size in inches, opens nothing
    marks = 0
    for height, line in enumerate(lines[position : position + LONGEST_RECORD], 1):
        marks += line.count('"')
        if marks % 2 == 0:
            return height
    return 0


def _cells(record: str, separator: str) -> list[str]:
    try:
        [cells] = csv.reader([record], delimiter=separator, skipinitialspace=True) if record else [[]]
    except (csv.Error, ValueError):
        return []
    return [cell.strip() for cell in cells]


def _distinct(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names.pop()
    found: list[str] = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        found.append(name if name not in found else f"{name} ({number})")
    return found


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", "replace")  # what spreadsheets write where they do not write UTF-8

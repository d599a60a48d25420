"""Tables in text files: whatever is wrong with a line stays with that line."""

import pytest

from hub.contract import NotUnderstood
from hub.toolkit.csv_tables import Row, read_table


def table(text: str) -> tuple[list[str], list[Row]]:
    columns, rows = read_table(text.encode())
    return columns, list(rows)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_usual_mark_separates(mark: str) -> None:
    assert table(f"a{mark}b\n1{mark}2\n") == (["a", "b"], [Row(2, {"a": "1", "b": "2"})])


@pytest.mark.parametrize(
    "raw",
    [
        "\ufeffé;b\r\n1;2\r\n".encode(),
        "é;b\r1;2".encode(),
        "sep=;\né;b\n1;2".encode(),
        "é;b\n1;2".encode("windows-1252"),
        "é;b\n1;2".encode("utf-16"),
        "\n\né;b\n\n1;2\n;\n".encode(),
    ],
    ids=["bom", "old mac", "sep line", "windows", "utf-16", "empty lines"],
)
def test_files_of_any_spreadsheet_are_read(raw: bytes) -> None:
    columns, rows = read_table(raw)
    assert columns == ["é", "b"]
    assert [row.cells for row in rows] == [{"é": "1", "b": "2"}]


def test_quoted_cells_may_hold_anything() -> None:
    columns, rows = table('a;b\n"1;\n""x""";2\n3;4" screen\n5;6')
    assert [(row.line, row.cells["a"], row.cells["b"]) for row in rows] == [
        (2, '1;\n"x"', "2"),
        (4, "3", '4" screen'),
        (5, "5", "6"),
    ]
    assert columns == ["a", "b"]


def test_a_broken_line_costs_only_itself() -> None:
    _, rows = table('a;b\n1;2\n1;2;3\n"open;2\n3;4\n5\n7;8;;\n')
    assert [row.line for row in rows if row.problem] == [3, 4]
    assert [row.cells for row in rows if not row.problem] == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
        {"a": "5"},
        {"a": "7", "b": "8"},
    ]


def test_columns_without_a_name_or_with_one_twice_stay_apart() -> None:
    assert table("a;;a\n1;2;3")[0] == ["a", "column 2", "a (3)"]


@pytest.mark.parametrize("text", ["", "\n\n", "just words", "a\n1\n2"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="first line"):
        table(text)

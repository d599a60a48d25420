"""The typed records are their tables: the same columns, in the same order, as nullable."""

from typing import Any, get_args, get_type_hints

import pytest

from hub.store import metadata
from hub.store.row import Row


def kinds(base: type[Row] = Row) -> list[type[Row]]:
    return [*base.__subclasses__(), *(kind for each in base.__subclasses__() for kind in kinds(each))]


BY_TABLE = {kind.__name__.removesuffix("Row").lower(): kind for kind in kinds() if kind.__name__.endswith("Row")}


@pytest.mark.parametrize(
    "table", [each for each in metadata.sorted_tables if each.name not in ("lease", "counter", "change_count")], ids=str
)
def test_a_record_has_the_columns_of_its_table(table: object) -> None:
    name = str(table).replace("access_", "").replace("_", "")  # "grant" is a word of SQL, the table has another
    kind = BY_TABLE[name]
    columns = metadata.tables[str(table)].columns
    assert list(kind.__struct_fields__) == [column.name for column in columns]
    hints = get_type_hints(kind)
    optional = {name for name, hint in hints.items() if type(None) in get_args(hint)}
    assert optional == {each.name for each in columns if each.nullable and hints[each.name] is not Any}

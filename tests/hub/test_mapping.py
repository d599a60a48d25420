"""Step 6: the mapping language. Every example of docs/mapping.md is run, then its promises are tried."""

from __future__ import annotations

import hashlib
import json
import re
import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contract.conversion import Conversion
from hub.mapping.coercion import COERCIONS
from hub.mapping.difference import difference
from hub.mapping.facts import facts
from hub.mapping.filters import OPS, apply_filter
from hub.mapping.reader import ROOTS, reach
from hub.mapping.rules import MappingError, compile_mapping
from hub.mapping.transforms import MAX_CHAIN, TRANSFORMS
from hub.mapping.transforms.dates import PATTERNS
from hub.toolkit.paths import dig

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
BLOCKS = re.findall(r"```json ([a-z ]+)\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [
    (json.loads(rules), json.loads(result)) for (kind, rules), (_, result) in pairwise(BLOCKS) if kind == "mapping"
]
DATA = facts(Conversion.from_dict(json.loads(BLOCKS[0][1])).to_dict(), "evt_7")


def made(rule: dict[str, Any], data: dict[str, Any] = DATA) -> Any:
    return compile_mapping({"field": rule}).apply(data).values.get("field")


def codes(rule: dict[str, Any], data: dict[str, Any] = DATA) -> list[str]:
    return [problem.code for problem in compile_mapping({"field": rule}).apply(data).problems]


def complaints(rules: Any) -> dict[str, str]:
    with pytest.raises(MappingError) as caught:
        compile_mapping(rules)
    assert all(problem.message.fr for problem in caught.value.problems)
    return {problem.field: problem.message.en for problem in caught.value.problems}


@pytest.mark.parametrize(("rules", "expected"), EXAMPLES)
def test_the_documentation_tells_what_happens(rules: dict[str, Any], expected: dict[str, Any]) -> None:
    mapped = compile_mapping(rules).apply(DATA)
    assert mapped.values == expected
    assert mapped.problems == []


@pytest.mark.parametrize(("kind", "stored"), [block for block in BLOCKS if block[0].startswith("filter")])
def test_the_documented_filters_decide_as_told(kind: str, stored: str) -> None:
    assert apply_filter(json.loads(stored), DATA) is (kind == "filter passes")


def test_the_documentation_names_every_transform_coercion_op_and_pattern() -> None:
    assert set(re.findall(r"^\| `(\w+)` ", PAGE, re.MULTILINE)) == set(TRANSFORMS) | set(OPS)
    for name in (*COERCIONS, *PATTERNS):
        assert f"`{name}`" in PAGE
    for transform in TRANSFORMS.values():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{transform.name}` "))
        assert re.findall(r"`(\w+)`", row)[1:] == [argument.name for argument in transform.arguments]


def test_every_transform_has_its_words_in_both_languages() -> None:
    for transform in TRANSFORMS.values():
        assert transform.label.en
        assert transform.label.fr
        assert transform.help.en
        assert transform.help.fr
        assert all(argument.label.en and argument.label.fr for argument in transform.arguments)


@pytest.mark.parametrize(
    ("rule", "given_value", "expected"),
    [
        ({"do": ["upper"]}, "élan", "ÉLAN"),
        ({"do": ["title"]}, "anna maria", "Anna Maria"),
        ({"do": ["capitalize"]}, "ANNA maria", "Anna maria"),
        ({"do": ["one_line"]}, "a\r\n b\t c", "a b c"),
        ({"do": [{"split_name": "first"}]}, " Anna  Maria Martin", "Anna"),
        ({"do": [{"split_name": "last"}]}, "Anna", None),
        ({"do": ["first_word"]}, "Anna Maria", "Anna"),
        ({"do": ["last_word"]}, "Anna Maria", "Maria"),
        ({"do": ["digits"]}, "+33 (0)6 12", "330612"),
        ({"do": ["digits"]}, "none", None),
        ({"do": [{"prefix": "#"}, {"suffix": "!"}]}, 12, "#12!"),
        ({"do": [{"truncate": 3}]}, "abcdef", "abc"),
        ({"do": [{"replace": {"old": ".", "new": ","}}]}, "1.2.3", "1,2,3"),
        ({"do": [{"replace": "."}]}, "1.2", "12"),
        ({"do": ["md5"]}, "a", "0cc175b9c0f1b6a831c399e269772661"),
        ({"do": ["sha256"]}, ["a"], [hashlib.sha256(b"a").hexdigest()]),
        ({"do": ["slug"]}, "Été à Paris !", "ete-a-paris"),
        ({"do": ["strip_html"]}, "<b>a</b><script>x()</script> &lt;b", "a <b"),
        ({"do": ["country_code"]}, "Allemagne", "DE"),
        ({"do": ["number"]}, "$ 1,299.50", 1299.5),
        ({"do": [{"number": ","}]}, "1 299,50 €", 1299.5),
        ({"do": [{"round": 1}]}, "2.25", 2.3),
        ({"do": ["abs"]}, "-5", 5),
        ({"do": ["negate"]}, "49.99", -49.99),
        ({"do": [{"add": -10}]}, "49.99", 39.99),
        ({"do": [{"multiply": "0.7"}]}, "10", 7),
        ({"do": ["minor_units"]}, "49.99", 4999),
        ({"do": [{"minor_units": "JPY"}]}, "4900", 4900),
        ({"do": [{"minor_units": "KWD"}]}, "1.234", 1234),
        ({"do": ["format_money"]}, "1299", "1299.00 EUR"),
        ({"do": [{"format_money": "en"}]}, "1299.5", "1,299.50 EUR"),
        ({"do": [{"format_money": {"language": "fr", "currency": "JPY"}}]}, "12990", "12\u202f990 JPY"),
        ({"do": [{"date_only": "America/New_York"}]}, "2026-11-20T03:00:00Z", "2026-11-19"),
        ({"do": [{"format_date": {"pattern": "ISO", "time_zone": "Japan"}}]}, 1795218127, "2026-11-21T08:42:07+09:00"),
        ({"do": ["unix"]}, "2026-11-20T23:42:07Z", 1795218127),
        ({"do": ["unix_ms"]}, "2026-11-20T23:42:07.250Z", 1795218127250),
        ({"do": ["join"]}, ["a", 1, True], "a, 1, true"),
        ({"do": ["first"]}, ["a", "b"], "a"),
        ({"do": ["last"]}, ["a", "b"], "b"),
        ({"do": ["count"]}, ["a", "b"], 2),
        ({"do": ["sum"]}, ["0.1", "0.2"], 0.3),
        ({"do": ["unique", "count"]}, ["a", "b", "a"], 2),
        ({"do": ["json"]}, {"a": Decimal("1.50")}, '{"a":1.50}'),
        ({"do": [{"default": 0}]}, "", 0),
        ({"as": "text"}, Decimal("49.90"), "49.90"),
        ({"as": "text"}, ["a", "b"], "a, b"),
        ({"as": "number"}, "49.00", 49),
        ({"as": "number"}, "0.1234567", 0.1234567),
        ({"as": "integer"}, "12.5", 13),
        ({"as": "money"}, "12.345", 12.35),
        ({"as": "money"}, "49.99", 49.99),
        ({"as": "boolean"}, "Oui", True),
        ({"as": "boolean"}, 0, False),
        ({"as": "date"}, "2026-11-20T23:42:07Z", "2026-11-20"),
        ({"as": "datetime"}, 1795218127, "2026-11-20T23:42:07Z"),
        ({"as": "unix"}, "2026-11-20", 1795132800),
        ({"as": "unix_ms"}, "2026-11-20T23:42:07Z", 1795218127000),
        ({"as": "list"}, "a", ["a"]),
        ({"as": "object"}, {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_becomes(rule: dict[str, Any], given_value: Any, expected: Any) -> None:
    value = made({"from": "extra.x", **rule}, DATA | {"extra": {"x": given_value}})
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"from": "contact.email", "as": "number"}, "not_a_number"),
        ({"from": "contact.email", "as": "unix"}, "not_a_time"),
        ({"from": "contact.email", "as": "object"}, "not_an_object"),
        ({"from": "contact.email", "as": "boolean"}, "not_yes_or_no"),
        ({"from": "contact.email", "do": ["country_code"]}, "not_a_country"),
        ({"from": "contact", "do": ["lower"]}, "not_text"),
        ({"from": "value", "do": [{"multiply": 999999999}, {"multiply": 999999999}]}, "not_a_number"),
        ({"text": "{{ contact.email | divided_by: 0 }}"}, "template_failed"),
        ({"from": "contact.phone", "required": True}, "missing"),
    ],
)
def test_what_cannot_be_made_is_a_named_problem_and_no_field(rule: dict[str, Any], code: str) -> None:
    mapped = compile_mapping({"good": {"from": "order_id"}, "bad": rule}).apply(DATA)
    assert mapped.values == {"good": "1001"}
    assert [(problem.field, problem.code) for problem in mapped.problems] == [("bad", code)]
    assert mapped.problems[0].message.fr


def test_only_a_required_field_holds_the_record_back() -> None:
    assert compile_mapping({"a": {"from": "order_id", "as": "unix"}}).apply(DATA).blocker is None
    assert (
        compile_mapping({"a": {"from": "contact.email", "as": "unix", "required": True}}).apply(DATA).blocker
        is not None
    )
    demanded_by_the_destination = compile_mapping({"a": {"from": "order_id"}}, required=["em"]).apply(DATA).blocker
    assert demanded_by_the_destination is not None
    assert demanded_by_the_destination.field == "em"


def test_zero_and_no_are_values() -> None:
    assert made({"from": "test"}) is False
    assert made({"from": "extra.n"}, DATA | {"extra": {"n": 0}}) == 0


def test_a_candidate_that_cannot_be_made_gives_way_to_the_next() -> None:
    assert made({"first": [{"from": "contact.email", "as": "number"}, {"from": "value", "as": "number"}]}) == 149.97
    assert codes({"first": [{"from": "contact.email", "as": "number"}, {"from": "offer"}]}) == ["not_a_number"]


def test_each_record_gets_its_own_copy_of_a_constant() -> None:
    mapping = compile_mapping({"field": {"value": {"list": []}}})
    mapping.apply(DATA).values["field"]["list"].append("changed by a connector")
    assert mapping.apply(DATA).values == {"field": {"list": []}}


def test_write_modes_are_told_beside_the_values() -> None:
    assert compile_mapping({"a": {"value": 1, "write": "append"}, "b": {"value": 2, "write": "set"}}).write == {
        "a": "append"
    }


@pytest.mark.parametrize(
    ("rules", "place", "words"),
    [
        ([], "mapping", "object"),
        ({"a": "contact.email"}, "a", "Invalid input type"),
        ({"a": {}}, "a", "exactly one"),
        ({"a": {"from": "value", "value": 1}}, "a", "exactly one"),
        ({"a": {"from": "value", "table": {}}}, "a", "exactly one"),
        ({"a": {"lookup": "value"}}, "a", "exactly one"),
        ({"a": {"from": "value", "default": 1}}, "a", "default goes with lookup"),
        ({"a": {"from": "value", "fro": 1}}, "a.fro", "Unknown"),
        ({"a": {"from": "contct.email"}}, "a.from", 'no field "contct.email"'),
        ({"a": {"from": "contact.emial"}}, "a.from", 'no field "contact.emial"'),
        ({"a": {"from": "a..b"}}, "a.from", "not a path"),
        ({"a": {"from": ""}}, "a.from", "path"),
        ({"a": {"from": 5}}, "a.from", "path"),
        ({"a": {"text": "{{ contct.email }}"}}, "a.text", 'no field "contct"'),
        ({"a": {"text": "{% if x %}"}}, "a.text", "broken"),
        ({"a": {"text": "{{ value | explode }}"}}, "a.text", 'no filter "explode"'),
        ({"a": {"text": "{% include '/etc/passwd' %}"}}, "a.text", "include"),
        ({"a": {"text": "{% render 'x' %}"}}, "a.text", "render"),
        ({"a": {"text": "{% for i in (1..999999999) %}x{% endfor %}"}}, "a.text", "Ranges"),
        ({"a": {"text": "x" * 10_001}}, "a.text", "at most"),
        ({"a": {"from": "value", "do": ["explode"]}}, "a.do", 'no transform "explode"'),
        ({"a": {"from": "value", "do": [{"truncate": 0}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": ["truncate"]}}, "a.do", 'needs its "length"'),
        ({"a": {"from": "value", "do": [{"upper": 1}]}}, "a.do", "takes no"),
        ({"a": {"from": "value", "do": [{"format_date": "%999999999d"}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": [{"date_only": "../../etc/passwd"}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": [{"date_only": 5}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": [{"add": "1e999"}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": [{"round": float("inf")}]}}, "a.do", "does not fit"),
        ({"a": {"from": "value", "do": ["trim"] * (MAX_CHAIN + 1)}}, "a.do", "at most 10"),
        ({"a": {"from": "value", "do": "trim"}}, "a.do", "list"),
        ({"a": {"from": "value", "as": "float"}}, "a.as", "one of"),
        ({"a": {"from": "value", "required": "yes"}}, "a.required", "boolean"),
        ({"a": {"from": "value", "write": "twice"}}, "a.write", "one of"),
        ({"a": {"first": [{"from": "value"}, {"from": "valu"}]}}, "a.first[1].from", 'no field "valu"'),
        ({"a": {"if": {"path": "value", "op": "matches", "value": "(a+)+"}, "then": 1}}, "a.if", "op is one of"),
        ({"a": {"if": [], "then": {"from": "valu"}}}, "a.then.from", 'no field "valu"'),
    ],
)
def test_malformed_rules_are_refused_by_place(rules: Any, place: str, words: str) -> None:
    found = complaints(rules)
    assert place in found
    assert words in found[place]


def test_all_malformed_places_are_told_at_once() -> None:
    assert set(complaints({"a": {"from": "x"}, "b": {"do": []}, "c": {"value": 1}})) == {"a.from", "b"}


def test_rules_nested_without_end_are_refused() -> None:
    rule: dict[str, Any] = {"value": 1}
    for _ in range(5000):
        rule = {"first": [rule]}
    assert "too large" in complaints({"a": rule})["mapping"]


BOMBS = [
    {"text": "{{ 'aaaaaaaaaaaaaaaaaaaa' " + "| replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaa'" * 8 + "}}"},
    {"text": "{% for i in extra.l %}{% for j in extra.l %}{% for k in extra.l %}x{% endfor %}{% endfor %}{% endfor %}"},
    {"text": "{% assign a = 'aaaa' %}{% for i in extra.l %}{% assign a = a | append: a %}{% endfor %}{{ a }}"},
    {"text": "{% assign a = 9 %}{% for i in extra.l %}{% assign a = a | times: a %}{% endfor %}{{ a }}"},
    {
        "text": "{% for i in extra.l %}"
        + "{{ extra.t | upcase | split: 'a' | join: 'bbbb' | size }}" * 150
        + "{% endfor %}"
    },
    {"text": "{{ extra.t }}{{ extra.t }}"},
    {"from": "extra.t", "do": [{"replace": {"old": "a", "new": "b" * 1000}}] * 10},
    {"from": "extra.t", "do": [{"prefix": "x" * 1000}] * 10},
    {"from": "extra.huge", "do": ["json"]},
    {"from": "extra.huge", "as": "text"},
    {"from": "extra.l", "do": [{"join": "x" * 1000}]},
]


@pytest.mark.parametrize("rule", BOMBS)
def test_a_rule_that_loops_or_swells_is_a_problem_and_soon(rule: dict[str, Any]) -> None:
    bombed = DATA | {"extra": {"l": list(range(400)), "t": "a" * 9_000, "huge": ["a" * 1000] * 2000}}
    began = time.perf_counter()
    assert codes(rule, bombed)
    assert time.perf_counter() - began < 2


def test_a_template_reaches_neither_python_nor_the_clock() -> None:
    assert made({"text": "{{ order_id.__class__.__mro__ }}"}) is None
    assert complaints({"a": {"text": "{{ now }}"}})
    assert codes({"text": "{{ 'now' | date: 'ISO' }}"}) == ["template_failed"]


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["1e999", "NaN"])
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner), max_leaves=12
)


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(sorted(ROOTS - {"event_id"}), _JSON)))
def test_applying_never_raises_whatever_the_data(data: dict[str, Any]) -> None:
    compile_mapping(TOTAL).apply(data)


_ARGUMENTS = {
    "split_name": "last",
    "prefix": "a",
    "suffix": "b",
    "truncate": 3,
    "replace": "a",
    "add": 1,
    "multiply": 2,
    "format_date": "YYYY",
    "default": "x",
}
_STEPS = {name: {name: _ARGUMENTS[name]} if name in _ARGUMENTS else name for name in TRANSFORMS}
TOTAL = {
    "*": {"from": "*"},
    **{f"{path}-{name}": {"from": path, "do": [step]} for name, step in _STEPS.items() for path in ("extra", "value")},
    **{f"{path}-{name}": {"from": path, "as": name} for name in COERCIONS for path in ("extra", "items[].price")},
    "text": {"text": "{{ contact.email | upcase }}{{ items[0].name }}{{ extra.a.b }}"},
    "plain": {"text": "{{ contact.email }}{{ value }}"},
    "lookup": {"lookup": "extra", "table": {"a": 1}},
    "if": {"if": {"path": "value", "op": "greater", "value": 1}, "then": {"from": "items[-1].name"}},
}


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), _JSON, max_size=3),
    st.sampled_from(["a", "a.b", "a.b.c", "a[0]", "a[0].b", "a[].b", "a.0", "a[-1].b", "a[][]", "b.a.c.a"]),
)
def test_the_fast_paths_read_what_dig_reads(data: dict[str, Any], path: str) -> None:
    found = dig(data, path)
    assert repr(reach(path)(data)) == repr(None if found in ("", [], {}) else found)


def test_a_change_is_shown_as_the_difference_it_makes() -> None:
    before = {"name": {"from": "contact.first_name"}, "kept": {"from": "order_id"}}
    after = {
        "name": {"from": "contact.last_name"},
        "kept": {"from": "order_id"},
        "n": {"from": "order_id", "as": "unix"},
    }
    unnamed = DATA | {"event_id": "evt_8", "contact": {}, "order_id": "1795218127"}
    found = difference(before, after, [DATA, unnamed])
    assert found.tried == 2
    assert [change.event_id for change in found.changed] == ["evt_7", "evt_8"]
    assert found.changed[0].fields == {"name": ("Anna", "Martin")}
    assert [problem.code for problem in found.changed[0].new_problems] == ["not_a_time"]
    assert found.changed[1].fields == {"n": (None, 1795218127)}
    assert found.fields == {"name": 1, "n": 1}

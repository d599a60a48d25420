"""The filter of a route and the condition of ``if``."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.mapping.filters import MAX_CONDITIONS, OPS, apply_filter, compile_filter
from hub.mapping.problems import MappingError

DATA: dict[str, Any] = {
    "stage": "purchase",
    "value": "50.00",
    "order_id": "0012",
    "occurred_at": "2026-11-20T18:42:07Z",
    "test": False,
    "contact": {"email": "Anna@Example.com", "phone": None},
    "items": [{"name": "Watercolour Basics", "price": "49.99"}, {"name": "Brushes", "price": "5"}],
    "campaigns": {"ids": [], "tags": ["Spring", "vip"]},
    "extra": {"n": 3, "list": {"a": 1}},
}
DEEP: dict[str, Any] = {"all": []}
for _ in range(6):
    DEEP = {"all": [DEEP]}


@pytest.mark.parametrize(
    ("path", "op", "value", "passes"),
    [
        ("stage", "equals", "Purchase", True),
        ("stage", "equals", "lead", False),
        ("value", "equals", "50", True),
        ("value", "equals", 50, True),
        ("order_id", "equals", "12", False),
        ("order_id", "equals", "0012", True),
        ("test", "equals", False, True),
        ("test", "equals", "false", True),
        ("contact.phone", "equals", "1", False),
        ("campaigns.tags", "equals", "VIP", True),
        ("stage", "not_equals", "lead", True),
        ("contact.phone", "not_equals", "1", True),
        ("campaigns.tags", "not_equals", "vip", False),
        ("contact.email", "contains", "@example", True),
        ("items[].name", "contains", "brush", True),
        ("contact.email", "starts_with", "ANNA", True),
        ("contact.email", "starts_with", "example", False),
        ("stage", "in", ["lead", "purchase"], True),
        ("stage", "in", "lead, purchase", True),
        ("stage", "in", [], False),
        ("value", "greater", 49.99, True),
        ("value", "greater", "50", False),
        ("value", "less", 100, True),
        ("items[].price", "less", 6, True),
        ("stage", "greater", 1, False),
        ("occurred_at", "greater", "2026-11-01", True),
        ("occurred_at", "less", "2026-11-01", False),
        ("contact.phone", "less", 5, False),
        ("contact.email", "present", None, True),
        ("contact.phone", "present", None, False),
        ("campaigns.ids", "missing", None, True),
        ("test", "missing", None, False),
    ],
)
def test_a_condition_decides(path: str, op: str, value: Any, passes: bool) -> None:
    assert apply_filter({"path": path, "op": op, "value": value}, DATA) is passes


def test_conditions_are_joined_by_all_and_any_and_a_list_means_all() -> None:
    yes, no = {"path": "stage", "op": "present"}, {"path": "stage", "op": "missing"}
    assert apply_filter({"any": [no, {"all": [yes, yes]}]}, DATA)
    assert not apply_filter({"all": [yes, {"any": [no, no]}]}, DATA)
    assert not apply_filter([yes, no], DATA)


@pytest.mark.parametrize("stored", [None, {}, [], {"all": []}, {"any": []}])
def test_an_empty_filter_lets_everything_through(stored: Any) -> None:
    assert apply_filter(stored, DATA)


@pytest.mark.parametrize(
    ("stored", "place"),
    [
        ("stage", "filter"),
        ({"path": "stage"}, "filter"),
        ({"path": "stage", "op": "matches", "value": "(a+)+$"}, "filter"),
        ({"path": "stage", "op": ["equals"], "value": "a"}, "filter"),
        ({"path": "satge", "op": "present"}, "filter"),
        ({"path": 5, "op": "present"}, "filter"),
        ({"path": "stage", "op": "equals", "value": None}, "filter"),
        ({"path": "stage", "op": "contains", "value": ["a"]}, "filter"),
        ({"path": "value", "op": "greater", "value": "much"}, "filter"),
        ({"path": "stage", "op": "equals", "value": "a", "not": True}, "filter"),
        ({"all": {"path": "stage"}}, "filter.all"),
        ([{"path": "stage", "op": "present"}, {"any": [{"op": "present"}]}], "filter[1].any[0]"),
        (DEEP, "filter.all[0].all[0].all[0].all[0].all[0].all[0]"),
    ],
)
def test_a_malformed_filter_is_refused_by_place(stored: Any, place: str) -> None:
    with pytest.raises(MappingError) as caught:
        compile_filter(stored)
    problem = caught.value.problems[0]
    assert problem.field.startswith(place)
    assert problem.message.en
    assert problem.message.fr


def test_a_filter_without_end_is_refused() -> None:
    with pytest.raises(MappingError):
        compile_filter([{"path": "stage", "op": "present"}] * (MAX_CONDITIONS + 1))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(_JSON, st.sampled_from(sorted(OPS)), st.sampled_from(["1", "2026-01-01", 5, True, "x"]))
def test_a_compiled_filter_never_raises_whatever_the_data(value: Any, op: str, wanted: Any) -> None:
    data = {"extra": value, "value": value, "items": value}
    for path in ("extra", "extra.a", "extra[].a", "value", "items[].price"):
        try:
            passes = compile_filter({"path": path, "op": op, "value": wanted})
        except MappingError:  # "more than x" is refused when saving, whatever the data
            assert op in ("greater", "less")
            continue
        assert passes(data) in (True, False)


@settings(max_examples=100, deadline=None)
@given(_JSON)
def test_compiling_any_json_gives_a_filter_or_says_what_is_wrong(stored: Any) -> None:
    try:
        assert isinstance(apply_filter(stored, DATA), bool)
    except MappingError as refusal:
        told = [problem.message.fr for problem in refusal.problems]
        assert all(told)

"""A changed mapping tried on real conversions, as a difference, before it is saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.contract.conversion import Json
from hub.mapping.problems import Problem
from hub.mapping.rules import compile_mapping

MISSING = None  # a field that is not sent; a made value is never None


@dataclass(frozen=True)
class Changed:
    """What the change does to one conversion: ``fields`` as (before, after), and the problems that come and go."""

    event_id: str
    fields: dict[str, tuple[Any, Any]]
    new_problems: list[Problem]
    solved_problems: list[Problem]


@dataclass
class Difference:
    """All of it: how many conversions were tried, those that change, and how often each field does."""

    tried: int = 0
    changed: list[Changed] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], conversions: Iterable[Json], required: Iterable[str] = ()
) -> Difference:
    """Both rules applied to each of ``conversions`` (:func:`hub.mapping.facts.facts`). Raises MappingError."""
    demanded = frozenset(required)
    old, new = compile_mapping(before, demanded), compile_mapping(after, demanded)
    found = Difference()
    for data in conversions:
        found.tried += 1
        was, now = old.apply(data), new.apply(data)
        fields = {
            name: (was.values.get(name, MISSING), now.values.get(name, MISSING))
            for name in sorted({*was.values, *now.values})
            if was.values.get(name, MISSING) != now.values.get(name, MISSING)
        }
        worse = [problem for problem in now.problems if problem not in was.problems]
        better = [problem for problem in was.problems if problem not in now.problems]
        if fields or worse or better:
            found.changed.append(Changed(str(data.get("event_id")), fields, worse, better))
            found.fields.update(list(fields))
    return found

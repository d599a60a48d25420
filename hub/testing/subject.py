"""The connector under test: its roles, its settings sample, its samples; and a check, which yields complaints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest import SkipTest

from marshmallow import ValidationError

from hub.connecting.registry import Entry, Role, UnknownConnector, registry
from hub.contract import Connector, Destination, HubError, Source
from hub.testing.samples import Incoming, Judgment, Outgoing, SampleError, incoming, judgments, outgoing, read_json


class Subject:
    """One connector, as the checks see it. Everything is read once and shared by the checks."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self._settings: dict[Role, dict[str, Any]] = {}

    @cached_property
    def entry(self) -> Entry:
        return registry().entry(self.slug)

    @property
    def folder(self) -> Path:
        return self.entry.folder

    @property
    def samples(self) -> Path:
        return self.folder / "samples"

    @cached_property
    def source(self) -> Source:
        return registry().source(self.slug)

    @cached_property
    def destination(self) -> Destination:
        return registry().destination(self.slug)

    def connector(self, role: Role) -> Connector:
        return self.source if role == "source" else self.destination

    def settings(self, role: Role) -> dict[str, Any]:
        """The settings sample of ``role``, loaded. A fresh dict each time. Raises SampleError."""
        if role not in self._settings:
            self._settings[role] = self._load_settings(role)
        return dict(self._settings[role])

    @cached_property
    def incoming(self) -> list[Incoming]:
        return incoming(self.samples / "in")

    @cached_property
    def outgoing(self) -> list[Outgoing]:
        return outgoing(self.samples / "out")

    @cached_property
    def judgments(self) -> list[Judgment]:
        return judgments(self.samples / "out")

    @property
    def demo_key(self) -> bytes:
        """The private key that ``rehearse`` may sign with; empty when there is none."""
        path = self.samples / "demo.key"
        return path.read_bytes() if path.is_file() else b""

    def settings_file(self, role: Role) -> Path:
        own = self.samples / f"settings.{role}.json"
        return own if own.is_file() else self.samples / "settings.json"

    def _load_settings(self, role: Role) -> dict[str, Any]:
        path = self.settings_file(role)
        given = read_json(path)
        try:
            return dict(self.connector(role).Settings().load(given))
        except ValidationError as error:
            raise SampleError(
                f"samples/{path.name} does not load in the {role}'s Settings: {error.messages}. Write made-up values "
                "for every required setting."
            ) from None


FIRST = "the_folder_is_whole"  # the check that tells why a connector is set aside, once for all
RoleOrAny = Role | Literal["any"]
Complaints = Iterator[str]
Check = Callable[[Subject], Complaints]


class Case(NamedTuple):
    """One check of one connector. Call it in a test: it raises AssertionError with what is missing, in words.

    Of a connector that is set aside one check fails; the others raise SkipTest, which pytest shows as skipped.
    """

    slug: str
    check: Check

    def __str__(self) -> str:
        return f"{self.slug}-{self.check.__name__}"

    def __call__(self) -> None:
        __tracebackhide__ = True  # the complaints are for people; pytest need not show this code
        if self.check.__name__ != FIRST and subject(self.slug).entry.broken:
            raise SkipTest(f"{self.slug} is set aside: see {FIRST}")
        try:
            complaints = list(self.check(subject(self.slug)))
        except (SampleError, HubError, UnknownConnector) as error:
            complaints = [str(error)]
        if complaints:
            promise = (self.check.__doc__ or "").strip().splitlines()[0]
            raise AssertionError("\n".join([f"{self.slug}: {promise}", *(f"  - {each}" for each in complaints)]))


def cases(checks: Iterable[tuple[RoleOrAny, Check]], slug: str) -> list[Case]:
    """The cases of one connector: the checks of its folder and of the roles it has. Imports nothing of it."""
    roles = registry().roles(slug)
    return [Case(slug, check) for role, check in checks if role == "any" or role in roles]


@cache
def subject(slug: str) -> Subject:
    """The connector ``slug``, read once a run."""
    return Subject(slug)


def joined(names: Iterable[Any]) -> str:
    """``a, b and c``, sorted, for a complaint."""
    listed = sorted(str(name) for name in names)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else "nothing"

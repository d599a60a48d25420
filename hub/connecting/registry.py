"""Finds connectors, ours and strangers' alike, and sets broken ones aside with the reason.

A connector is a folder that holds ``source.py`` and/or ``destination.py``; the folder's name is its slug. Folders are
found through the entry-point group ``conversion_hub.connectors``: each entry names a package that is such a folder, or
that holds one folder a connector. Scanning reads directories only; a role's module is imported when first asked for.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from hub.contract import Category, ConfigError, Connector, ConnectorBroken, Destination, Source, Status

GROUP = "conversion_hub.connectors"
CONTRACTS = frozenset({1})  # the versions of hub.contract that this hub speaks
OWN_DISTRIBUTION = "conversion-hub"

Role = Literal["source", "destination"]
_BASES: dict[Role, type[Connector]] = {"source": Source, "destination": Destination}


class UnknownConnector(ConfigError):
    """No connector of that name (or no such role of it) is installed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One connector as the catalogue shows it. ``broken`` is the reason it was set aside, or None.

    ``distribution`` is the installed package it came with. Of a connector whose code cannot be imported the name is its
    slug, category and status are None.
    """

    slug: str
    name: str
    category: Category | None
    status: Status | None
    roles: tuple[Role, ...]
    folder: Path
    distribution: str
    broken: str | None


class Registry:
    """The connectors that are installed. Make one with :func:`registry`; ``Registry(entries)`` is for tests."""

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._folders: dict[str, _Folder] = {}
        self._set_aside: list[Entry] = []
        # Ours first: a stranger's folder of the same name must not replace what people already use.
        for entry in sorted(entries, key=lambda each: (_distribution(each) != OWN_DISTRIBUTION, each.name)):
            self._add(entry)

    def slugs(self) -> list[str]:
        """Every connector found, in alphabetical order, the broken ones included. Imports nothing."""
        return sorted(self._folders)

    def source(self, slug: str) -> Source:
        """The source of that connector (one shared instance). Raises UnknownConnector or ConnectorBroken."""
        found = self._role(slug, "source")
        assert isinstance(found, Source)  # noqa: S101 - the loader has checked it; this tells the type checker
        return found

    def destination(self, slug: str) -> Destination:
        """The destination of that connector (one shared instance). Raises UnknownConnector or ConnectorBroken."""
        found = self._role(slug, "destination")
        assert isinstance(found, Destination)  # noqa: S101 - as above
        return found

    def sources(self) -> list[Source]:
        """Every source that is whole, in alphabetical order. Imports what was not yet imported."""
        found = [self._folders[slug].loaded("source") for slug in self.slugs()]
        return [each for each in found if isinstance(each, Source)]

    def all(self) -> list[Entry]:
        """Every connector with its facts, broken ones with their reason. Imports what was not yet imported."""
        return sorted(
            [folder.entry() for folder in self._folders.values()] + self._set_aside, key=lambda each: each.slug
        )

    def entry(self, slug: str) -> Entry:
        """The facts of one connector. Raises UnknownConnector."""
        return self._folder(slug).entry()

    def roles(self, slug: str) -> tuple[Role, ...]:
        """The roles whose file is in that connector's folder. Imports nothing. Raises UnknownConnector."""
        return self._folder(slug).roles

    def _role(self, slug: str, role: Role) -> Connector:
        folder = self._folder(slug)
        if role not in folder.roles:
            raise UnknownConnector(f"{slug} is no {role}: it is a {' and a '.join(folder.roles)} only.")
        return folder.connector(role)

    def _folder(self, slug: str) -> _Folder:
        try:
            return self._folders[slug]
        except KeyError:
            raise UnknownConnector(f"No connector is called {slug[:80]}. {self._hint(slug)}") from None

    def _hint(self, slug: str) -> str:
        broken = {each.slug: str(each.broken) for each in self._set_aside}
        close = get_close_matches(slug, [*self._folders, *broken], n=1)
        if not close:
            return "“hub connectors” lists what is installed."
        name = close[0]
        why = self._folders[name].entry().broken if name in self._folders else broken[name]
        return f"{name} is installed but set aside: {why}." if why else f"Did you mean {name}?"

    def _add(self, entry: EntryPoint) -> None:
        distribution = _distribution(entry)
        try:
            folders = list(_folders(entry.value, distribution))
        except Exception as error:  # noqa: BLE001 - a stranger's package may fail in any way; the rest must work
            self._reject(entry.name, Path(), distribution, f"its package {entry.value} cannot be found: {_said(error)}")
            return
        if not folders:
            wanted = f"{entry.value.replace('.', '/')}/SLUG/source.py or destination.py"
            why = f"its package {entry.value} holds no connector folder ({wanted})"
            self._reject(entry.name, Path(), distribution, why)
        for folder in folders:
            other = self._folders.setdefault(folder.slug, folder)
            if other is not folder and other.path != folder.path:
                self._reject(
                    folder.slug, folder.path, distribution, f"{other.distribution} already has one of that name"
                )

    def _reject(self, slug: str, path: Path, distribution: str, why: str) -> None:
        self._set_aside.append(Entry(slug, slug, None, None, (), path, distribution, why))


@cache
def registry() -> Registry:
    """The connectors of this installation, found once a process."""
    return Registry(entry_points(group=GROUP))


class _Folder:
    """One connector's folder; its roles are imported on demand, once, failures remembered."""

    def __init__(self, path: Path, package: str, distribution: str) -> None:
        self.slug = path.name
        self.path = path
        self.package = package
        self.distribution = distribution
        self.roles: tuple[Role, ...] = tuple(role for role in _BASES if (path / f"{role}.py").is_file())
        self._loaded: dict[Role, Connector | str] = {}

    def connector(self, role: Role) -> Connector:
        found = self.loaded(role)
        if isinstance(found, str):
            raise ConnectorBroken(
                f"The connector {self.slug} is broken and set aside: {found}. If it is yours, mend that; otherwise "
                "update or reinstall it. Then restart.",
                detail=found,
            )
        return found

    def entry(self) -> Entry:
        loaded = [self.loaded(role) for role in self.roles]
        whole = next((each for each in loaded if isinstance(each, Connector)), None)
        broken = "; ".join(
            f"{role}: {each}" for role, each in zip(self.roles, loaded, strict=True) if isinstance(each, str)
        )
        return Entry(
            slug=self.slug,
            name=whole.name if whole else self.slug,
            category=whole.category if whole else None,
            status=whole.status if whole else None,
            roles=self.roles,
            folder=self.path,
            distribution=self.distribution,
            broken=broken or None,
        )

    def loaded(self, role: Role) -> Connector | str:
        """The connector, or why it is set aside."""
        if role not in self.roles:
            return f"it is no {role}"
        if role not in self._loaded:
            try:
                self._loaded[role] = self._instance(role)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - one bad connector must not stop the others
                self._loaded[role] = _said(error)
        return self._loaded[role]

    def _instance(self, role: Role) -> Connector:
        module = importlib.import_module(f"{self.package}.{role}")
        base = _BASES[role]
        classes = [
            found
            for _, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, base) and found.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise _Unfit(f"{role}.py must hold exactly one {base.__name__} class, it holds {len(classes)}")
        connector = classes[0]()
        for fact in ("slug", "name", "category"):
            if not getattr(connector, fact, None):
                raise _Unfit(f"its class says no {fact}")
        if connector.slug != self.slug:
            inside = "" if "." in self.package else f", or put it in {self.slug}/{connector.slug}/"
            raise _Unfit(
                f"its slug is {connector.slug!r} but its folder is {self.slug!r}: "
                f"rename the folder to {connector.slug}{inside}"
            )
        if connector.contract not in CONTRACTS:
            raise _Unfit(f"it is written for contract {connector.contract}, this hub speaks {_spoken()}")
        return connector


class _Unfit(Exception):
    """A role's module was imported but is no connector; the text says why."""


def _folders(package: str, distribution: str) -> Iterator[_Folder]:
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"no package {package}")
    # A package without __init__.py lists each of its places once a path entry, and editable installs add hooks to them.
    for place in dict.fromkeys(spec.submodule_search_locations or ()):
        top = Path(place)
        if not top.is_dir():
            continue
        if _is_connector(top):
            yield _Folder(top, package, distribution)
            continue
        for path in sorted(top.iterdir()):
            if _is_connector(path):
                yield _Folder(path, f"{package}.{path.name}", distribution)


def _is_connector(path: Path) -> bool:
    return (path / "source.py").is_file() or (path / "destination.py").is_file()


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else ""


def _spoken() -> str:
    return ", ".join(str(version) for version in sorted(CONTRACTS))


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, _Unfit) else f"{type(error).__name__}: {error}"

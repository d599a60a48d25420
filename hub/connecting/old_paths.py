"""The import paths of contract 1 that have moved, kept alive for packages written by others.

The tools for writing connectors stood in ``hub.contract`` before they had ``hub.toolkit`` to themselves. A package that
was written then says ``from hub.contract.signing import check_hmac``. It must still load, so each old path leads to the
very module that stands at the new one: its classes are the same classes. Code of this repository uses the new paths.

The contract itself cannot do this, because it imports nothing of the toolkit. ``hub/__init__.py`` switches it on, so that
it holds for whoever imports anything of ``hub``: the registry, and a stranger's own tests.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_SAME_NAME = (
    "ads",
    "amounts",
    "automation",
    "certificates",
    "chat",
    "countries",
    "crm",
    "dates",
    "email_tools",
    "field_picker",
    "field_values",
    "hmac_source",
    "mail",
    "paging",
    "paths",
    "people",
    "signing",
    "standard_fields",
    "tracking",
    "visits",
)
_RENAMED = {
    "certified": "certified_headers",
    "facts": "conversion_facts",
    "intake": "cleaning",
    "meanings": "event_meanings",
    "queries": "query_strings",
    "records": "flat_form",
    "senders": "unsigned_source",
    "tables": "csv_tables",
    "wording": "bundled_files",
}
MOVED: Mapping[str, str] = {
    f"hub.contract.{old}": f"hub.toolkit.{new}" for old, new in ({name: name for name in _SAME_NAME} | _RENAMED).items()
}
"""Old path → new path. An entry is never taken out while the hub speaks contract 1."""


class _OldPaths(MetaPathFinder, Loader):
    """Finds a module by its old path. Asked last of all finders, so what really stands at a path is found there."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def create_module(self, _: ModuleSpec) -> ModuleType | None:
        return None  # an empty module, which exec_module replaces

    def exec_module(self, module: ModuleType) -> None:
        # The import system gives out what stands under the name afterwards, so this may replace the module.
        sys.modules[module.__name__] = import_module(MOVED[module.__name__])


def keep_old_paths() -> None:
    """Make the old paths importable in this process. Called again, it does nothing."""
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(_OldPaths())

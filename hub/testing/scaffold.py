"""A new connector's folder: everything the kit looks for, each thing failing until it is filled in."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from hub.registry import Role

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,39}")


class ScaffoldError(Exception):
    """The folder cannot be made; the text says why."""


def scaffold(slug: str, role: Role, home: Path) -> list[Path]:
    """Write ``home/slug`` for one role and return the files. A second role may be added to an existing folder.

    Raises ScaffoldError when the slug is no Python name, or when that role is already there.
    """
    if not _SLUG.fullmatch(slug):
        raise ScaffoldError(
            f"“{slug}” cannot be a folder of Python code: use small letters, digits and _, such as acme_pay."
        )
    folder = home / slug
    if (folder / f"{role}.py").exists():
        raise ScaffoldError(f"{folder}/{role}.py is already there.")
    templates = files("hub.testing") / "templates"
    written = []
    for template, target in _FILES[role]:
        path = folder / target
        if path.exists():  # shared by both roles
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / template).read_text("utf-8") if template else ""
        path.write_text(text.replace("ACME_SLUG", slug).replace("ACME_CLASS", _class_name(slug)), "utf-8")
        written.append(path)
    return written


def _class_name(slug: str) -> str:
    return "".join(word.capitalize() for word in slug.split("_"))


_SHARED = (
    ("", "__init__.py"), ("about.en.md.txt", "about.en.md"), ("about.fr.md.txt", "about.fr.md"),
    ("logo.svg.txt", "logo.svg"),
)  # fmt: skip
_FILES: dict[Role, tuple[tuple[str, str], ...]] = {
    "source": (
        *_SHARED, ("source.py.txt", "source.py"), ("settings.source.json.txt", "samples/settings.source.json"),
        ("purchase_in.http.txt", "samples/in/purchase.http"),
    ),
    "destination": (
        *_SHARED, ("destination.py.txt", "destination.py"),
        ("settings.destination.json.txt", "samples/settings.destination.json"),
        ("purchase_out.json.txt", "samples/out/purchase.json"),
    ),
}  # fmt: skip

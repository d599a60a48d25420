"""A new connector's folder: everything the kit looks for, with examples to replace; alone or in a package of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from hub.connecting.registry import Role

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,39}")
Targets = Iterable[tuple[str, str]]  # (template, where its text goes)


class ScaffoldError(Exception):
    """The folder cannot be made; the text says why."""


def scaffold(slug: str, role: Role, home: Path) -> list[Path]:
    """Write ``home/slug`` for one role and return the files. A second role may be added to an existing folder.

    Raises ScaffoldError when the slug is no Python name, or when that role is already there.
    """
    _require_name(slug)
    folder = home / slug
    if (folder / f"{role}.py").exists():
        raise ScaffoldError(f"{folder}/{role}.py is already there.")
    return _write(folder, _FILES[role], {"ACME_SLUG": slug, "ACME_CLASS": _class_name(slug)})


def scaffold_package(slug: str, role: Role, package: str, project: Path) -> list[Path]:
    """Write the installable project ``project``: its package, the connector's folder in it, and a test that runs the kit.

    ``project/package/slug`` is the connector's folder, or ``project/package`` when the two names are equal. What is
    already there of the project stays as it is. Raises ScaffoldError.
    """
    _require_name(package)
    written = scaffold(slug, role, project if package == slug else project / package)
    words = {"ACME_SLUG": slug, "ACME_PACKAGE": package, "ACME_PROJECT": package.replace("_", "-")}
    around = [("pyproject.toml.txt", "pyproject.toml"), ("test_connector.py.txt", f"tests/test_{slug}.py")]
    return _write(project, [*around, ("", f"{package}/__init__.py")], words) + written


def _require_name(name: str) -> None:
    if not _SLUG.fullmatch(name):
        raise ScaffoldError(
            f"“{name}” cannot be a folder of Python code: use small letters, digits and _, such as acme_pay."
        )


def _write(folder: Path, targets: Targets, words: dict[str, str]) -> list[Path]:
    templates = files("hub.testing") / "templates"
    written = []
    for template, target in targets:
        path = folder / target
        if path.exists():  # shared by both roles, or by several connectors of a package
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / template).read_text("utf-8") if template else ""
        for word, meant in words.items():
            text = text.replace(word, meant)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def _class_name(slug: str) -> str:
    return "".join(word.capitalize() for word in slug.split("_"))


_SHARED = (
    ("", "__init__.py"),
    ("about.en.md.txt", "about.en.md"),
    ("about.fr.md.txt", "about.fr.md"),
    ("logo.svg.txt", "logo.svg"),
)
_FILES: dict[Role, Targets] = {
    "source": (
        *_SHARED,
        ("source.py.txt", "source.py"),
        ("settings.source.json.txt", "samples/settings.source.json"),
        ("purchase_in.http.txt", "samples/in/purchase.http"),
        ("refund_in.http.txt", "samples/in/refund.http"),
    ),
    "destination": (
        *_SHARED,
        ("destination.py.txt", "destination.py"),
        ("settings.destination.json.txt", "samples/settings.destination.json"),
        ("purchase_out.json.txt", "samples/out/purchase.json"),
    ),
}

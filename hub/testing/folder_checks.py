"""Checks of what every connector has: a whole folder, allowed imports, explained settings."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from marshmallow import ValidationError

from hub.connecting.registry import OWN_DISTRIBUTION
from hub.contract import Auth, OAuth2, Text
from hub.contract.settings import secret_names
from hub.testing.samples import read_json
from hub.testing.subject import Complaints, Subject

HEADINGS = {
    "en": ("## What it does", "## Set it up", "## Good to know"),
    "fr": ("## Ce qu'il fait", "## Mise en place", "## Bon à savoir"),
}
LARGEST_LOGO = 20_000  # bytes
_SECRET_NAME = re.compile(r"(^|_)(secret|token|password|passphrase|api_?key|private_key|access_key)s?$")
# What would give a connector a network, a clock or a disk of its own.
_FORBIDDEN = {
    "asyncio",
    "ftplib",
    "http.client",
    "http.server",
    "imaplib",
    "logging",
    "multiprocessing",
    "os",
    "poplib",
    "pycurl",
    "requests",
    "shutil",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "telnetlib",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "urllib3",
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MAY_IMPORT = (
    "a connector may import hub.contract, hub.toolkit, marshmallow, and the standard library without network, clock "
    "and files"
)
_CLOCKS = {"now", "utcnow", "today"}


def the_folder_is_whole(subject: Subject) -> Complaints:
    """Its folder holds working code, both about pages, a logo and a settings sample."""
    if subject.entry.broken:
        yield f"it is set aside: {subject.entry.broken}"
        return
    for language, headings in HEADINGS.items():
        yield from _about(subject.folder / f"about.{language}.md", headings)
    yield from _logo(subject.folder / "logo.svg")
    for role in subject.entry.roles:
        subject.settings(role)
        directory = subject.samples / ("in" if role == "source" else "out")
        if not any(directory.glob("*.http" if role == "source" else "*.json")):
            yield f"samples/{directory.name} holds no sample: add at least one for each stage the {role} knows"


def it_imports_only_what_it_may(subject: Subject) -> Complaints:
    """It imports hub.contract, hub.toolkit, marshmallow and the standard library; no network, disk or clock of its own."""
    own = subject.folder.name
    declared = _declared(subject.entry.distribution)
    for path in sorted(subject.folder.glob("*.py")):
        tree = ast.parse(path.read_bytes(), path.name)
        for module, line in _imports(tree):
            if not _allowed(module, own, declared):
                yield f"{path.name}:{line} imports {module}: {_MAY_IMPORT}"
        for line in _clock_readings(tree):
            yield f"{path.name}:{line} reads the clock: use inbound.received_at or record.occurred_at"


def its_settings_are_explained(subject: Subject) -> Complaints:
    """Each setting has a label and a help in English and French, and what is secret is marked so."""
    for role in subject.entry.roles:
        schema = subject.connector(role).Settings
        marked = secret_names(schema)
        for name, field in schema._declared_fields.items():
            for part in ("label", "help"):
                if not _in_both_languages(field.metadata.get(part)):
                    yield f"the {role}'s setting {name} has no {part} in English and French: give it Text(en, fr)"
            if _SECRET_NAME.search(name) and name not in marked:
                yield f"the {role}'s setting {name} looks like a secret: declare it as Secret or Secrets"


def its_auth_finds_its_settings(subject: Subject) -> Complaints:
    """Each setting that its auth names, also inside an address, is declared; what comes with a token is optional."""
    for role in subject.entry.roles:
        connector = subject.connector(role)
        declared = connector.Settings._declared_fields
        for name in sorted(_named_by(connector.auth) - set(declared)):
            yield f"the {role}'s auth names the setting {name}, which its Settings do not declare"
        for name in getattr(connector.auth, "keeps", ()):
            if name in declared and declared[name].required:
                yield f"the {role}'s setting {name} comes with the token: give it load_default=''"


def settings_of_every_older_version_upgrade(subject: Subject) -> Complaints:
    """Settings saved by each older version load after upgrade_settings."""
    for role in subject.entry.roles:
        connector = subject.connector(role)
        for version in range(1, connector.settings_version):
            path = subject.samples / f"settings.{role}.v{version}.json"
            upgraded = connector.upgrade_settings(dict(read_json(path)), version)
            try:
                connector.Settings().load(upgraded)
            except ValidationError as error:
                yield f"samples/{path.name} does not load after upgrade_settings: {error.messages}"


def _named_by(auth: Auth) -> set[str]:
    if not is_dataclass(auth):
        return set()
    facts = {field.name: getattr(auth, field.name) for field in fields(auth)}
    if isinstance(auth, OAuth2) and auth.pkce:
        del facts["client_secret_setting"]  # an app without a server of its own may have none
    named = {str(value) for name, value in facts.items() if name.endswith("setting") and value}
    addresses = [facts.get("authorize_url", ""), facts.get("token_url", ""), *facts.get("parameters", {}).values()]
    inside = {name for address in addresses for name in _PLACEHOLDER.findall(address)} - {"host"}
    return named | inside | set(facts.get("keeps", ()))


def _about(path: Path, headings: tuple[str, ...]) -> Iterator[str]:
    if not path.is_file():
        yield f"{path.name} is missing: say what it does, how to set it up and what is good to know"
        return
    lines = [line.strip().replace("’", "'") for line in path.read_text("utf-8").splitlines()]
    if not lines or not lines[0].startswith("# "):
        yield f"{path.name} must begin with a heading such as “# Name”"
    positions = [lines.index(heading) if heading in lines else -1 for heading in headings]
    for heading, position in zip(headings, positions, strict=True):
        if position < 0:
            yield f"{path.name} has no heading “{heading}”"
        elif not any(line and not line.startswith("#") for line in lines[position + 1 : position + 4]):
            yield f"{path.name} says nothing under “{heading}”"
    if -1 not in positions and positions != sorted(positions):
        yield f"{path.name} has its headings in another order than {', '.join(headings)}"


def _logo(path: Path) -> Iterator[str]:
    if not path.is_file():
        yield "logo.svg is missing: a small drawing of your own, such as a rounded square with the initial"
        return
    raw = path.read_bytes()
    if len(raw) > LARGEST_LOGO:
        yield f"logo.svg is {len(raw)} bytes, more than {LARGEST_LOGO}"
    if b"<!" in raw.replace(b"<!--", b""):
        yield "logo.svg declares a document type: leave it out"
        return
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314 - without a document type there are no entities to expand
    except ElementTree.ParseError as error:
        yield f"logo.svg is not well-formed XML: {error}"
        return
    if not root.tag.endswith("}svg"):
        yield 'logo.svg must be an <svg xmlns="http://www.w3.org/2000/svg">'
    for element in root.iter():
        names = [element.tag.rpartition("}")[2], *(name.rpartition("}")[2] for name in element.attrib)]
        if any(name in ("script", "foreignObject", "image", "href") or name.startswith("on") for name in names):
            yield f"logo.svg holds {names[0]}: no scripts, links or pictures in a logo"


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
            if node.module in ("urllib", "hub"):
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _clock_readings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("datetime", "date"):
                yield node.lineno


def _allowed(module: str, own_package: str, declared: set[str]) -> bool:
    top = module.split(".")[0]
    if module in _FORBIDDEN or top in _FORBIDDEN:
        return False
    if top == "hub":
        return module == "hub" or module.startswith(("hub.contract", "hub.toolkit"))
    if top == "connectors":
        return own_package in module.split(".")
    return top == "marshmallow" or top in sys.stdlib_module_names or top in declared


def _declared(distribution: str) -> set[str]:
    """The packages that a stranger's distribution brings along: itself and what it requires. Ours may use nothing."""
    if distribution in ("", OWN_DISTRIBUTION):
        return set()
    try:
        names = {re.split(r"[^A-Za-z0-9._-]", each)[0].lower() for each in requires(distribution) or []}
    except PackageNotFoundError:
        return set()
    wanted = names | {distribution.lower()}
    return {top for top, owners in packages_distributions().items() if wanted & {each.lower() for each in owners}}


def _in_both_languages(value: Any) -> bool:
    return isinstance(value, Text) and bool(value.en.strip()) and bool(value.fr.strip())


CHECKS = (
    the_folder_is_whole,
    it_imports_only_what_it_may,
    its_settings_are_explained,
    its_auth_finds_its_settings,
    settings_of_every_older_version_upgrade,
)

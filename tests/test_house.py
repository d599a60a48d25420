"""The rules of the house that a machine can hold: sizes, names, one way of imports, nothing of one machine."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.contract import Category
from hub.contract.reasons import REASONS
from hub.registry import registry

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_OF_NINE_IN_TEN, LONGEST_ROLE = 400, 60, 25, 250
VAGUE = {"util", "utils", "helper", "helpers", "manager", "service", "process", "handle", "handler"}
# What belongs to one machine or to the way packages are fetched there. Written in two parts, to be absent from here.
FOREIGN = re.compile(
    "|".join(
        [
            "/wo" + "rk/",
            "/ro" + "ot/",
            "/home/" + "[a-z]+/",
            "pypi" + r"\.org",
            "registry\\.npm" + r"js",
            "files\\.python" + "hosted",
        ]
    )
)


@cache
def tracked(*suffixes: str) -> list[Path]:
    """The files of the repository that git knows, as they stand in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def code(*rooms: str) -> list[Path]:
    """Python files under these folders, migrations left out: they are history and are never rewritten."""
    inside = [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in rooms]
    return [path for path in inside if "migrations" not in path.parts]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines(path: Path) -> int:
    return len(path.read_bytes().splitlines())


def told(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_run_one_way() -> None:
    # In a process of its own: pytest puts tests/ on the path, whose folders are named like the rooms they test.
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    assert {
        told(path): lines(path)
        for path in code("hub", "connectors", "tests", "benchmarks")
        if lines(path) > LONGEST_FILE
    } == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{told(path)}:{node.name}": length(node) for path in code("hub", "connectors") for node in functions(path)
    }
    assert {name: size for name, size in lengths.items() if size > LONGEST_FUNCTION} == {}
    assert statistics.quantiles(lengths.values(), n=10)[8] <= LONGEST_OF_NINE_IN_TEN


def test_a_connectors_role_is_short() -> None:
    roles = [path for path in code("connectors") if path.name in ("source.py", "destination.py")]
    assert roles
    assert {told(path): lines(path) for path in roles if lines(path) > LONGEST_ROLE} == {}


def test_no_name_is_vague() -> None:
    vague = [
        f"{told(path)}:{line} {name}"
        for path in code("hub", "connectors")
        for name, line in [(path.stem, 1), *defined(path)]
        if VAGUE & set(words(name))
    ]
    assert vague == []


def defined(path: Path) -> Iterator[tuple[str, int]]:
    """The names that a file gives to functions, classes, parameters and variables.

    Methods of a class with a base are left out: their names may be the base's (``process_bind_param``).
    """
    tree = parsed(path)
    inherited = {
        id(method) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases for method in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if id(node) not in inherited:
                yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def words(name: str) -> list[str]:
    """``handleTheThing`` and ``handle_the_thing`` as their words, small."""
    return re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", name).lower())


def test_hub_never_names_a_connector() -> None:
    vendors = {entry.slug for entry in registry().all() if entry.category not in (Category.PAGE, Category.GENERIC)}
    assert vendors
    named = [
        f"{told(path)}:{node.lineno} {node.value}"
        for path in code("hub")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and node.value in vendors
    ]
    assert named == []


def test_every_reason_that_is_raised_is_in_the_closed_list() -> None:
    unknown = [
        f"{told(path)}:{node.lineno} {node.value.value}"
        for path in code("hub", "connectors")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.keyword) and node.arg == "reason" and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str) and node.value.value not in REASONS
    ]
    assert unknown == []


def test_nothing_in_the_repository_is_of_one_machine() -> None:
    foreign = []
    for path in tracked():
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if FOREIGN.search(line):
                foreign.append(f"{told(path)}:{number} {line.strip()[:80]}")
    assert foreign == []


@pytest.mark.parametrize("path", [path for path in tracked(".py") if path.parent == ROOT / "hub/contract"], ids=told)
def test_the_contract_is_documented(path: Path) -> None:
    tree = parsed(path)
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert [node.name for node in (tree, *public) if not ast.get_docstring(node)] == []  # type: ignore[union-attr]

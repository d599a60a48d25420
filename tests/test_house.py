"""The rules of the house that a machine can hold: sizes, names, one way of imports, nothing of one machine."""

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.connecting.registry import registry
from hub.contract import Category
from hub.contract.reasons import REASONS

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_OF_NINE_IN_TEN, LONGEST_ROLE = 400, 60, 25, 250
MIDDLE_ROLE, LARGEST_ROLE = 120, 300  # lines of code of a role with the files of its own that it imports
ALIKE = 8  # lines of code that two connectors may not share
# What the contract does once and for all: signing, hashing, money, dates. Whoever does it alone has a reason.
DONE_ONCE = {"base64", "binascii", "hashlib", "hmac", "secrets", "zoneinfo", "calendar"}
DONE_ONCE_CALLS = {"quantize", "strptime", "fromisoformat", "fromtimestamp", "utcfromtimestamp", "md5", "sha256"}
OWN_WAY = {
    ("mailchimp/destination.py", "hashlib"): "a member's id is the MD5 of the address, and Mailchimp's alone",
    ("mailchimp/destination.py", "md5"): "as above",
}
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


NETWORK = {
    "requests",
    "pycurl",
    "socket",
    "http.client",
    "smtplib",
    "ssl",
    "urllib3",
    "urllib.request",
    "httpx",
    "aiohttp",
}


def test_one_room_alone_talks_to_the_network() -> None:
    """import-linter knows packages; this knows their parts (http.server and urllib.parse call nobody)."""
    callers = {
        f"{told(path)}: {name}"
        for path in code("hub", "connectors")
        for name in imported(path)
        if any(f"{name}.".startswith(f"{one}.") for one in NETWORK)
    }
    assert {caller for caller in callers if not caller.startswith("hub/outgoing/")} == set()
    assert callers


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names in an import; for ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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


def test_a_role_is_short_with_all_that_it_needs_of_its_own() -> None:
    sizes = {
        f"{folder.name}/{role}": sum(len(code_lines(path)) for path in reached(folder / f"{role}.py"))
        for folder in (ROOT / "connectors").iterdir()
        for role in ("source", "destination")
        if (folder / f"{role}.py").is_file()
    }
    assert {name: size for name, size in sizes.items() if size > LARGEST_ROLE} == {}
    assert statistics.median(sizes.values()) <= MIDDLE_ROLE


def reached(path: Path) -> set[Path]:
    """The file, and the others of its folder that it imports."""
    found, waiting = set[Path](), [path]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        found.add(each)
        for node in ast.walk(parsed(each)):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("connectors.")):
                names = [(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)]
                waiting += [other for name in names if (other := path.parent / f"{name}.py").is_file()]
    return found


@cache
def code_lines(path: Path) -> dict[int, str]:
    """By number, each line that holds code: no blanks, comments, docstrings. Strings and numbers stand as « and 0."""
    prose: set[int] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    found: dict[int, list[str]] = {}
    for token in tokenize.tokenize(io.BytesIO(path.read_bytes()).readline):
        if token.type in NO_CODE or token.start[0] in prose:
            continue
        said = "«" if token.type == tokenize.STRING else "0" if token.type == tokenize.NUMBER else token.string
        found.setdefault(token.start[0], []).append(said)
        for number in range(token.start[0] + 1, token.end[0] + 1):
            found.setdefault(number, []).append("«")
    return {number: " ".join(said) for number, said in found.items()}


NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def test_no_eight_lines_stand_in_two_connectors() -> None:
    """What two connectors do alike is done once, in the contract."""
    places: dict[tuple[str, ...], set[str]] = {}
    for path in code("connectors"):
        lines_of = list(logic(path))
        for start in range(len(lines_of) - ALIKE + 1):
            run = lines_of[start : start + ALIKE]
            where = f"{told(path)}:{run[0][0]}"
            places.setdefault(tuple(text for _, text in run), set()).add(where)
    shared = [sorted(where) for where in places.values() if len({one.split("/")[1] for one in where}) > 1]
    assert shared == []


def logic(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that do something.

    Left out: imports (every connector names what it uses), lone brackets, and pure data: labels, tables from one name to
    another, the facts that the contract asks of every class. Two of those being alike in shape is what the contract is for.
    """
    imports: set[int] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for number, text in sorted(code_lines(path).items()):
        names = set(re.findall(r"\w+", text)) - {"0"}
        if number not in imports and any(name not in DATA and not name.isupper() for name in names):
            yield number, text


DATA = {
    "Text",
    "Stage",
    "Kind",
    "Category",
    "Status",
    "Settings",
    "label",
    "help",
    "placeholder",
    "required",
    "True",
    "False",
    "None",
    "load_default",
    "slug",
    "name",
    "category",
    "status",
    "homepage",
    "kinds",
    "stages",
    "auth",
    "frozenset",
    "fields",
    "fields_for",
    "default_mapping",
    "mapping_for",
    "limits",
    "Limits",
    "per_second",
    "concurrency",
}


def test_what_the_contract_does_once_no_connector_does_again() -> None:
    found: set[tuple[str, str]] = set()
    for path in code("connectors"):
        where = str(path.relative_to(ROOT / "connectors"))
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                found |= {(where, alias.name) for alias in node.names if alias.name in DONE_ONCE}
            elif isinstance(node, ast.ImportFrom) and node.module in DONE_ONCE:
                found.add((where, node.module))
            elif isinstance(node, ast.Attribute) and node.attr in DONE_ONCE_CALLS:
                found.add((where, node.attr))
    assert sorted(found - OWN_WAY.keys()) == []
    assert sorted(OWN_WAY.keys() - found) == []  # whoever no longer needs a way of its own is taken off the list


def test_no_name_is_vague() -> None:
    vague = [
        f"{told(path)}:{line} {name}"
        for path in code("hub", "connectors")
        for name, line in [(path.stem, 1), *defined(path)]
        if VAGUE & set(words(name)) and "serviceaccount" not in name.replace("_", "").lower()  # Google's own term
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


FOR_CONNECTORS = [path for path in tracked(".py") if path.parent in (ROOT / "hub/contract", ROOT / "hub/toolkit")]


@pytest.mark.parametrize("path", FOR_CONNECTORS, ids=told)
def test_the_contract_is_documented(path: Path) -> None:
    tree = parsed(path)
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert [node.name for node in (tree, *public) if not ast.get_docstring(node)] == []  # type: ignore[union-attr]  # every one of them has a docstring place

"""The commands that need no database, no Redis and no network, on the connectors that are installed."""

import json
import socket
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import COMMANDS, main
from hub.connecting.registry import GROUP, Registry, registry
from hub.contract import Trust
from hub.contract.conversion import iso
from hub.testing.samples import Incoming, prune
from hub.testing.sign import with_headers
from hub.testing.subject import Subject, subject
from hub.testing.verification_checks import verdict

SOURCES = [slug for slug in registry().slugs() if "source" in registry().roles(slug)]
DESTINATIONS = [slug for slug in registry().slugs() if "destination" in registry().roles(slug)]
READABLE = [slug for slug in SOURCES if any(not each.inbound.fetched for each in subject(slug).incoming)]
SIGNED = "stripe"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("an offline command reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def lines(*arguments: object) -> list[Any]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def written(path: Path, content: str | bytes | dict[str, Any]) -> Path:
    text = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def settings_of(known: Subject, role: Any) -> Path:
    return known.settings_file(role)


def sample_file(known: Subject, name: str) -> Path:
    return known.samples / "in" / f"{name}.http"


def dated(known: Subject, sample: Incoming, folder: Path) -> Path:
    """A copy of the sample elsewhere, which says when it arrived."""
    arrival = {"X-Sample-Received-At": iso(sample.inbound.received_at)}
    raw = with_headers(sample_file(known, sample.name).read_bytes(), arrival)
    return written(folder / f"{sample.name}.http", raw)


# hub connectors


def test_every_connector_is_listed_with_its_roles() -> None:
    result = run("connectors")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == registry().slugs()


def test_the_json_list_says_all_that_a_script_needs() -> None:
    (listed,) = lines("connectors", "--json")
    assert [each["slug"] for each in listed] == registry().slugs()
    for each in listed:
        assert each["broken"] is None
        assert each["contract"] == 1
        assert set(each["settings"]) == set(each["roles"])
        for setting in (setting for settings in each["settings"].values() for setting in settings):
            assert {"name", "label", "required", "secret"} <= set(setting)


@pytest.mark.parametrize("role", ["source", "destination"])
def test_a_scaffold_is_whole_and_the_kit_says_what_is_missing(tmp_path: Path, role: str) -> None:
    result = run("connectors", "new", "acme_pay", f"--{role}", "--into", tmp_path)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "acme_pay"
    assert (folder / f"{role}.py").is_file()
    assert {"about.en.md", "about.fr.md", "logo.svg", "samples", "__init__.py"} <= {
        each.name for each in folder.iterdir()
    }
    compile((folder / f"{role}.py").read_text(), "x", "exec")
    assert "ACME" not in (folder / f"{role}.py").read_text()


def test_a_scaffold_never_overwrites_and_wants_a_python_name(tmp_path: Path) -> None:
    run("connectors", "new", "acme", "--source", "--into", tmp_path)
    again = run("connectors", "new", "acme", "--source", "--into", tmp_path)
    assert (again.exit_code, "already there" in again.output) == (1, True)
    assert run("connectors", "new", "acme", "--destination", "--into", tmp_path).exit_code == 0
    assert run("connectors", "new", "../acme", "--source", "--into", tmp_path).exit_code == 1
    assert run("connectors", "new", "acme2", "--into", tmp_path).exit_code == 2


def test_the_next_step_is_one_that_works_where_the_folder_was_made(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_connectors.py").touch()
    here = run("connectors", "new", "acme_a", "--source", "--into", tmp_path / "connectors")
    assert "Next: pytest tests/test_connectors.py -k acme_a" in here.output
    elsewhere = run("connectors", "new", "acme_b", "--source", "--into", tmp_path / "mine")
    assert "tests/test_connectors.py" not in elsewhere.output
    assert 'connector_cases("acme_b")' in elsewhere.output


def test_a_package_around_a_connector_is_found_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug, role in (("acme_one", "--source"), ("acme_one", "--destination"), ("acme_two", "--source")):
        result = run("connectors", "new", slug, role, "--package", "acme_pack", "--into", tmp_path)
        assert result.exit_code == 0, result.output
    assert f"pip install -e {tmp_path} && pytest {tmp_path}" in result.output
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    ((name, value),) = project["project"]["entry-points"][GROUP].items()
    assert (name, project["project"]["name"]) == ("acme_pack", "acme-pack")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Registry([EntryPoint(name, value, GROUP)])
    assert {entry.slug: (entry.roles, entry.broken) for entry in found.all()} == {
        "acme_one": (("source", "destination"), None),
        "acme_two": (("source",), None),
    }
    for slug in found.slugs():
        test = (tmp_path / "tests" / f"test_{slug}.py").read_text()
        assert f'connector_cases("{slug}")' in test
        compile(test, "x", "exec")


def test_a_package_named_like_its_connector_is_the_folder_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("connectors", "new", "acme_alone", "--source", "--package", "acme_alone", "--into", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Registry([EntryPoint("x", "acme_alone", GROUP)]).source("acme_alone").signs_time


# hub normalize


@pytest.mark.parametrize("slug", READABLE)
def test_normalize_gives_what_the_samples_expect(slug: str, tmp_path: Path) -> None:
    known = subject(slug)
    samples = [each for each in known.incoming if not each.inbound.fetched]
    files = [dated(known, each, tmp_path) for each in samples]
    answers = lines("normalize", slug, "--settings", settings_of(known, "source"), *files)
    for sample, file, answer in zip(samples, files, answers, strict=True):
        assert (answer["file"], answer["error"]) == (str(file), None)
        if sample.expected is not None and not answer["fetch"]:
            assert [prune(each) for each in answer["conversions"]] == json.loads(json.dumps(sample.expected))


def test_what_cannot_be_read_is_reported_and_the_command_still_ends_well(tmp_path: Path) -> None:
    files = [
        written(tmp_path / "a.json", "no json"),
        written(tmp_path / "b.json", ""),
        written(tmp_path / "c.json", "{}"),
    ]
    for answer in lines("normalize", SIGNED, *files):
        assert answer["conversions"] == []
        assert answer["error"]["kind"] == "NotUnderstood"
        assert answer["error"]["message"]


def test_what_a_connector_tripped_over_is_shown_with_its_own_words(tmp_path: Path) -> None:
    body = written(tmp_path / "body.json", '{"object": "event", "type": "refund.created", "livemode": true, "data": 5}')
    (answer,) = lines("normalize", SIGNED, body)
    assert answer["error"]["detail"].startswith("TypeError: ")


def test_an_address_in_a_file_is_a_pixel_hit(tmp_path: Path) -> None:
    slug = next(each.slug for each in registry().all() if each.category == "page")
    query = "email=anna%40example.com&purchaseAmount=4.50&currency=EUR&orderId=7"
    contents = [f"https://hub.example/p/x.gif?{query}#top\n", f"?{query}"]
    answers = lines("normalize", slug, *(written(tmp_path / f"{n}.url", text) for n, text in enumerate(contents)))
    for answer in answers:
        (conversion,) = answer["conversions"]
        assert (conversion["order_id"], conversion["contact"]["email"]) == ("7", "anna@example.com")


def test_a_request_may_be_written_as_json_with_headers_and_body(tmp_path: Path) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "paid"}
    told = {"headers": headers, "body": '{"order_id": "A-100"}'}
    (found,) = lines("normalize", "cloudevents", written(tmp_path / "binary.request.json", json.dumps(told).encode()))
    assert found["conversions"][0]["order_id"] == "A-100"
    (other,) = lines("normalize", "cloudevents", written(tmp_path / "other.request.json", b'{"headers": []}'))
    assert other["error"]["kind"] == "NotUnderstood"


def test_a_source_that_must_read_back_names_the_calls() -> None:
    asked = []
    for slug in SOURCES:
        known = subject(slug)
        for sample in (each for each in known.incoming if each.inbound.fetched):
            file = sample_file(known, sample.name)
            (answer,) = lines("normalize", slug, "--settings", settings_of(known, "source"), file)
            assert answer["error"] is None
            asked += answer["fetch"]
    assert asked
    assert all(call["method"] and call["url"].startswith("https://") for call in asked)


# hub verify


@pytest.mark.parametrize("slug", SOURCES)
def test_samples_verify_and_a_changed_one_does_not(slug: str, tmp_path: Path) -> None:
    known = subject(slug)
    sample = known.incoming[0]
    now = iso(sample.inbound.received_at)
    arguments = ("verify", slug, "--settings", settings_of(known, "source"), "--now", now)
    result = run(*arguments, sample_file(known, sample.name))
    if sample.replies:
        assert json.loads(result.stdout)["reason"].startswith("needs network: ")
        return
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True), result.output
    if verdict(known, sample) is Trust.PROVEN and known.source.signs_body:
        changed = written(tmp_path / "changed.http", sample_file(known, sample.name).read_bytes() + b" ")
        result = run(*arguments, changed)
        assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)


def test_body_headers_and_time_may_come_apart(tmp_path: Path) -> None:
    known = subject(SIGNED)
    inbound = known.incoming[0].inbound
    body = written(tmp_path / "body.json", inbound.body)
    as_json = written(tmp_path / "headers.json", dict(inbound.headers))
    as_lines = written(
        tmp_path / "headers.txt", "".join(f"{name}: {value}\r\n" for name, value in inbound.headers.items())
    )
    settings = settings_of(known, "source")
    now = inbound.received_at.isoformat()
    for headers in (as_json, as_lines):
        assert run("verify", SIGNED, "--settings", settings, "--headers", headers, "--now", now, body).exit_code == 0
    late = run("verify", SIGNED, "--settings", settings, "--headers", as_json, "--now", "2031-01-01T00:00:00Z", body)
    assert (late.exit_code, json.loads(late.stdout)["reason"]) == (1, "signature_too_old")
    bare = run("verify", SIGNED, "--settings", settings, body)
    assert (bare.exit_code, json.loads(bare.stdout)["reason"]) == (1, "signature_missing")


def test_without_settings_nothing_verifies(tmp_path: Path) -> None:
    known = subject(SIGNED)
    result = run("verify", SIGNED, dated(known, known.incoming[0], tmp_path))
    assert (result.exit_code, json.loads(result.stdout)["reason"]) == (1, "secret_not_set")


def test_a_sample_in_its_folder_is_tried_with_the_settings_sample() -> None:
    known = subject(SIGNED)
    sample = known.incoming[0]
    result = run("verify", SIGNED, "--now", iso(sample.inbound.received_at), sample_file(known, sample.name))
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)


def test_the_time_of_arrival_is_the_one_given_else_the_files_else_the_clocks(tmp_path: Path) -> None:
    known = subject(SIGNED)
    sample = known.incoming[0]
    plain = written(tmp_path / "plain.http", sample_file(known, sample.name).read_bytes())
    settings = ("--settings", settings_of(known, "source"))

    def used(*arguments: object) -> str:
        return str(json.loads(run("verify", SIGNED, *settings, *arguments).stdout)["received_at"])

    began = datetime.now(UTC)
    assert began <= datetime.fromisoformat(used(plain)) <= datetime.now(UTC)
    file = dated(known, sample, tmp_path)
    assert used(file) == iso(sample.inbound.received_at)
    assert used("--now", "2031-01-01T00:00:00Z", file) == "2031-01-01T00:00:00Z"


# hub preview and judge


@pytest.mark.parametrize("slug", DESTINATIONS)
def test_preview_shows_the_calls_and_no_secret(slug: str) -> None:
    known = subject(slug)
    files = [known.samples / "out" / f"{sample.name}.json" for sample in known.outgoing]
    settings = settings_of(known, "destination")
    shown = lines("preview", slug, "--settings", settings, *files)
    calls = [line for line in shown if "method" in line]
    assert calls
    for call in calls:
        assert set(call) == {"method", "url", "headers", "body", "records"}
        assert call["records"]
    for name, value in known.settings("destination").items():
        if known.destination.Settings._declared_fields[name].metadata.get("secret"):
            for secret in value if isinstance(value, list) else [value]:
                assert not secret or secret not in json.dumps(shown, ensure_ascii=False)


def test_a_conversion_that_is_none_or_a_mapping_that_is_none_is_a_mistake_in_words(tmp_path: Path) -> None:
    slug = DESTINATIONS[0]
    settings = settings_of(subject(slug), "destination")
    good = written(tmp_path / "good.json", {"stage": "purchase", "occurred_at": "2026-11-21T12:00:00Z"})
    for content in ("[1]", "x", '{"stage": "no such stage"}', '{"occurred_at": "soon"}', '{"items": 5}'):
        result = run("preview", slug, "--settings", settings, written(tmp_path / "bad.json", content))
        assert (result.exit_code, result.stdout, "bad.json" in result.stderr) == (2, "", True)
    mapping = written(tmp_path / "mapping.json", {"x": {"from": "no.such.field"}})
    result = run("preview", slug, "--settings", settings, "--mapping", mapping, good)
    assert (result.exit_code, "no.such.field" in result.stderr) == (2, True)


@pytest.mark.parametrize("slug", DESTINATIONS)
@pytest.mark.parametrize(
    ("status", "outcomes"),
    [(401, {"bad_credentials"}), (410, {"refused"}), (500, {"try_later"}), (503, {"try_later"}), (429, {"try_later"})],
)
def test_judge_says_what_the_hub_would_record(slug: str, status: int, outcomes: set[str]) -> None:
    (answer,) = lines("judge", slug, "--status", status)
    assert set(answer) == {"outcome", "after", "reason", "detail"}
    assert answer["outcome"] in outcomes
    assert answer["reason"]


def test_judge_reads_headers_and_body(tmp_path: Path) -> None:
    headers = written(tmp_path / "headers.json", {"Retry-After": "90"})
    body = written(tmp_path / "body.json", {"message": "slow down"})
    (answer,) = lines("judge", DESTINATIONS[0], "--status", 429, "--headers", headers, body)
    assert answer["after"] == 90
    assert "slow down" in answer["detail"]


# what all share


@pytest.mark.parametrize("content", ["[]", "x", '{"tolerance": "soon"}'])
def test_settings_that_do_not_load_are_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    settings = written(tmp_path / "settings.json", content)
    body = written(tmp_path / "body.json", "{}")
    result = run("normalize", SIGNED, "--settings", settings, body)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "settings" in result.stderr
    assert "Traceback" not in result.stderr


def test_unknown_settings_are_ignored_and_missing_ones_allowed(tmp_path: Path) -> None:
    settings = written(tmp_path / "settings.json", {"of_another_version": 1})
    assert lines("normalize", SIGNED, "--settings", settings, written(tmp_path / "body.json", "{}"))


@pytest.mark.parametrize("command", [("normalize",), ("verify",), ("preview",), ("judge", "--status", "200")])
def test_an_unknown_connector_is_a_mistake_in_words(command: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*command, "zapyer", written(tmp_path / "body.json", "{}"))
    assert result.exit_code == 2
    assert "No connector is called zapyer" in result.stderr


def test_the_small_commands_start_without_the_large_libraries(tmp_path: Path) -> None:
    body = written(tmp_path / "body.json", "{}")
    for arguments in (["normalize", SIGNED, str(body)], ["judge", DESTINATIONS[0], "--status", "200"], ["--help"]):
        code = f"""
import sys
from hub.cli import main
main({arguments!r}, standalone_mode=False)
print({{"flask", "sqlalchemy", "requests", "rq", "redis", "alembic"}} & set(sys.modules))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "set()"


def test_every_command_can_say_what_it_does() -> None:
    for name in COMMANDS:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.output

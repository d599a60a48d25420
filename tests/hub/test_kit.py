"""The connector kit itself: a good connector passes, and each way to be bad is found by the check that promises it."""

import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from unittest import SkipTest

import pytest
from click.testing import CliRunner

from hub.connecting.registry import Registry
from hub.testing import Case, connector_cases
from hub.testing import subject as subject_module
from hub.testing.expect import expect
from hub.testing.samples import SampleError, parse_calls, parse_request
from hub.testing.scaffold import scaffold
from hub.testing.sign import sign

ABOUT = {
    "en": "# Acme\n\n## What it does\nSells.\n\n## Set it up\nPaste.\n\n## Good to know\nNothing.\n",
    "fr": "# Acme\n\n## Ce qu'il fait\nVend.\n\n## Mise en place\nCollez.\n\n## Bon à savoir\nRien.\n",
}
CHECKS = "        header = require_header"
PARSES = "        event = inbound.json()"
CURRENCY = 'currency = required_text(order, "currency")'
LOSES_CURRENCY = 'currency = currency_code(order["currency"])'
READS = 'from_minor(order["amount"], currency)'
DATES = "from datetime import datetime"
ID = 'event_id=required_text(event, "id")'
TIMED = 'settings["secret"], inbound.received_at)'
SIGNS = 'return {SIGNATURE: sign_timed(body, settings["secret"][0], at)}'
HELP = """,
        help=Text(
            "Shown on the webhook's page at Acme. One a line while you change it.",
            "Affiché sur la page du webhook chez Acme. Un par ligne pendant un changement.",
        ),
"""
WORDS = 'Text("a", "b")'
VALUES = "json=record.values"
OAUTH = 'OAuth2("{}", "https://example.com/t", client_id_setting="access_token", keeps=("access_token",))'
NAIVE_FETCH = """    def needs_fetch(self, inbound: Inbound, settings: Any) -> bool:
        return True

    def fetch(self, inbound: Inbound, settings: Any) -> Any:
        from hub.contract import Call
        yield Call.get("https://api.example.com/orders", params={"key": settings["secret"][0]})
        return {}

"""
NAIVE_CHECK = """    def check(self, settings: Any) -> Recipe:
        reply = yield Call.get("https://api.example.com/me")
        return reply.json()["name"]

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A good connector with both roles, found by the kit as the only one."""
    home = tmp_path / "acme_kit"
    scaffold("acme", "source", home)
    scaffold("acme", "destination", home)
    folder = home / "acme"
    for language, text in ABOUT.items():
        (folder / f"about.{language}.md").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a changed file must not meet its old bytecode
    for module in ("hub.testing", "hub.testing.subject"):
        monkeypatch.setattr(f"{module}.registry", _only_acme)
    _forget()
    result = CliRunner().invoke(expect, ["acme", "--write"])
    assert result.exit_code == 0, result.output
    _forget()
    yield folder
    _forget()


@cache
def _only_acme() -> Registry:
    return Registry([EntryPoint("acme", "acme_kit", "conversion_hub.connectors")])


def _forget() -> None:
    _only_acme.cache_clear()
    subject_module.subject.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_kit")]:
        del sys.modules[name]


def _sign_all() -> None:
    _forget()
    result = CliRunner().invoke(sign, ["acme", "purchase", "refund"])
    assert result.exit_code == 0, result.output
    _forget()


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def complaints() -> dict[str, str]:
    """The names of the checks that fail, with what they say."""
    found: dict[str, str] = {}
    for case in connector_cases():
        try:
            case()
        except AssertionError as error:
            found[case.check.__name__] = str(error)
        except SkipTest:
            pass
    return found


def test_a_good_connector_passes_every_check(folder: Path) -> None:
    assert complaints() == {}
    assert (folder / "samples/in/refund.json").is_file()
    assert (folder / "samples/out/purchase.http").is_file()


def test_every_check_promises_something_in_a_sentence(folder: Path) -> None:
    for case in connector_cases():
        promise = (case.check.__doc__ or "").strip().splitlines()[0]
        assert promise.endswith(".")
        assert str(case) == f"acme-{case.check.__name__}"


SOURCE_FAULTS = [
    ("a_changed_message_is_refused", "(header, inbound.body,", "(header, inbound.body.strip(),"),
    ("a_missing_signature_is_refused", CHECKS, f"        return\n{CHECKS}"),
    ("a_wrong_or_empty_secret_is_refused", CHECKS, f'        if not settings["secret"]: return\n{CHECKS}'),
    ("a_wrong_or_empty_secret_is_refused", 'settings["secret"], inbound', 'settings["secret"][:1], inbound'),
    ("a_stale_or_future_message_is_refused", TIMED, TIMED.replace(")", ", 10**9)")),
    ("a_stale_or_future_message_is_refused", "    signs_time = True\n", ""),
    ("what_it_rehearses_verifies", SIGNS, SIGNS.replace(", at)", ", at.replace(year=2020))")),
    ("what_it_rehearses_verifies", SIGNS, "return {}"),
    ("no_secret_is_told", "flags=flags,", 'flags=flags, extra={"s": settings["secret"]},'),
    ("every_sample_gives_its_expectation", "from_minor(order", "2 * from_minor(order"),
    ("every_claim_has_a_sample", "kinds = frozenset({", "kinds = frozenset({Kind.DISPUTE, "),
    ("every_claim_has_a_sample", "stages = frozenset({Stage.PURCHASE})", "stages = frozenset()"),
    ("any_missing_or_odd_field_is_survived", 'event["data"]', 'event.get("data") or open("/nowhere")'),
    ("any_missing_or_odd_field_is_survived", ID, 'event_id=str(event["id"])'),
    ("any_missing_or_odd_field_is_survived", ID, """event_id=f"{event['id']}:{event['type']}\""""),
    ("any_missing_or_odd_field_is_survived", 'required_text(order, "order_id")', 'str(order.get("order_id"))'),
    ("any_missing_or_odd_field_is_survived", 'required_text(order, "refund.id")', 'str(order["refund"]["id"])'),
    ("a_message_that_is_none_is_parked", PARSES, f"        if not inbound.body: return []\n{PARSES}"),
    ("an_unknown_event_is_not_for_us", "            return []", '            raise KeyError("unknown")'),
    ("a_message_sent_twice_has_the_same_ids", ID, "event_id=str(inbound.received_at)"),
    ("money_is_exact", READS, f'{READS} + (currency == "JPY")'),
    ("money_is_exact", "currency=currency,", ""),
    ("money_is_exact", CURRENCY, f"from hub.contract.money import currency_code\n        {LOSES_CURRENCY}"),
    ("its_settings_are_explained", HELP, "\n"),
    ("its_settings_are_explained", "secret = S", f"token = Words({WORDS}, help={WORDS})\n    secret = S"),
    ("it_imports_only_what_it_may", DATES, f"{DATES}\nimport socket"),
    ("it_imports_only_what_it_may", DATES, f"{DATES}\nimport hub.connecting.registry"),
    ("it_imports_only_what_it_may", PARSES, f"        from datetime import date\n        date.today()\n{PARSES}"),
    ("settings_of_every_older_version_upgrade", "status = Status.ALPHA", "settings_version = 2"),
    ("its_read_back_survives_any_answer", "    def normalize", f"{NAIVE_FETCH}    def normalize"),
    ("the_folder_is_whole", 'slug = "acme"', 'slug = "acne"'),
]


@pytest.mark.parametrize(("check", "old", "new"), SOURCE_FAULTS)
def test_each_fault_of_a_source_is_found(folder: Path, check: str, old: str, new: str) -> None:
    _replace(folder / "source.py", old, new)
    if "Words" in new:
        _replace(folder / "source.py", "    Text,\n", "    Text,\n    Words,\n")
    assert check in complaints()


DESTINATION_FAULTS = [
    ("its_mappings_are_sound", '"amount": {', '"stranger": {'),
    ("its_mappings_are_sound", '"contact.email"', '"contact.phone"'),
    ("its_mappings_are_sound", '{"from": "contact.email"}', '{"form": "contact.email"}'),
    ("every_sample_gives_its_calls", VALUES, 'json={**record.values, "more": 1}'),
    ("every_sample_gives_its_calls", "Call.post(", "Call.put("),
    ("every_sample_gives_its_calls", "/v1/", "/v2/"),
    ("every_stage_and_kind_it_accepts_can_be_sent", VALUES, 'json={"purchase": record.values}[record.stage]'),
    ("each_answer_has_its_consequence", "yield Call", "reply = yield Call"),
    ("a_second_run_is_the_same", "idempotency_key=record.event_id", "idempotency_key=str(next(COUNTER))"),
    ("no_call_holds_a_secret", VALUES, 'json={**record.values, "t": settings["access_token"]}'),
    ("its_questions_survive_any_answer", "    def deliver", f"{NAIVE_CHECK}    def deliver"),
    ("its_auth_finds_its_settings", 'Bearer("access_token")', 'Bearer("api_key")'),
    ("its_auth_finds_its_settings", 'Bearer("access_token")', OAUTH.format("https://{shop}/a")),
    ("its_auth_finds_its_settings", 'Bearer("access_token")', OAUTH.format("https://example.com/a")),
]


@pytest.mark.parametrize(("check", "old", "new"), DESTINATION_FAULTS)
def test_each_fault_of_a_destination_is_found(folder: Path, check: str, old: str, new: str) -> None:
    path = folder / "destination.py"
    _replace(path, old, new)
    if "reply = yield Call.post" in path.read_text():
        path.write_text(path.read_text() + '\n        reply.json()["id"].lower()\n')
    if "OAuth2" in new:
        _replace(path, "Field, Recipe", "Field, OAuth2, Recipe")
    if "COUNTER" in new:
        _replace(
            path,
            "\n\n\nclass AcmeSettings",
            "\nimport itertools\n\nCOUNTER = itertools.count()\n\n\nclass AcmeSettings",
        )
    assert check in complaints()


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("about.fr.md", "# Acme\n", "Ce qu'il fait"),
        ("about.en.md", ABOUT["en"].replace("Sells.", ""), "says nothing"),
        ("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "script"),
        ("logo.svg", "<svg", "well-formed"),
        ("samples/settings.source.json", '{"secret": 5}', "does not load"),
        ("samples/settings.source.json", "{", "not JSON"),
    ],
)
def test_each_gap_of_a_folder_is_told(folder: Path, file: str, content: str, word: str) -> None:
    (folder / file).write_text(content)
    assert word in complaints()["the_folder_is_whole"]


def test_a_signed_time_must_be_declared_even_when_nothing_checks_it(folder: Path) -> None:
    source = folder / "source.py"
    _replace(source, "    signs_time = True\n", "")
    _replace(source, TIMED, TIMED.replace(")", ", 10**9)"))
    assert "acme-signature is signed: declare signs_time = True" in complaints()["a_signed_time_is_declared"]


def test_a_token_that_covers_no_body_must_be_declared(folder: Path) -> None:
    source = folder / "source.py"
    _replace(
        source,
        'check_timed(header, inbound.body, settings["secret"], inbound.received_at)',
        'check_token(header, settings["secret"])',
    )
    _replace(source, SIGNS, 'return {SIGNATURE: settings["secret"][0]}')
    _replace(source, "import check_timed, require_header, sign_timed", "import check_token, require_header")
    _replace(source, "    signs_time = True\n", "")
    _sign_all()
    assert "signs_body = False" in complaints()["a_changed_message_is_refused"]
    _replace(source, "    Settings = ", "    signs_body = False\n    Settings = ")
    _forget()
    assert complaints() == {}


def test_a_sample_whose_time_is_not_the_kits_is_told_when_it_arrives(folder: Path) -> None:
    for sample in (folder / "samples/in").glob("*.http"):
        sample.write_bytes(
            sample.read_bytes().replace(b"Content-Type", b"X-Sample-Received-At: 2026-12-01T00:00:00Z\nX")
        )
    said = complaints()["unchanged_samples_verify"]
    assert "too old" in said
    assert "the sample arrives at 2026-12-01T00:00:00Z; X-Sample-Received-At says another time" in said


def test_a_sample_whose_body_was_edited_is_signed_anew(folder: Path) -> None:
    path = folder / "samples/in/purchase.http"
    path.write_bytes(path.read_bytes().replace(b"Anna Martin", b"Anna Maria Martin").replace(b"\n", b"\r\n"))
    assert "unchanged_samples_verify" in complaints()
    before = path.read_bytes()
    _sign_all()
    found = complaints()
    assert set(found) == {"every_sample_gives_its_expectation"}  # it names another buyer now
    assert path.read_bytes().split(b"\r\n\r\n")[1] == before.split(b"\r\n\r\n")[1]
    assert path.read_bytes().count(b"Acme-Signature") == 1


def test_a_sample_that_cannot_be_signed_says_why(folder: Path) -> None:
    _replace(folder / "source.py", SIGNS, "return None")
    result = CliRunner().invoke(sign, ["acme", "purchase"])
    assert (result.exit_code, "cannot make its sender's signature" in result.output) == (1, True)
    result = CliRunner().invoke(sign, ["acme", "nothing"])
    assert (result.exit_code, "samples/in/nothing.http is missing" in result.output) == (1, True)


def test_a_connector_that_is_set_aside_fails_once(folder: Path) -> None:
    _replace(folder / "source.py", 'slug = "acme"', 'slug = "acne"')
    found = complaints()
    assert set(found) == {"the_folder_is_whole"}
    assert "rename the folder to acne" in found["the_folder_is_whole"]


def test_one_case_fails_alone_and_says_what_to_do(folder: Path) -> None:
    (folder / "logo.svg").unlink()
    case = next(case for case in connector_cases("acme") if case.check.__name__ == "the_folder_is_whole")
    with pytest.raises(AssertionError, match=r"acme: Its folder holds.*\n  - logo.svg is missing: a small drawing"):
        Case(case.slug, case.check)()


@pytest.mark.parametrize("raw", [b"", b"{}", b"POST nowhere\n\n", b"POST /in/x\nno header\n\n", b"GET"])
def test_a_sample_that_is_no_request_is_told(raw: bytes) -> None:
    with pytest.raises(SampleError):
        parse_request(raw, "x.http")


def test_a_request_keeps_its_body_byte_for_byte() -> None:
    raw = b"POST /in/sample?a=1\r\nX-Sample-Received-At: 2026-01-02T03:04:05Z\r\nX-A: \xe9\r\n\r\n a\r\n\r\nb\n"
    inbound = parse_request(raw)
    assert (inbound.body, inbound.path, inbound.query) == (b" a\r\n\r\nb\n", "/in/sample", "a=1")
    assert (inbound.received_at.isoformat(), dict(inbound.headers)) == ("2026-01-02T03:04:05+00:00", {"x-a": "é"})


def test_several_calls_are_separated_by_a_line() -> None:
    calls = parse_calls(b"GET https://a.example/x\nA: b\n\n###\nPOST https://a.example/y\n\n{}\n", "x.http")
    assert [(call.method, call.url, call.body) for call in calls] == [
        ("GET", "https://a.example/x", b""),
        ("POST", "https://a.example/y", b"{}"),
    ]

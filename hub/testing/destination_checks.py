"""Checks of a destination: a sound mapping, calls that equal the samples, and the right consequence of every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from hub.connecting.masking import MASK, secrets_of
from hub.connecting.rehearsal import Answer, DryRun, dry_run, show
from hub.contract import (
    Call,
    Conversion,
    DeliveryError,
    Headers,
    Kind,
    Outcome,
    Record,
    Reply,
    Result,
    Stage,
    TryLater,
)
from hub.contract.calls import dump_json, with_params
from hub.contract.settings import SecretUrl
from hub.mapping.facts import facts
from hub.mapping.record import make_record
from hub.mapping.rules import CompiledMapping, MappingError, compile_mapping
from hub.outgoing.answers import judge, judged, outcome_of
from hub.testing.samples import ExpectedCall, Outgoing
from hub.testing.subject import Complaints, Subject

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SENT = frozenset(
    {
        Result.DELIVERED,
        Result.DELIVERED_WITH_WARNING,
        Result.ACCEPTED_UNVERIFIED,
        Result.PENDING,
        Result.DUPLICATE,
    }
)
_BROKEN_BODIES = (b"", b"<html>Bad Gateway</html>", b"{", b"[]", b"null", b'"ok"', b"\xff\xfe", b"0")


def its_mappings_are_sound(subject: Subject) -> Complaints:
    """Its default mapping and presets compile, name only its own fields, and fill every required one."""
    destination = subject.destination
    known = {field.key for field in destination.fields}
    rules = {"default_mapping": destination.default_mapping, **destination.presets}
    for name, mapping in rules.items():
        try:
            compile_mapping(mapping)
        except MappingError as error:
            yield f"{name}: {error.message}"
            return
        if known and (strangers := set(mapping) - known - {"*"}):
            yield f"{name} fills {', '.join(sorted(strangers))}, which fields does not declare"
    for sample in subject.outgoing:
        for record_id, problem in _problems(subject, sample):
            yield f"out/{sample.name}.json ({record_id}): the default mapping cannot make {problem}"


def every_sample_gives_its_calls(subject: Subject) -> Complaints:
    """Every sample gives the calls written beside it, through the default mapping."""
    for sample in subject.outgoing:
        run = rehearse(subject, sample)
        yield from _outcome_differences(sample, run)
        if sample.expected is None:
            proposal = f"python -m hub.testing.expect {subject.slug} proposes them"
            yield f"out/{sample.name}.http is missing: write the calls you expect ({proposal})"
        else:
            calls = [planned.call for planned in run.calls]
            yield from (f"out/{sample.name}.http: {each}" for each in _differences(subject, sample.expected, calls))


def every_stage_and_kind_it_accepts_can_be_sent(subject: Subject) -> Complaints:
    """Each stage and kind that it accepts gives calls, or an outcome in words; it never trips."""
    destination = subject.destination
    for sample in subject.outgoing:
        for kind, stage in _accepted(destination.kinds, destination.stages):
            run = rehearse(subject, sample, kind=kind.value, stage=stage.value if stage else None)
            for error in run.errors.values():
                if not isinstance(error, DeliveryError):
                    yield f"out/{sample.name}.json as {stage or kind} trips: {type(error).__name__}: {error}"


def each_answer_has_its_consequence(subject: Subject) -> Complaints:
    """Statuses from 200 to 503, a timeout and a broken body give the right outcome, and never trip it."""
    for sample in subject.outgoing:
        for status in (500, 503, 429, 408):
            yield from _must_end(subject, sample, f"{status}", _always(subject, status), {Result.TRY_LATER})
        yield from _must_end(subject, sample, "a timeout", _time_out, {Result.TRY_LATER})
        yield from _must_end(subject, sample, "401", _always(subject, 401), {Result.BAD_CREDENTIALS})
        for status in (301, 400, 403, 404, 410, 413, 422):
            yield from _must_end(subject, sample, f"{status}", _always(subject, status), set(Result) - SENT)
        for body in _BROKEN_BODIES:
            what = f"200 and the body {body[:20]!r}"
            yield from _must_end(subject, sample, what, _always(subject, 200, body), set(Result))


def each_answer_its_vendor_documents_is_judged(subject: Subject) -> Complaints:
    """Every row of out/judge.json, the vendor's own table of answers, has the outcome written beside it."""
    for row in subject.judgments:
        outcome = judged(subject.destination, row.reply, NOW)
        made = {"result": outcome.result.value, "after": outcome.after, "reason": outcome.reason}
        for name, wanted in row.outcome.items():
            if made.get(name) != wanted:
                yield f"out/judge.json: {row.why or row.reply.status}: {name} must be {wanted}, is {made.get(name)}"


def a_second_run_is_the_same(subject: Subject) -> Complaints:
    """Run twice, it makes the same calls with the same idempotency keys."""
    for sample in subject.outgoing:
        first, second = (
            [
                (call.call.idempotency_key, show(call.call, subject.destination, {}))
                for call in rehearse(subject, sample).calls
            ]
            for _ in range(2)
        )
        if first != second:
            yield f"out/{sample.name}.json: a second run makes other calls, so a retry could have two effects"


def no_call_holds_a_secret(subject: Subject) -> Complaints:
    """No Call holds a secret (the sender applies auth), and a preview shows none."""
    destination, settings = subject.destination, subject.settings("destination")
    secrets = secrets_of(destination, settings)
    addresses = {
        settings.get(name)
        for name, field in destination.Settings._declared_fields.items()
        if isinstance(field, SecretUrl)
    }
    for sample in subject.outgoing:
        for planned in rehearse(subject, sample).calls:
            call, shown = planned.call, dump_json(show(planned.call, destination, settings)).decode()
            written = f"{call.url} {urlencode(call.params or {})} {call.headers} {call.content()[0].decode('latin-1')}"
            for secret, name in _named(secrets, destination.Settings._declared_fields, settings):
                if secret in shown:
                    yield f"out/{sample.name}.json: the preview of {call.method} shows the setting {name}"
                if secret in written and secret not in addresses:
                    yield f"out/{sample.name}.json: {call.method} holds the setting {name}: leave it to auth"


def rehearse(subject: Subject, sample: Outgoing, answer: Answer | None = None, **changes: Any) -> DryRun:
    """What the destination does with the sample, ``changes`` applied to each conversion; by default its own replies."""
    mapping = _mapping(subject)
    records = [_record(mapping, conversion, number, changes)[0] for number, conversion in enumerate(sample.conversions)]
    return dry_run(subject.destination, records, subject.settings("destination"), answer or _scripted(subject, sample))


def outcomes(run: DryRun) -> dict[str, str]:
    """How each record ended; one whose delivery raised something else than a DeliveryError is left out."""
    ended = {record_id: outcome.result.value for record_id, outcome in run.outcomes.items()}
    raised = ((record_id, error) for record_id, error in run.errors.items() if isinstance(error, DeliveryError))
    return ended | {record_id: outcome_of(error).result.value for record_id, error in raised}


def request_text(subject: Subject, call: Call) -> str:
    """The call as an ``out/NAME.http`` file says it, JSON indented for reading, secrets and signatures masked."""
    shown = show(call, subject.destination, subject.settings("destination"))
    head = [
        f"{shown['method']} {with_params(call.url, call.params)}",
        *(f"{name}: {value}" for name, value in shown["headers"].items()),
    ]
    content = call.content()[0]
    try:
        body = json.dumps(json.loads(content), indent=2, ensure_ascii=False) if content else ""
    except ValueError:
        body = content.decode("utf-8", "replace")
    return "\n".join([*head, "", body])


def _mapping(subject: Subject) -> CompiledMapping:
    required = {field.key for field in subject.destination.fields if field.required}
    return compile_mapping(subject.destination.default_mapping, required)


def _record(
    mapping: CompiledMapping, given: Mapping[str, Any], number: int, changes: Mapping[str, Any]
) -> tuple[Record, list[Any]]:
    whole = Conversion.from_dict(
        {"event_id": f"sample-{number}", "occurred_at": "2026-11-21T11:58:00Z", **given}
    ).to_dict()
    beside = (given.get("order"), given.get("customer"), given.get("campaign_names") or ())
    data = facts(whole, whole["event_id"], *beside, trust=given.get("trust"))
    return make_record(mapping, {**data, **changes}, whole["event_id"])


def _problems(subject: Subject, sample: Outgoing) -> Iterator[tuple[str, str]]:
    mapping = _mapping(subject)
    for number, conversion in enumerate(sample.conversions):
        record, problems = _record(mapping, conversion, number, {})
        for problem in problems:
            yield record.id, f"{problem.field} ({problem.message.en})"


def _accepted(kinds: frozenset[Kind], stages: frozenset[Stage]) -> Iterator[tuple[Kind, Stage | None]]:
    for kind in sorted(kinds):
        for stage in sorted(stages) if kind is Kind.CONVERSION else [None]:
            yield kind, stage


def _scripted(subject: Subject, sample: Outgoing) -> Answer:
    waiting = iter(sample.replies)
    return lambda _call: _judged(subject, next(waiting, Reply(200, Headers(), b"{}")))


def _always(subject: Subject, status: int, body: bytes = b"{}") -> Answer:
    return lambda _call: _judged(subject, Reply(status, Headers(), body))


def _time_out(_call: Call) -> Reply:
    raise TryLater("The destination did not answer in time.")


def _judged(subject: Subject, reply: Reply) -> Reply:
    judge(subject.destination, reply, NOW)
    return reply


def _must_end(subject: Subject, sample: Outgoing, what: str, answer: Answer, allowed: set[Result]) -> Complaints:
    run = rehearse(subject, sample, answer)
    if not run.calls:
        return
    for record_id, error in run.errors.items():
        if not isinstance(error, DeliveryError):
            yield f"out/{sample.name}.json: {record_id}, answered with {what}, trips: {type(error).__name__}: {error}"
        else:
            yield from _verdict(sample, record_id, what, outcome_of(error), allowed)
    for record_id, outcome in run.outcomes.items():
        yield from _verdict(sample, record_id, what, outcome, allowed)


def _verdict(sample: Outgoing, record_id: str, what: str, outcome: Outcome, allowed: set[Result]) -> Complaints:
    if outcome.reason == "connector_broken":
        yield f"out/{sample.name}.json: {record_id}, answered with {what}: {outcome.detail}"
    elif outcome.result not in allowed:
        wanted = " or ".join(sorted(allowed)) if len(allowed) < 3 else "no success"
        said = f"answered with {what}, ends as {outcome.result}: it must be {wanted}"
        yield f"out/{sample.name}.json: {record_id}, {said}"


def _named(
    secrets: Mapping[str, str], fields: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for secret in secrets:
        holders = [name for name in fields if secret in _texts(settings.get(name))]
        yield secret, holders[0] if holders else "?"


def _outcome_differences(sample: Outgoing, run: DryRun) -> Iterator[str]:
    for record_id, error in run.errors.items():
        if not isinstance(error, DeliveryError):
            yield f"out/{sample.name}.json: {record_id} trips: {type(error).__name__}: {error}"
    for record_id, result in outcomes(run).items():
        wanted = sample.outcomes.get(record_id, Result.DELIVERED.value)
        if result != wanted and not (record_id not in sample.outcomes and result in SENT):
            told = "" if sample.outcomes else f" (if that is right, say so in out/{sample.name}.outcomes.json)"
            yield f"out/{sample.name}.json: {record_id} must end as {wanted}, ends as {result}{told}"


def _texts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _differences(subject: Subject, expected: list[ExpectedCall], calls: list[Call]) -> Iterator[str]:
    if len(expected) != len(calls):
        made = ", ".join(f"{call.method} {call.url}" for call in calls) or "none"
        yield f"{len(expected)} calls expected, {len(calls)} made: {made}"
        return
    for number, (wanted, call) in enumerate(zip(expected, calls, strict=True), start=1):
        for difference in _call_differences(subject, wanted, call):
            yield f"call {number}: {difference}"


def _call_differences(subject: Subject, wanted: ExpectedCall, call: Call) -> Iterator[str]:
    if wanted.method != call.method:
        yield f"the method must be {wanted.method}, is {call.method}"
    if _comparable_url(wanted.url) != _comparable_url(with_params(call.url, call.params)):
        yield f"the address must be {wanted.url}, is {with_params(call.url, call.params)}"
    shown = show(call, subject.destination, subject.settings("destination"))
    sent = {name.lower(): value for name, value in shown["headers"].items()}
    named = {name.lower(): value for name, value in wanted.headers.items()}
    own = {name.lower() for name in call.headers}  # what the sender adds by itself may be left out of an expectation
    for name in sorted(named.keys() | own - {"content-type"}):
        if named.get(name) != sent.get(name) and not _masked_alike(named.get(name), sent.get(name)):
            yield f"the header {name} must be {named.get(name, 'absent')}, is {sent.get(name, 'absent')}"
    content = call.content()[0]
    if _comparable_body(wanted.body) != _comparable_body(content):
        yield f"the body must be {wanted.body.decode('utf-8', 'replace')}, is {content.decode('utf-8', 'replace')}"


def _masked_alike(wanted: str | None, sent: str | None) -> bool:
    """A credential is shown as ``***``; the expectation may hold the made-up one in clear."""
    return wanted is not None and sent is not None and sent.endswith("***") and wanted.startswith(sent[:-3])


def _comparable_url(url: str) -> tuple[str, list[tuple[str, str]]]:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    # A credential that auth puts into the query is no part of the Call; expectations show it as ***.
    return f"{parts.scheme}://{parts.netloc}{parts.path}", sorted(pair for pair in pairs if pair[1] != MASK)


def _comparable_body(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.replace(b"\r\n", b"\n").rstrip(b"\n")  # editors change an e-mail's line ends


_Check = Callable[[Subject], Complaints]
CHECKS: tuple[_Check, ...] = (
    its_mappings_are_sound,
    every_sample_gives_its_calls,
    every_stage_and_kind_it_accepts_can_be_sent,
    each_answer_has_its_consequence,
    each_answer_its_vendor_documents_is_judged,
    a_second_run_is_the_same,
    no_call_holds_a_secret,
)

"""A dry run: what a destination would be sent for these conversions, secrets masked, and what is wrong.

The mapping, the records and the recipes are those of delivery; only the answers are made up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from hub.connecting.masking import mask_for
from hub.connecting.rehearsal import DryRun, dry_run, show
from hub.contract.calls import Call, Outcome, Record, Reply, Result, dump_json
from hub.contract.connector import Destination
from hub.contract.conversion import Conversion, Json
from hub.contract.errors import HubError
from hub.contract.inbound import Headers
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Kind, Text
from hub.mapping.facts import facts
from hub.mapping.record import make_record
from hub.mapping.rules import compile_mapping

# What a connector says of the record itself. Any other verdict was read out of an answer that we made up.
_ABOUT_THE_RECORD = frozenset({Result.SKIPPED, Result.BAD_MAPPING, Result.EXPIRED})


def preview(
    destination: Destination,
    settings: Mapping[str, Any],
    rules: Mapping[str, Any] | None,
    conversions: Iterable[Conversion | Json],
    secrets: Collection[str] = (),
    *,
    language: str = "en",
) -> Iterator[Json]:
    """A dict per call, ``{"method", "url", "headers", "body", "records"}``, and per problem ``{"record", "problem"}``.

    ``rules``: None for the destination's default mapping. ``conversions``: as normalized, or with ``order``,
    ``customer`` and ``campaign_names`` beside them (:func:`hub.mapping.facts.facts`). ``secrets``: texts to mask beside
    the secret settings. Every answer is taken to be 200 with ``{}``. Raises MappingError for malformed rules.
    """
    demanded = {field.key for field in destination.fields if field.required}
    mapping = compile_mapping(destination.default_mapping if rules is None else rules, demanded)
    records: list[Record] = []
    for conversion in conversions:
        try:
            data = _facts(conversion, language)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:  # a file written by hand
            yield _problem(_name_of(conversion), _unreadable(error), language)
            continue
        record, problems = make_record(mapping, data, data["event_id"])
        refusal = why_not(destination, record)
        if refusal:
            yield _problem(record.id, REASONS[refusal].said, language)
            continue
        for problem in problems:
            yield {"record": record.id, "problem": f"{problem.field}: {problem.message.in_(language)}"}
        if not any(problem.blocking for problem in problems):
            records.append(record)
    run = dry_run(destination, records, settings, lambda _call: Reply(200, Headers(), b"{}"))
    yield from _told(run, destination, settings, secrets, language)


def why_not(destination: Destination, record: Record) -> str | None:
    """The reason for which the destination does not take a record of this kind, stage or test state; None: it does."""
    if record.test and not destination.sends_tests:
        return "test_not_sent"
    if record.kind not in destination.kinds or (
        record.kind is Kind.CONVERSION and record.stage not in destination.stages
    ):
        return "stage_not_accepted"
    return None


def _facts(conversion: Conversion | Json, language: str) -> Json:
    given = conversion.to_dict() if isinstance(conversion, Conversion) else conversion
    # Through the shape and back: a hand-written file leaves defaults out, and rules read the stored form.
    whole = Conversion.from_dict({"event_id": "preview", **given}).to_dict()
    return facts(
        whole,
        whole["event_id"],
        given.get("order"),
        given.get("customer"),
        given.get("campaign_names") or (),
        trust=given.get("trust"),
        language=language,
    )


def _name_of(conversion: Any) -> str:
    return str(conversion.get("event_id") or "preview") if isinstance(conversion, dict) else "preview"


def _unreadable(error: Exception) -> Text:
    detail = str(error)[:200] if isinstance(error, ValueError) else type(error).__name__
    return Text(f"The conversion cannot be read: {detail}.", f"La conversion ne peut pas être lue : {detail}.")


def _told(
    run: DryRun, destination: Destination, settings: Mapping[str, Any], secrets: Collection[str], language: str
) -> Iterator[Json]:
    mask = mask_for(destination, settings, secrets)
    called = {record_id for planned in run.calls for record_id in planned.records}
    for planned in run.calls:
        yield {**mask(_shown(planned.call, destination, settings)), "records": planned.records}
    for record_id, error in run.errors.items():
        yield _problem(record_id, _said(error), language)
    for record_id, outcome in run.outcomes.items():
        if outcome.result in _ABOUT_THE_RECORD or (outcome.result is Result.REFUSED and record_id not in called):
            yield _problem(record_id, _outcome_said(outcome), language)


def _shown(call: Call, destination: Destination, settings: Mapping[str, Any]) -> Json:
    shown = show(call, destination, settings)
    if call.json is not None:
        shown["body"] = json.loads(dump_json(shown["body"]))
    return shown


def _problem(record_id: str, said: Text, language: str) -> Json:
    return {"record": record_id, "problem": said.in_(language)}


def _said(error: BaseException) -> Text:
    if isinstance(error, HubError):
        return Text(error.message, error.message)
    kind = type(error).__name__
    return Text(
        f"The connector failed on this record ({kind}).", f"Le connecteur a échoué sur cet enregistrement ({kind})."
    )


def _outcome_said(outcome: Outcome) -> Text:
    reason = REASONS.get(outcome.reason)
    parts = (reason.said if reason else None), Text(outcome.detail, outcome.detail)
    english, french = ([part[index] for part in parts if part and part[index]] for index in (0, 1))
    return Text(": ".join(english) or outcome.result, " : ".join(french) or outcome.result)

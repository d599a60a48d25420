"""Checks of what a connector asks its platform: is the key good, which fields exist, what is left out of a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hub.connecting.masking import secrets_of
from hub.connecting.registry import Role
from hub.connecting.rehearsal import Answer, drive
from hub.contract import (
    BadCredentials,
    Call,
    Connector,
    DeliveryError,
    Headers,
    NotUnderstood,
    Recipe,
    Reply,
    TryLater,
)
from hub.normalize import needs_fetch, read_back
from hub.outgoing.answers import by_status, judge
from hub.testing.samples import RECEIVED_AT
from hub.testing.subject import Complaints, Subject

BROKEN_BODIES = (b"", b"<html>Bad Gateway</html>", b"{", b"{}", b"[]", b"null", b'"ok"', b"\xff\xfe", b"0")
STATUSES = (400, 401, 404, 429, 503)


def its_questions_survive_any_answer(subject: Subject) -> Complaints:
    """check, discover and prepare end in a sentence or fields, or in an error for people, whatever is answered."""
    for role in subject.entry.roles:
        settings = subject.settings(role)
        for name in ("check", "discover", "prepare") if role == "destination" else ("check",):
            ask = partial(getattr(subject.connector(role), name), settings)
            for what, answer in _answers(subject, role):
                yield from (f"the {role}'s {each}" for each in _asked(name, what, ask, answer))


def its_read_back_survives_any_answer(subject: Subject) -> Complaints:
    """fetch ends in data, or in an error for people, whatever is answered; its calls hold no secret."""
    settings, source = subject.settings("source"), subject.source
    secrets = secrets_of(source, settings)
    for sample in subject.incoming:
        if not needs_fetch(source, sample.inbound, settings):
            continue
        ask = partial(read_back, source, sample.inbound, settings)
        written = []
        for what, answer in _answers(subject, "source"):
            calls: list[Call] = []
            for each in _asked("fetch", what, ask, _noting(answer, calls)):
                yield f"in/{sample.name}.http: {each}"
            written += [f"{call.url} {call.params} {call.headers} {call.content()[0]!r}" for call in calls]
        if any(secret in text for text in written for secret in secrets):
            yield f"in/{sample.name}.http: a call of fetch holds a secret: leave it to auth"


def _asked(name: str, what: str, ask: Callable[[], Recipe | None], answer: Answer) -> Iterator[str]:
    try:
        recipe = ask()
        if recipe is None:
            return
        result = drive(recipe, answer)
    except (BadCredentials, NotUnderstood):
        return
    except DeliveryError as error:
        if what == "401":
            yield f"{name}, answered with 401, ends in {type(error).__name__}: it must be BadCredentials"
        return
    except Exception as error:  # noqa: BLE001 - whatever the connector raises is the finding
        yield f"{name}, answered with {what}, trips: {type(error).__name__}: {error}"
        return
    if name == "discover" and not isinstance(result, list | tuple):
        yield f"discover, answered with {what}, returns a {type(result).__name__}: it must be a list of Field"
    if name == "check" and what == "401":
        yield "check, answered with 401, is content: it must end in BadCredentials"


def _answers(subject: Subject, role: Role) -> Iterator[tuple[str, Answer]]:
    connector = subject.connector(role)
    for body in BROKEN_BODIES:
        yield f"200 and the body {body[:20]!r}", _always(subject, connector, Reply(200, Headers(), body))
    for status in STATUSES:
        yield f"{status}", _always(subject, connector, Reply(status, Headers(), b"{}"))
    yield "a timeout", _time_out


def _always(subject: Subject, connector: Connector, reply: Reply) -> Answer:
    def answer(_call: Call) -> Reply:
        if "destination" in subject.entry.roles and connector is subject.destination:
            judge(subject.destination, reply, RECEIVED_AT)
        elif not reply.ok:
            raise by_status(reply, RECEIVED_AT)
        return reply

    return answer


def _time_out(_call: Call) -> Reply:
    raise TryLater("The platform did not answer in time.")


def _noting(answer: Answer, calls: list[Any]) -> Answer:
    def noted(call: Call) -> Reply:
        calls.append(call)
        return answer(call)

    return noted


CHECKS = (its_questions_survive_any_answer,)
SOURCE_CHECKS = (its_read_back_survives_any_answer,)

"""Checks of a source's verify: the sample as it is passes, and every way to tamper with it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.connecting.masking import secrets_of
from hub.connecting.rehearsal import drive
from hub.contract import Call, Headers, Inbound, NotVerified, Reply, Trust, TryLater
from hub.contract.conversion import iso
from hub.contract.settings import Secrets, Words
from hub.testing.changes import moved_times, parts, tampered
from hub.testing.reading_checks import read
from hub.testing.samples import Incoming, SampleError
from hub.testing.subject import Complaints, Subject
from hub.verify import prove

MOST_REHEARSED = 5  # signing with a private key takes a while, and each sample is signed alike
FAR = timedelta(days=2)  # beyond any tolerance a person can set (24 h)


def unchanged_samples_verify(subject: Subject) -> Complaints:
    """Every sample verifies as it is, or raises Unsigned because its sender signs nothing."""
    verdicts = set()
    for sample in subject.incoming:
        try:
            verdicts.add(verdict(subject, sample))
        except NotVerified as error:
            arrival = f"the sample arrives at {iso(sample.inbound.received_at)}; X-Sample-Received-At says another time"
            said = f"{error.message} {error.detail}".strip()
            yield f"in/{sample.name}.http does not verify with the settings sample: {said} ({arrival})"
    if verdicts == set(Trust) - {Trust.MANUAL, Trust.IMPORTED}:
        yield "some samples verify and others raise Unsigned with the same settings: a forger would pick the latter"


def a_changed_message_is_refused(subject: Subject) -> Complaints:
    """A sample with one byte changed, added or taken away is NotVerified."""
    for sample in _signed(subject):
        if not subject.source.signs_body:
            continue
        for what, inbound in tampered(sample.inbound):
            if _passes(subject, sample, inbound):
                yield f"in/{sample.name}.http still verifies with {what} (signs_body = False if it only shows a token)"


def a_missing_signature_is_refused(subject: Subject) -> Complaints:
    """A sample without its signature, or with a made-up one, is NotVerified."""
    for sample in _signed(subject):
        decisive = [part for part in parts(sample.inbound) if not _passes(subject, sample, part.forged())]
        if not decisive:
            yield f"in/{sample.name}.http verifies whatever its headers, query and fields say"
        for part in decisive:
            if _passes(subject, sample, part.removed()):
                yield f"in/{sample.name}.http still verifies without {part.name}"


def a_stale_or_future_message_is_refused(subject: Subject) -> Complaints:
    """Where the signature carries a time (signs_time), a stale sample and a future one are NotVerified."""
    for sample in _signed(subject):
        for which, moved in (("stale", FAR), ("future", -FAR)):
            passes = _passes(subject, sample, replace(sample.inbound, received_at=sample.inbound.received_at + moved))
            if passes and subject.source.signs_time:
                yield f"in/{sample.name}.http still verifies when it is {which} (by {FAR.days} days)"
            if not passes and not subject.source.signs_time:
                yield f"in/{sample.name}.http is refused when it is {which}: declare signs_time = True"


def a_signed_time_is_declared(subject: Subject) -> Complaints:
    """A time in a header that cannot be changed is signed: the source declares signs_time, and then must check it."""
    if subject.source.signs_time:
        return
    for sample in _signed(subject):
        for name, inbound in moved_times(sample.inbound):
            if not _passes(subject, sample, inbound):
                yield (
                    f"in/{sample.name}.http: the time in the header {name} is signed: declare signs_time = True and "
                    "check it (check_timed, check_timestamp), or old messages can be sent again for ever"
                )


def what_it_rehearses_verifies(subject: Subject) -> Complaints:
    """The headers that rehearse makes for a body are accepted at that time, and refused with another body."""
    settings, source = subject.settings("source"), subject.source
    for sample in subject.incoming[:MOST_REHEARSED]:
        at = sample.inbound.received_at + timedelta(hours=1)  # not the samples' own time: it must be the one asked for
        headers = source.rehearse(sample.inbound.body, settings, at, subject.demo_key)
        if headers is None:
            return
        inbound = replace(sample.inbound, headers=resigned(sample.inbound.headers, headers), received_at=at)
        wanted = Trust.PROVEN if headers else Trust.CLAIMED
        try:
            found = verdict(subject, sample, inbound)
        except (NotVerified, TryLater) as error:
            yield f"in/{sample.name}.http: verify refuses what rehearse signed: {error.message} {error.detail}".strip()
            continue
        if found is not wanted:
            yield f"in/{sample.name}.http: what rehearse made counts as {found}, it must be {wanted}"
        if headers and source.signs_body and _passes(subject, sample, replace(inbound, body=inbound.body + b" ")):
            yield f"in/{sample.name}.http: the headers that rehearse made are accepted with another body"


def resigned(headers: Headers, signature: Mapping[str, str]) -> Headers:
    """``headers`` with those of ``signature`` in their place."""
    fresh = Headers(signature)
    return Headers([*((name, value) for name, value in headers.items() if name not in fresh), *fresh.items()])


def a_wrong_or_empty_secret_is_refused(subject: Subject) -> Complaints:
    """With a wrong secret, or none, a sample is NotVerified; with two live secrets either one verifies."""
    for sample in _signed(subject):
        decisive = [name for name in _texts(subject) if not _passes_with(subject, sample, name, _wrong)]
        if not decisive:
            yield f"in/{sample.name}.http verifies whatever the settings say: no setting takes part in verify"
        for name in decisive:
            if _passes_with(subject, sample, name, lambda value: type(value)()):
                yield f"in/{sample.name}.http verifies with an empty {name}: an empty key must be refused"
            is_list = isinstance(subject.source.Settings._declared_fields[name], Secrets)
            if is_list and not _passes_with(subject, sample, name, lambda value: [*_wrong(value), *value]):
                yield f"in/{sample.name}.http does not verify while {name} holds a second, newer secret"


def no_secret_is_told(subject: Subject) -> Complaints:
    """No secret of the settings sample stands in an error, in its detail, or in a conversion."""
    secrets = secrets_of(subject.source, subject.settings("source"))
    for sample in subject.incoming:
        for told in _everything_told(subject, sample):
            if any(secret in told for secret in secrets):
                yield f"in/{sample.name}.http: a secret is told in “{_masked(told, secrets)[:200]}”"
                break


def verdict(subject: Subject, sample: Incoming, inbound: Inbound | None = None, **settings: Any) -> Trust:
    """What verify says of the sample (or of ``inbound`` in its place). Raises NotVerified, or SampleError."""
    recipe = prove(subject.source, inbound or sample.inbound, {**subject.settings("source"), **settings})
    return Trust(drive(recipe, _answers(sample, strict=inbound is None)))


def _signed(subject: Subject) -> Iterator[Incoming]:
    """The samples that verify as they are; the others have their own check, or need none."""
    for sample in subject.incoming:
        try:
            if verdict(subject, sample) is Trust.PROVEN:
                yield sample
        except NotVerified:
            continue


def _passes(subject: Subject, sample: Incoming, inbound: Inbound, **settings: Any) -> bool:
    try:
        verdict(subject, sample, inbound, **settings)
    except (NotVerified, TryLater):
        return False
    return True


def _passes_with(subject: Subject, sample: Incoming, name: str, change: Callable[[Any], Any]) -> bool:
    value = change(subject.settings("source")[name])
    return _passes(subject, sample, sample.inbound, **{name: value})


def _texts(subject: Subject) -> list[str]:
    """The settings that may take part in verify: texts and secrets that the sample fills in."""
    fields = subject.source.Settings._declared_fields
    filled = subject.settings("source")
    return [name for name, field in fields.items() if isinstance(field, Words | Secrets) and filled.get(name)]


def _wrong(value: Any) -> Any:
    """Another secret of the same form: the character in the middle is exchanged."""
    if isinstance(value, list):
        return [_wrong(each) for each in value]
    middle = len(value) // 2
    return f"{value[:middle]}{'B' if value[middle : middle + 1] != 'B' else 'C'}{value[middle + 1 :]}"


def _answers(sample: Incoming, *, strict: bool) -> Callable[[Call], Reply]:
    waiting = iter(sample.replies)

    def answer(call: Call) -> Reply:
        reply = next(waiting, None)
        if reply is None and strict:
            raise SampleError(
                f"verify asks for {call.method} {call.url}: write its answer into "
                f"samples/in/{sample.name}.replies.json (or samples/in/replies.json for all samples)."
            )
        if reply is None:
            raise TryLater("The sample has no answer to this call.")
        return reply

    return answer


def _everything_told(subject: Subject, sample: Incoming) -> Iterator[str]:
    attempts = [sample.inbound, *(inbound for _, inbound in tampered(sample.inbound))]
    for inbound in attempts:
        try:
            verdict(subject, sample, inbound)
        except NotVerified as error:
            yield f"{error.message} {error.detail}"
        except TryLater:
            pass
        yield read(subject.source, inbound, subject.settings("source")).text


def _masked(text: str, secrets: dict[str, str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


CHECKS = (
    unchanged_samples_verify,
    a_changed_message_is_refused,
    a_missing_signature_is_refused,
    a_stale_or_future_message_is_refused,
    a_signed_time_is_declared,
    what_it_rehearses_verifies,
    a_wrong_or_empty_secret_is_refused,
    no_secret_is_told,
)

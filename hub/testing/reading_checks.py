"""Checks of a source's normalize: every sample gives its expectation, and no message of another form breaks it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hub.contract import Category, Conversion, HubError, Inbound, NotUnderstood, Source
from hub.contract.calls import dump_json
from hub.contract.money import EXPONENTS
from hub.normalize import needs_fetch, read_message
from hub.testing.changes import in_currency, odd_fields, renamed
from hub.testing.samples import Incoming, prune
from hub.testing.subject import Complaints, Subject, joined

UNKNOWN = "kit.unknown.event"
UNKNOWN_CURRENCY = "XQQ"
MOST_CHANGES = 1800  # of single fields, over all samples of a connector
_OF_PYTHON = re.compile(r"(?<![A-Za-z0-9])(None|True|\{\})(?![A-Za-z0-9])")  # what str() makes of null, true and {}
_BAD_BODIES = (b"", b"not json", b"{", b"[]", b"null", b"0", b'"x"', b"\xff\xfe", b"\x00", b"[" * 10_000, b"<xml/>")
# Whose every message is a hit that somebody set up: there are no event types to be unknown.
_WITHOUT_EVENT_TYPES = {Category.PAGE, Category.GENERIC}


@dataclass(frozen=True)
class Read:
    """What became of a message: conversions, or the error that stands for it."""

    conversions: list[Conversion]
    error: HubError | None

    @property
    def understood(self) -> bool:
        return self.error is None

    @property
    def safe(self) -> bool:
        return self.error is None or isinstance(self.error, NotUnderstood)

    @property
    def ids(self) -> frozenset[str]:
        """Every id in the conversions: what would join strangers if it were the same for all."""
        found = (
            (
                each.event_id,
                each.order_id,
                *each.order_aliases,
                each.subscription_id,
                each.money_id,
                each.contact.external_id,
            )
            for each in self.conversions
        )
        return frozenset(name for names in found for name in names if name)

    @property
    def text(self) -> str:
        told = f"{self.error.message} {self.error.detail}" if self.error else ""
        return told + json.dumps([each.to_dict() for each in self.conversions], ensure_ascii=False)


def read(source: Source, inbound: Inbound, settings: dict[str, Any]) -> Read:
    """Normalize ``inbound`` the way the hub does."""
    try:
        needs_fetch(source, inbound, settings)
        return Read(read_message(source, inbound, settings), None)
    except HubError as error:
        return Read([], error)


def every_sample_gives_its_expectation(subject: Subject) -> Complaints:
    """Every sample gives the conversions written beside it, to the last digit."""
    missing = []
    for sample in subject.incoming:
        found = _read(subject, sample.inbound)
        if sample.expected is None:
            missing.append(sample.name)
        elif found.error is not None:
            yield f"in/{sample.name}.http is not understood: {found.error.message} {found.error.detail}"
        else:
            got = [prune(each.to_dict()) for each in found.conversions]
            yield from (f"in/{sample.name}.json: {each}" for each in differences(sample.expected, got))
        if sample.expected and subject.source.handshake(sample.inbound, subject.settings("source")) is not None:
            yield f"in/{sample.name}.http holds conversions, but handshake() answers it and it would not be kept"
    if missing:
        proposal = f"python -m hub.testing.expect {subject.slug} proposes them"
        yield f"in/ lacks the expected conversions NAME.json of {joined(missing)} ({proposal})"


def every_claim_has_a_sample(subject: Subject) -> Complaints:
    """Every stage and kind that it claims to emit is shown by a sample, and it emits no other."""
    conversions = [each for sample in subject.incoming for each in _read(subject, sample.inbound).conversions]
    for what, claimed, found in (
        ("stage", set(subject.source.stages), {each.stage for each in conversions} - {None}),
        ("kind", set(subject.source.kinds), {each.kind for each in conversions}),
    ):
        if claimed - found:
            yield f"no sample shows the {what} {joined(claimed - found)}: add one, or take it out of {what}s"
        if found - claimed:
            yield f"samples emit the {what} {joined(found - claimed)}, which {what}s does not name"


def any_missing_or_odd_field_is_survived(subject: Subject) -> Complaints:
    """With any single field removed, null or of another type, a sample gives sound ids or is NotUnderstood."""
    for sample in subject.incoming:
        failures: Counter[str] = Counter()
        ids = _read(subject, sample.inbound).ids
        for inbound in odd_fields(sample.inbound, ids, MOST_CHANGES // len(subject.incoming)):
            found = _read(subject, inbound)
            if not found.safe and found.error is not None:
                failures[found.error.detail] += 1
            for each in found.ids - ids:
                if _OF_PYTHON.search(each):
                    failures[f"the id “{each}”: take it with required_text or text of hub.toolkit.paths, not str"] += 1
        for failure, count in failures.most_common(5):
            yield f"in/{sample.name}.http: {count} changes of one field end in {failure}"


def a_message_that_is_none_is_parked(subject: Subject) -> Complaints:
    """A body that is empty, cut off or of another format is NotUnderstood, and never a conversion."""
    for sample in subject.incoming:
        if not sample.inbound.body:
            continue
        for body in _BAD_BODIES:
            found = _read(subject, replace(sample.inbound, body=body))
            if not found.safe and found.error is not None:
                yield f"in/{sample.name}.http with the body {body[:20]!r} ends in {found.error.detail}"
            if found.conversions and not sample.inbound.query:
                yield f"in/{sample.name}.http with the body {body[:20]!r} still gives conversions"
            if found.understood and not body.strip() and _json(sample.inbound) is not None:
                yield f"in/{sample.name}.http with an empty body is taken for an event of no use: it must be parked"


def an_unknown_event_is_not_for_us(subject: Subject) -> Complaints:
    """An event type it has never heard of gives [], not an error."""
    if subject.source.category in _WITHOUT_EVENT_TYPES or not subject.incoming:
        return
    if any(sample.expected == [] for sample in subject.incoming):
        return
    for sample in subject.incoming:
        for inbound in renamed(sample.inbound, UNKNOWN, subject.source.identity_headers):
            found = _read(subject, inbound)
            if found.understood and not found.conversions:
                return
    yield "no sample shows an event that is not for us: add in/unknown.http with [] as its expectation"


def a_message_sent_twice_has_the_same_ids(subject: Subject) -> Complaints:
    """The same sample received later has the same event ids: they come from the sender, not from the clock."""
    if subject.source.resend_is_news:
        return
    for sample in subject.incoming:
        later = replace(sample.inbound, received_at=sample.inbound.received_at + timedelta(hours=7))
        first, second = (
            [each.event_id for each in _read(subject, inbound).conversions] for inbound in (sample.inbound, later)
        )
        if first != second:
            yield f"in/{sample.name}.http has the event ids {first} now and {second} seven hours later"


def money_is_exact(subject: Subject) -> Complaints:
    """Money has its ISO currency; those without decimals (JPY) or with three (KWD) are read right, unknown ones never."""
    for sample in subject.incoming:
        conversions = _read(subject, sample.inbound).conversions
        for conversion in conversions:
            if conversion.value and not conversion.currency:
                yield f"in/{sample.name}.http: {conversion.event_id} has an amount without a currency"
        currencies = {conversion.currency for conversion in conversions if conversion.value and conversion.currency}
        if len(currencies) == 1:
            yield from _in_other_currencies(subject, sample, conversions, currency := str(currencies.pop()))
            yield from _in_no_currency(subject, sample, currency)


def differences(expected: list[Any], got: list[Any]) -> Iterator[str]:
    """What differs between two lists of pruned conversions, a line for each place."""
    if len(expected) != len(got):
        yield f"{len(expected)} conversions expected, {len(got)} found: {_shown(got)}"
        return
    for index, (wanted, found) in enumerate(zip(expected, got, strict=True)):
        yield from _differences(f"[{index}]", wanted, found)


def _read(subject: Subject, inbound: Inbound) -> Read:
    return read(subject.source, inbound, subject.settings("source"))


def _differences(path: str, wanted: Any, found: Any) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}):
            yield from _differences(f"{path}.{key}", wanted.get(key), found.get(key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{path}[{index}]", one, other)
    elif _shown(wanted) != _shown(found):
        yield f"{path} must be {_shown(wanted)}, is {_shown(found)}"


def _shown(value: Any) -> str:
    return dump_json(value).decode()[:300] if value is not None else "absent"


def _in_other_currencies(
    subject: Subject, sample: Incoming, conversions: list[Conversion], currency: str
) -> Complaints:
    """The same message in JPY and KWD: amounts in major units stay, amounts in minor units follow the currency."""
    for code in ("JPY", "KWD"):
        shift = Decimal(10) ** (EXPONENTS[currency] - EXPONENTS[code])
        found = _read(subject, in_currency(sample.inbound, currency, code)).conversions
        for before, after in zip(conversions, found, strict=False):
            if after.currency != code or before.value is None or after.value is None:
                continue
            if after.value not in (before.value, before.value * shift):
                was, now = f"{before.value} {currency}", f"{after.value} {code}"
                right = f"it must stay, or become {before.value * shift} if the sender counts in cents"
                yield f"in/{sample.name}.http: {was} becomes {now} when only the currency changes; {right}"


def _in_no_currency(subject: Subject, sample: Incoming, currency: str) -> Complaints:
    changed = in_currency(sample.inbound, currency, UNKNOWN_CURRENCY)
    if (changed.body, changed.fetched) == (sample.inbound.body, sample.inbound.fetched):
        return  # the message names no currency
    for each in _read(subject, changed).conversions:
        if each.value:
            said = f"{each.value} {each.currency or 'without a currency'}"
            yield f"in/{sample.name}.http in the unknown currency {UNKNOWN_CURRENCY} is {said}: it must not be read"


def _json(inbound: Inbound) -> Any:
    try:
        return inbound.json()
    except NotUnderstood:
        return None


CHECKS = (
    every_sample_gives_its_expectation,
    every_claim_has_a_sample,
    any_missing_or_odd_field_is_survived,
    a_message_that_is_none_is_parked,
    an_unknown_event_is_not_for_us,
    a_message_sent_twice_has_the_same_ids,
    money_is_exact,
)

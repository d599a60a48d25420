"""What an answer means: from a reply or an error to the outcome the hub records.

Sources: guarantees of docs/reliability.md (what is permanent, what is tried again), the Standard Webhooks specification
(2xx only is success, redirects are never followed, 410 switches off, Retry-After as seconds or as an HTTP date), and
RFC 9110 sections 10.2.3 and 15.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hub.contract import (
    BadCredentials,
    BadMapping,
    DeliveryError,
    Destination,
    Gone,
    HubError,
    Outcome,
    Refused,
    Reply,
    Result,
    TryLater,
)
from hub.contract.auth import MailServer
from hub.toolkit.paths import dig, text

LONGEST_WAIT = 24 * 3600.0  # seconds; a longer Retry-After is cut to this
DETAIL_LENGTH = 500  # characters kept of a destination's own words

REASON_OF: dict[Result, str] = {
    Result.DELIVERED: "delivered",
    Result.DELIVERED_WITH_WARNING: "delivered_with_warning",
    Result.ACCEPTED_UNVERIFIED: "accepted_unverified",
    Result.PENDING: "verdict_awaited",
    Result.DUPLICATE: "had_it_already",
    Result.TRY_LATER: "destination_not_accepting",
    Result.REFUSED: "refused_by_destination",
    Result.BAD_CREDENTIALS: "credentials_refused",
    Result.BAD_MAPPING: "required_field_empty",
    Result.SKIPPED: "filtered_by_rule",
    Result.EXPIRED: "too_old",
}
"""The reason that stands when an outcome names none."""


def judge(destination: Destination, reply: Reply, now: datetime) -> Outcome | None:
    """What ``reply`` means to ``destination``: its own reading first, the HTTP status after.

    Returns the outcome the connector gave, or None for a plain success. Raises the DeliveryError that says what is
    to be done. ``now`` (aware) is only read for a Retry-After that is a date.
    """
    try:
        verdict = destination.judge(reply)
    except DeliveryError:
        raise
    except Exception as error:
        if reply.ok:
            raise _judge_broke(destination, reply, error) from error
        verdict = None  # an error page of a proxy in between: its status says enough
    if verdict is not None or 200 <= reply.status < 300:
        return verdict
    is_mail = isinstance(destination.auth, MailServer) and reply.status >= _LEAST_CODE
    raise by_code(reply) if is_mail else by_status(reply, now)


def judged(destination: Destination, reply: Reply, now: datetime) -> Outcome:
    """The outcome to record for ``reply``, with its reason, when nothing else speaks."""
    try:
        outcome = judge(destination, reply, now) or Outcome(Result.DELIVERED)
    except DeliveryError as error:
        outcome = outcome_of(error)
    outcome.reason = outcome.reason or REASON_OF[outcome.result]
    return outcome


def by_status(reply: Reply, now: datetime) -> DeliveryError:
    """The error that an HTTP status outside 2xx stands for. What is not listed as permanent is tried again."""
    status, words = reply.status, words_of(reply)
    if status in (401, 403):
        message = f"The destination refused our credentials ({status}). Enter a new key, then resume."
        return BadCredentials(message, status=status, detail=words)
    if status == 410:
        return Gone("The destination says it no longer exists (410). Connect it again.", status=status, detail=words)
    if status in (400, 404, 413, 422):
        return Refused(f"The destination refused the record ({status}).", status=status, detail=words)
    after = retry_after(reply.headers, now)
    if 300 <= status < 400:
        message = (
            f"The destination points to another address ({status}), which is never followed. Enter the new address."
        )
    elif status == 429:
        message = "The destination asks us to slow down (429)."
    else:
        message = f"The destination does not accept at the moment ({status})."
    throttled = status == 429 or (after is not None and status in (502, 503, 504))
    return TryLater(message, after=after, whole_connection=throttled, detail=words)


def by_code(reply: Reply) -> DeliveryError:
    """The error that a mail server's answer outside 2yz stands for (RFC 5321 section 4.2.1, RFC 4954 section 6)."""
    code, words = reply.status, words_of(reply)
    if code in (530, 534, 535, 538):
        message = f"The mail server wants another login ({code}). Enter user name and password again, then resume."
        return BadCredentials(message, status=code, detail=words)
    if code >= 500 and code not in _NOT_UNDERSTOOD:
        return Refused(f"The mail server refused the message ({code}).", status=code, detail=words)
    closing = code == 421  # it takes nothing from anybody now
    return TryLater(f"The mail server asks to try later ({code}).", whole_connection=closing, detail=words)


_LEAST_CODE = 420  # of a mail server's answers that are no success
_NOT_UNDERSTOOD = (500, 502, 503, 504)  # the server lost track of the commands: that says nothing of the message


def outcome_of(error: HubError) -> Outcome:
    """The outcome to record for an error raised while a record was delivered."""
    outcome = Outcome(Result.REFUSED, error.reason, f"{error.message} {error.detail}".strip()[:DETAIL_LENGTH])
    if isinstance(error, TryLater):
        outcome.result, outcome.after = Result.TRY_LATER, error.after
    elif isinstance(error, BadCredentials):
        outcome.result = Result.BAD_CREDENTIALS
    elif isinstance(error, BadMapping):
        outcome.result, outcome.field = Result.BAD_MAPPING, error.field
    return outcome


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds a Retry-After header asks for, 0 to 24 h, decimals rounded up. None when it is absent or garbage.

    ``headers`` must be case-blind (:class:`hub.contract.Headers`); ``now`` is aware.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if _SECONDS.fullmatch(value):
        seconds = math.ceil(float(value))
    else:
        moment = _http_date(value)
        if moment is None:
            return None
        seconds = math.ceil((moment - now).total_seconds())
    return min(max(float(seconds), 0.0), LONGEST_WAIT)


def words_of(reply: Reply) -> str:
    """The destination's own words in an answer: the message of its JSON, else its text without tags, cut."""
    body = reply.json() if reply.body[:1] in (b"{", b"[") else None
    said = next((found for path in _MESSAGE_PATHS if (found := text(dig(body, path)))), None) if body else None
    if said is None:
        said = _TAGS.sub(" ", reply.body[:4096].decode("utf-8", "replace"))
    return " ".join(said.split())[:DETAIL_LENGTH]


_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_TAGS = re.compile(r"<[^>]*>")
_MESSAGE_PATHS = (
    "error.message",
    "message",
    "errors[0].message",
    "errors[0].detail",
    "errors[0]",
    "error_description",
    "detail",
    "title",
    "error",
    "msg",
)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _judge_broke(destination: Destination, reply: Reply, error: Exception) -> Refused:
    return Refused(
        "The destination said yes, but the connector could not read its answer; it may have taken the record. "
        "Report it with this answer.",
        status=reply.status,
        detail=f"{destination.slug}.judge: {type(error).__name__}: {error}. {words_of(reply)}"[:DETAIL_LENGTH],
        reason="connector_broken",
    )

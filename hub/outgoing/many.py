"""Many recipes from one thread: while one waits for its answer, the others go on.

What would hold up all of them is done beside, in threads: mail, and waiting for a token.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from requests import PreparedRequest, Response

from hub.connecting.connected import Connected
from hub.contract.errors import DeliveryError
from hub.outgoing.at_once import AtOnce
from hub.outgoing.dialogue import Answer, Dialogue
from hub.outgoing.failures import FAILURES, failure
from hub.outgoing.grants import Ask, needs_no_waiting, needs_token, renewed
from hub.outgoing.mail import MailConnections
from hub.outgoing.prepared import prepare, reply_of

BESIDE = 8  # threads for mail and tokens
GLANCE = 0.01  # seconds between two looks at them
PATIENCE = 60.0  # seconds of one wait for libcurl, which has its own limits


class Ended(NamedTuple):
    """A recipe that has ended: the ``key`` it was given under, and its result or what it raised."""

    key: Any
    result: Any
    error: Exception | None


@dataclass(eq=False, slots=True)
class _Under:
    """A recipe under way, and the request that is out for it."""

    key: Any
    dialogue: Dialogue
    request: PreparedRequest | None = None
    again: bool = False  # its token was renewed already


class Many:
    """Drives recipes. For one thread at a time."""

    def __init__(self, mail: MailConnections, asker: Callable[[Connected], Ask]) -> None:
        self._mail, self._asker = mail, asker
        self._web = AtOnce()
        self._threads: ThreadPoolExecutor | None = None
        self._beside: dict[Future[Any], tuple[_Under, Callable[[_Under, Any], None]]] = {}
        self._ready: deque[tuple[_Under, Answer | None]] = deque()
        self._ended: deque[Ended] = deque()
        self._count = 0

    def close(self) -> None:
        """Let go of all connections."""
        self._web.close()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def run(self, starts: Iterator[tuple[Any, Dialogue] | float], at_once: int) -> Iterator[Ended]:
        """See :meth:`hub.outgoing.sender.Sender.run_many`."""
        more, not_before = True, 0.0
        try:
            while more or self._count:
                while more and self._count < at_once and time.monotonic() >= not_before:
                    start = next(starts, None)
                    if start is None:
                        more = False
                    elif isinstance(start, float):
                        not_before = time.monotonic() + start
                    else:
                        self._begin(*start)
                        yield from self._told()
                self._wait(not_before if more and self._count < at_once else None)
                yield from self._told()
        finally:
            self._break_off()

    def _begin(self, key: Any, dialogue: Dialogue) -> None:
        self._count += 1
        self._ready.append((_Under(key, dialogue), None))
        self._go_on()

    def _told(self) -> Iterator[Ended]:
        while self._ended:
            self._count -= 1
            yield self._ended.popleft()

    def _wait(self, until: float | None) -> None:
        """Until something has ended, or to this moment (monotonic)."""
        while not self._ended:
            left = until - time.monotonic() if until is not None else PATIENCE
            if left <= 0 or (until is None and not self._count):
                return
            if not self._count:
                time.sleep(left)
                return
            for under, answer in self._web.finished(min(left, GLANCE) if self._beside else left):
                self._answered(under, answer)
            if self._beside:
                self._look_beside(0.0 if self._web.busy else min(left, GLANCE))
            self._go_on()

    def _go_on(self) -> None:
        while self._ready:
            under, answer = self._ready.popleft()
            dialogue = under.dialogue
            try:
                if not dialogue.go_on(answer):
                    self._ended.append(Ended(under.key, dialogue.result, None))
                    continue
                kept = dialogue.kept()
            except Exception as error:  # noqa: BLE001 - handed to whoever started the recipe
                self._ended.append(Ended(under.key, None, error))
                continue
            if kept is not None:
                self._ready.append((under, kept))
            else:
                under.again = False
                self._send(under)

    def _heard(self, under: _Under, answer: Answer) -> None:
        self._ready.append((under, under.dialogue.heard(answer)))

    def _send(self, under: _Under) -> None:
        call, connected = under.dialogue.call, under.dialogue.connected
        if call.method == "MAIL":
            self._do_beside(under, lambda: self._mail.send(call, connected), self._heard)
        elif needs_no_waiting(connected.connector.auth, call, connected):
            try:
                self._start(under, self._prepared(under.dialogue))
            except DeliveryError as error:
                self._heard(under, error)
        else:
            self._do_beside(under, lambda: self._prepared(under.dialogue), self._start)

    def _prepared(self, dialogue: Dialogue) -> PreparedRequest:
        ask = self._asker(dialogue.connected)
        try:
            return prepare(dialogue.call, dialogue.body, dialogue.content_type, dialogue.connected, ask)
        except FAILURES as error:
            raise failure(error, urlsplit(dialogue.call.url).hostname or "") from None

    def _start(self, under: _Under, request: PreparedRequest) -> None:
        under.request = request
        try:
            self._web.start(request, under.dialogue.call.timeout, under)
        except FAILURES as error:
            self._heard(under, failure(error, urlsplit(under.dialogue.call.url).hostname or ""))

    def _answered(self, under: _Under, answer: Response | Exception) -> None:
        dialogue, request = under.dialogue, under.request
        assert request is not None  # noqa: S101 - it was just answered
        if isinstance(answer, Exception):
            self._heard(under, failure(answer, urlsplit(dialogue.call.url).hostname or ""))
            return
        reply = reply_of(answer, request)
        auth, call, connected = dialogue.connected.connector.auth, dialogue.call, dialogue.connected
        if reply.status != 401 or under.again or not needs_token(auth, call):
            self._heard(under, reply)
            return
        used = request.headers.get("Authorization", "")
        under.again = True
        self._do_beside(
            under,
            lambda: renewed(auth, call, connected, used, self._asker(connected)),
            lambda under, is_new: self._send(under) if is_new else self._heard(under, reply),
        )

    def _do_beside(self, under: _Under, work: Callable[[], Any], then: Callable[[_Under, Any], None]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(BESIDE)
        self._beside[self._threads.submit(work)] = (under, then)

    def _look_beside(self, seconds: float) -> None:
        for done in wait(self._beside, seconds, FIRST_COMPLETED).done:
            under, then = self._beside.pop(done)
            error = done.exception()
            if error is None:
                then(under, done.result())
            elif isinstance(error, DeliveryError):
                self._heard(under, error)
            else:
                raise error

    def _break_off(self) -> None:
        self._web.drop()
        for future in self._beside:
            future.cancel()
        self._beside.clear()
        self._ready.clear()
        self._ended.clear()
        self._count = 0

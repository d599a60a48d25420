"""Requests over libcurl's multi interface: one, or many at once from one thread, which costs half of a thread each.

While they are waited for, Python runs every second: a signal, and the exception that it brings, are not lost in libcurl.
Figures: docs/decisions/0013-why-pycurl.md.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any

import pycurl
from requests import PreparedRequest, Response

from hub.outgoing.curl import Transfer, longest

SLICE = 1.0  # seconds of one wait at most, and between two looks for who is silent
KEPT = 64  # connections kept open

_of_parent: list[Any] = []


def keep_for_parent(thing: Any) -> None:
    """Never close ``thing`` in this process: a farewell from here would end the parent's connection (TLS counts on)."""
    _of_parent.append(thing)


@dataclass(slots=True)
class AtOnce:
    """Requests on their way, each under a ``key`` of the caller's. For one thread at a time."""

    _multi: pycurl.CurlMulti = field(default_factory=lambda: _multi())
    _idle: list[Transfer] = field(default_factory=list)
    _away: dict[pycurl.Curl, tuple[Transfer, Any]] = field(default_factory=dict)
    _pid: int = field(default_factory=os.getpid)
    _looked: float = field(default_factory=time.monotonic)

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        return bool(self._away)

    def start(self, request: PreparedRequest, timeout: float, key: Any) -> None:
        """Send ``request``; it leaves with the next :meth:`finished`. Raises what :meth:`Transfer.load` raises."""
        self._leave_parent()
        transfer = self._idle.pop() if self._idle else Transfer()
        try:
            transfer.load(request, timeout, longest(request))
        except BaseException:
            self._idle.append(transfer)
            raise
        self._away[transfer.curl] = (transfer, key)
        self._multi.add_handle(transfer.curl)

    def finished(self, seconds: float) -> list[tuple[Any, Response | Exception]]:
        """The keys of what has ended, each with its answer or error; after ``seconds`` at most, then it may be empty."""
        until = time.monotonic() + seconds
        while self._away:
            self._multi.perform()
            found = self._ended() + self._silent()
            left = until - time.monotonic()
            if found or left <= 0:
                return found
            self._wait(min(left, SLICE))
        return []

    def drop(self) -> None:
        """Break off everything that is on its way."""
        for transfer, _ in self._away.values():
            self._multi.remove_handle(transfer.curl)
            transfer.close()
        self._away.clear()

    def close(self) -> None:
        """Let go of all connections."""
        self._leave_parent()
        self.drop()
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        self._multi.close()
        self._multi = _multi()

    def _ended(self) -> list[tuple[Any, Response | Exception]]:
        found: list[tuple[Any, Response | Exception]] = []
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            found += [self._result(curl) for curl in good]
            found += [self._result(curl, code, said) for curl, code, said in bad]
        return found

    def _silent(self) -> list[tuple[Any, Response | Exception]]:
        now = time.monotonic()
        if now - self._looked < SLICE:
            return []
        self._looked = now
        silent = [transfer.curl for transfer, _ in self._away.values() if transfer.is_silent()]
        return [self._result(curl, pycurl.E_OPERATION_TIMEDOUT, "Nothing came for too long") for curl in silent]

    def _result(self, curl: pycurl.Curl, code: int = pycurl.E_OK, said: str = "") -> tuple[Any, Response | Exception]:
        transfer, key = self._taken_off(curl)
        try:
            return key, transfer.failed(code, said) if code else transfer.answer()
        except Exception as error:  # noqa: BLE001 - handed to whoever sent it
            return key, error

    def _taken_off(self, curl: pycurl.Curl) -> tuple[Transfer, Any]:
        transfer, key = self._away.pop(curl)
        self._multi.remove_handle(curl)
        self._idle.append(transfer)
        return transfer, key

    def _wait(self, seconds: float) -> None:
        timer = self._multi.timeout()  # milliseconds until libcurl wants to do something by itself; -1: none
        if self._multi.select(min(seconds, timer / 1000) if timer >= 0 else seconds) == -1:
            time.sleep(0.005)  # a name is being looked up, or this process has more files open than select takes

    def _leave_parent(self) -> None:
        if self._pid != os.getpid():
            keep_for_parent((self._multi, self._idle, self._away))
            self._multi, self._idle, self._away, self._pid = _multi(), [], {}, os.getpid()


def _multi() -> pycurl.CurlMulti:
    made = pycurl.CurlMulti()
    made.setopt(pycurl.M_MAXCONNECTS, KEPT)
    # Not PIPEWAIT: with HTTP/1.1 it makes some wait for a whole answer of another (seen with libcurl 8.23).
    return made

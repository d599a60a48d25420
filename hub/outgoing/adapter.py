"""How requests travel: ``requests``' transport adapter on libcurl. A PreparedRequest goes in, a Response comes out.

So that whoever prepares a request need not know libcurl, and tests can put the ``responses`` library in its place.
"""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from hub.outgoing.at_once import AtOnce, keep_for_parent
from hub.outgoing.curl import target

FOR_EVER = float("inf")  # libcurl has its own limits
MOST_IDLE = 256  # connections kept in all


class GuardedAdapter(HTTPAdapter):
    """Keeps at most ``kept`` idle connections to each server. Safe to use from several threads, and across forks."""

    def __init__(self, *, kept: int) -> None:
        super().__init__()
        self._kept = kept
        self._idle: dict[str, list[AtOnce]] = {}
        self._lock = threading.Lock()
        _adapters.add(self)

    def init_poolmanager(self, *_args: Any, **_options: Any) -> None:
        """Nothing: libcurl keeps the connections."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = 10.0,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """The whole answer, cut where :func:`hub.outgoing.curl.longest` says. ``timeout`` is in seconds.

        Raises AddressRefused and the errors of :meth:`hub.outgoing.curl.Transfer.failed`.
        """
        origin = target(request.url or "").origin
        line = self._take(origin)
        try:
            line.start(request, timeout, None)
            ((_, answer),) = line.finished(FOR_EVER)
        finally:
            line.drop()
            self._give_back(origin, line)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Let go of all connections."""
        for lines in self.forget().values():
            for line in lines:
                line.close()

    def forget(self) -> dict[str, list[AtOnce]]:
        """Take all idle lines out of use, and return them."""
        idle, self._idle = self._idle, {}
        return idle

    def renew_lock(self) -> None:
        """After a fork: somebody who is not here any more may have held it."""
        self._lock = threading.Lock()

    def _take(self, origin: str) -> AtOnce:
        with self._lock:
            lines = self._idle.get(origin)
            if lines:
                return lines.pop()
        return AtOnce()

    def _give_back(self, origin: str, line: AtOnce) -> None:
        surplus: AtOnce | None = line
        with self._lock:
            lines = self._idle.pop(origin, [])
            self._idle[origin] = lines  # the one used last stands last
            if len(lines) < self._kept:
                lines.append(line)
                surplus = self._oldest() if sum(map(len, self._idle.values())) > MOST_IDLE else None
        if surplus is not None:
            surplus.close()

    def _oldest(self) -> AtOnce:
        origin = next(origin for origin, lines in self._idle.items() if lines)
        oldest = self._idle[origin].pop(0)
        if not self._idle[origin]:
            del self._idle[origin]
        return oldest


_adapters: WeakSet[GuardedAdapter] = WeakSet()


def _after_fork() -> None:
    for adapter in list(_adapters):
        adapter.renew_lock()
        keep_for_parent(adapter.forget())


os.register_at_fork(after_in_child=_after_fork)

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

from hub.outgoing.curl import Transfer, target

LONGEST_ANSWER = 128 * 1024  # bytes kept of an answer
LONGEST_LIST = 4 * 1024 * 1024  # bytes kept of an answer to a GET
MOST_IDLE = 256  # handles kept in all


class GuardedAdapter(HTTPAdapter):
    """Keeps at most ``kept`` idle connections to each server. Safe to use from several threads, and across forks."""

    def __init__(self, *, kept: int) -> None:
        super().__init__()
        self._kept = kept
        self._idle: dict[str, list[Transfer]] = {}
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
        """The whole answer, cut at LONGEST_ANSWER or LONGEST_LIST. ``timeout`` is in seconds.

        Raises AddressRefused and the errors of :meth:`hub.outgoing.curl.Transfer.failed`.
        """
        origin = target(request.url or "").origin
        transfer = self._take(origin)
        try:
            transfer.load(request, timeout, longest(request))
            return transfer.perform()
        finally:
            self._give_back(origin, transfer)

    def close(self) -> None:
        """Let go of all connections."""
        for transfers in self.forget().values():
            for transfer in transfers:
                transfer.close()

    def forget(self) -> dict[str, list[Transfer]]:
        """Take all idle handles out of use, and return them."""
        idle, self._idle = self._idle, {}
        return idle

    def renew_lock(self) -> None:
        """After a fork: somebody who is not here any more may have held it."""
        self._lock = threading.Lock()

    def _take(self, origin: str) -> Transfer:
        with self._lock:
            transfers = self._idle.get(origin)
            if transfers:
                return transfers.pop()
        return Transfer()

    def _give_back(self, origin: str, transfer: Transfer) -> None:
        surplus: Transfer | None = transfer
        with self._lock:
            transfers = self._idle.pop(origin, [])
            self._idle[origin] = transfers  # the one used last stands last
            if len(transfers) < self._kept:
                transfers.append(transfer)
                surplus = self._oldest() if sum(map(len, self._idle.values())) > MOST_IDLE else None
        if surplus is not None:
            surplus.close()

    def _oldest(self) -> Transfer:
        origin = next(origin for origin, transfers in self._idle.items() if transfers)
        oldest = self._idle[origin].pop(0)
        if not self._idle[origin]:
            del self._idle[origin]
        return oldest


def longest(request: PreparedRequest) -> int:
    """The bytes that are kept of this request's answer."""
    return LONGEST_LIST if request.method == "GET" else LONGEST_ANSWER


_adapters: WeakSet[GuardedAdapter] = WeakSet()
_of_parent: list[Any] = []


def keep_for_parent(thing: Any) -> None:
    """Never close ``thing`` in this process: a farewell from here would end the parent's connection (TLS counts on)."""
    _of_parent.append(thing)


def _after_fork() -> None:
    for adapter in list(_adapters):
        adapter.renew_lock()
        keep_for_parent(adapter.forget())


os.register_at_fork(after_in_child=_after_fork)

"""How requests travel: connections that are kept alive, opened to checked addresses only, with an end to every answer.

This is requests' transport adapter with a lean way to send, on the standard library's HTTP connections. What it leaves out
(cookies, proxies, retries, decoding) takes longer than the sending itself: docs/decisions/0013-why-a-lean-transport.md.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from http.client import HTTPConnection, HTTPResponse
from select import POLLIN, poll
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.utils import requote_uri

from hub.deliver.guard import open_socket, tls_context

ANSWER = 2
"""How many times its time limit a connection may take for an answer, all in all."""

Origin = tuple[str, str, int]  # scheme, host, port


class GuardedAdapter(HTTPAdapter):
    """Keeps at most ``kept`` idle connections to each server. Safe to use from several threads."""

    def __init__(self, *, kept: int) -> None:
        super().__init__()
        self._kept = kept
        self._idle: dict[Origin, list[_Line]] = {}
        self._lock = threading.Lock()

    def send(
        self, request: PreparedRequest, stream: bool = True, timeout: Any = None, verify: Any = True, cert: Any = None,
        proxies: Any = None,
    ) -> Response:  # fmt: skip
        """The answer, its body unread in ``raw``: read it, then call ``raw.release_conn()``.

        ``timeout`` is in seconds: for connecting, and for each wait on the other side. Raises AddressRefused, and what the
        standard library raises: OSError (with TimeoutError, ssl.SSLError, socket.gaierror), http.client.HTTPException.
        """
        origin, target = _place(request.url or "")
        line = self._take(origin, timeout)
        try:
            raw = line.ask(request.method or "", target, cast(Any, request.body), request.headers)
        except BaseException:
            line.close()
            raise
        response = Response()
        response.raw, response.status_code, response.headers = raw, raw.status, cast(Any, raw.headers)
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for lines in idle.values():
            for line in lines:
                line.close()

    def _take(self, origin: Origin, timeout: float) -> _Line:
        while True:
            with self._lock:
                lines = self._idle.get(origin)
                line = lines.pop() if lines else None
            if line is None:
                return _Line(origin, timeout, self._give_back)
            if line.is_usable():
                line.limit(timeout)
                return line
            line.close()

    def _give_back(self, line: _Line) -> None:
        with self._lock:
            lines = self._idle.setdefault(line.origin, [])
            if len(lines) < self._kept:
                lines.append(line)
                return
        line.close()


@lru_cache(maxsize=1024)
def _place(url: str) -> tuple[Origin, str]:
    """The server that ``url`` names, and what to ask it for."""
    parts = urlsplit(url)
    origin = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    return origin, requote_uri((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class _Line(HTTPConnection):
    """One connection. It is opened by its first request, through the guard."""

    def __init__(self, origin: Origin, limit: float, give_back: Callable[[_Line], None]) -> None:
        scheme, host, port = self.origin = origin
        self.default_port = 443 if scheme == "https" else 80  # a Host header names the port only if it is another
        super().__init__(host, port)
        self.seconds = limit
        self._give_back = give_back
        self._head: bytes | None = None

    def connect(self) -> None:
        scheme, host, port = self.origin
        self.sock = open_socket(host, port, self.seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "https":
            self.sock = tls_context().wrap_socket(self.sock, server_hostname=host)

    def is_usable(self) -> bool:
        """Whether it is open, and the other side has neither hung up nor said anything unasked."""
        if self.sock is None:
            return False
        waiting = poll()
        waiting.register(self.sock, POLLIN)
        return not waiting.poll(0)

    def limit(self, seconds: float) -> None:
        """How long it may wait for the other side from here on."""
        if seconds != self.seconds:
            self.seconds = seconds
            self.sock.settimeout(seconds)

    def ask(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> _Answer:
        """Send a request and hear the beginning of its answer. Headers and body leave together."""
        self._head = b"" if body else None
        self.request(method, target, body, headers)
        return cast(_Answer, self.getresponse())

    def send(self, data: Any) -> None:
        if self._head == b"":
            self._head = data
            return
        head, self._head = self._head, None
        super().send(head + data if head else data)

    def response_class(self, sock: socket.socket, **options: Any) -> _Answer:  # type: ignore[override]  # called, no more
        return _Answer(self, sock, **options)

    def release(self) -> None:
        self._give_back(self)


class _Answer(HTTPResponse):
    """An answer that gives its connection back, as requests asks it of ``Response.raw``."""

    def __init__(self, line: _Line, sock: socket.socket, **options: Any) -> None:
        self._line = line
        timed: Any = _Timed(sock, line.seconds)  # of a socket, a response only asks makefile()
        super().__init__(timed, **options)

    @property
    def length_remaining(self) -> int:
        """Bytes that were announced and have not been read; 0 where none were announced."""
        return self.length or 0

    def release_conn(self) -> None:
        """The connection may be used again, if this answer was read to its end."""
        if self.isclosed() and not self.length and not self.will_close:
            self._line.release()
        else:
            self.close()
            self._line.close()


class _Timed(io.RawIOBase):
    """What a socket receives, until the whole answer has taken too long.

    The socket's own limit is on each read alone: by that, a byte a second could go on for hours.
    """

    def __init__(self, sock: socket.socket, limit: float) -> None:
        self._sock, self._limit, self._deadline = sock, limit, time.monotonic() + ANSWER * limit
        self._raw = sock.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if left >= self._limit:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(self._limit)  # the connection may be used again

    def close(self) -> None:
        self._raw.close()
        super().close()

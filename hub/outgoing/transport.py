"""How requests travel: connections that are kept alive, opened to checked addresses only, with an end to every answer.

This is requests' transport adapter with a lean way to send; answers are read by the standard library. What it leaves out
(cookies, proxies, retries, decoding) takes longer than the sending itself: docs/decisions/0013-why-a-lean-transport.md.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from http.client import HTTPResponse
from select import POLLIN, poll
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.utils import requote_uri

from hub.outgoing.guard import open_socket, tls_context

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
        self,
        request: PreparedRequest,
        stream: bool = True,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """The answer, its body unread in ``raw``: read it, then call ``raw.release_conn()``.

        ``timeout`` is in seconds: for connecting, and for each wait on the other side. Raises AddressRefused, and what the
        standard library raises: OSError (with TimeoutError, ssl.SSLError, socket.gaierror), http.client.HTTPException.
        """
        origin, host, target = _place(request.url or "")
        line = self._take(origin, timeout)
        try:
            headers = [("Host", host), *request.headers.items()]
            raw = line.ask(request.method or "", target, headers, cast(bytes, request.body or b""))
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
def _place(url: str) -> tuple[Origin, str, str]:
    """The server that ``url`` names, what the Host header says of it, and what to ask it for."""
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    name, port = parts.hostname or "", parts.port or usual
    host = f"[{name}]" if ":" in name else name if name.isascii() else name.encode("idna").decode()
    target = requote_uri((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return (parts.scheme, name, port), host if port == usual else f"{host}:{port}", target


class _Line:
    """One connection. Opening goes through the guard."""

    def __init__(self, origin: Origin, seconds: float, give_back: Callable[[_Line], None]) -> None:
        scheme, host, port = self.origin = origin
        self.seconds = seconds
        self._give_back = give_back
        self.socket = open_socket(host, port, seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "https":
            self.socket = tls_context().wrap_socket(self.socket, server_hostname=host)

    def is_usable(self) -> bool:
        """Whether the other side has neither hung up nor said anything unasked."""
        waiting = poll()
        waiting.register(self.socket, POLLIN)
        return not waiting.poll(0)

    def limit(self, seconds: float) -> None:
        """How long it may wait for the other side from here on."""
        if seconds != self.seconds:
            self.seconds = seconds
            self.socket.settimeout(seconds)

    def ask(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> _Answer:
        """Send a request, in one piece, and hear the beginning of its answer."""
        head = "".join(
            [f"{method} {target} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in headers), "\r\n"]
        )
        self.socket.sendall(head.encode("latin-1") + body)
        answer = _Answer(self, method)
        try:
            answer.begin()
        except BaseException:
            answer.close()  # while it is open, so is the socket
            raise
        return answer

    def release(self) -> None:
        """It may be used again."""
        self._give_back(self)

    def close(self) -> None:
        self.socket.close()


class _Answer(HTTPResponse):
    """An answer that gives its connection back, as requests asks it of ``Response.raw``."""

    def __init__(self, line: _Line, method: str) -> None:
        self._line = line
        timed: Any = _Timed(line.socket, line.seconds)  # of a socket, a response only asks makefile()
        super().__init__(timed, method=method)

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

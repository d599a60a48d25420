"""A time limit for a whole answer, its headers included: a limit on each read alone lets a byte a second go on for hours."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

ANSWER = 2
"""How many times its read timeout a connection may take for an answer, all in all."""


class AnswersInTime:
    """Goes before a class of http.client connections. An answer that takes too long ends in TimeoutError."""

    timeout: Any
    response_class: Any

    def getresponse(self) -> Any:
        limit: float = self.timeout
        deadline = time.monotonic() + ANSWER * limit

        def response(sock: socket.socket, **options: Any) -> HTTPResponse:
            timed: Any = _Timed(sock, limit, deadline)  # of a socket, a response only asks makefile()
            return HTTPResponse(timed, **options)

        self.response_class = response
        return super().getresponse()  # type: ignore[misc]  # the next class in line has it


class _Timed(io.RawIOBase):
    """What a socket receives, until the deadline."""

    def __init__(self, sock: socket.socket, limit: float, deadline: float) -> None:
        self._sock, self._limit, self._deadline = sock, limit, deadline
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

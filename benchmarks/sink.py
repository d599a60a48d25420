"""A local receiver that costs next to nothing: one thread on raw sockets.

    python -m benchmarks.sink PORT [SECONDS]

Takes SECONDS (default 0) for an answer, as a server far away does. Answers every POST with 200 and ``{}``, one below
``/v25.0/`` as Meta does. ``GET /`` answers how many POSTs there were.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque

PLAIN, META = b"{}", b'{"events_received":%d,"messages":[],"fbtrace_id":"A"}'


class Sink:
    """Counts what it is sent."""

    def __init__(self, port: int, seconds: float = 0.0) -> None:
        self.posts = 0
        self._seconds = seconds
        self._later: deque[tuple[float, socket.socket, bytes]] = deque()
        self._server = socket.create_server(("127.0.0.1", port), backlog=512)
        self._poll = select.epoll()
        self._poll.register(self._server, select.EPOLLIN)
        self._lines: dict[int, socket.socket] = {}
        self._half: dict[int, bytes] = {}

    def serve(self) -> None:
        while True:
            for number, _ in self._poll.poll(self._send_what_is_due()):
                if number == self._server.fileno():
                    self._accept()
                else:
                    self._read(number)

    def _send_what_is_due(self) -> float | None:
        """The seconds until more is due; None when nothing waits."""
        while self._later:
            left = self._later[0][0] - time.monotonic()
            if left > 0:
                return left
            _, line, answer = self._later.popleft()
            line.sendall(answer)
        return None

    def _accept(self) -> None:
        line, _ = self._server.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[line.fileno()] = line
        self._poll.register(line, select.EPOLLIN)

    def _read(self, number: int) -> None:
        try:
            part = self._lines[number].recv(1 << 20)
        except ConnectionError:
            part = b""
        if not part:
            self._poll.unregister(number)
            self._lines.pop(number).close()
            self._half.pop(number, None)
            return
        request = self._half.pop(number, b"") + part
        head, found, body = request.partition(b"\r\n\r\n")
        _, named, rest = head.lower().partition(b"content-length: ")
        if not found or (named and len(body) < int(rest.partition(b"\r")[0])):
            self._half[number] = request
            return
        answer = self._answer(head, body)
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            len(answer),
            answer,
        )
        if self._seconds:
            self._later.append((time.monotonic() + self._seconds, self._lines[number], whole))
        else:
            self._lines[number].sendall(whole)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET"):
            return b"%d" % self.posts
        self.posts += 1
        return META % body.count(b'"event_name"') if head.startswith(b"POST /v25.0/") else PLAIN


if __name__ == "__main__":
    Sink(int(sys.argv[1]), *map(float, sys.argv[2:3])).serve()

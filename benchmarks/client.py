"""A light load generator: kept-alive connections on raw sockets.

    python -m benchmarks.client webhooks|hits|mixed PORT PATH FIRST COUNT SECONDS CONNECTIONS [RATE]

Sends at most COUNT requests in at most SECONDS, each connection its next one when it has its answer; with a RATE, so many
a second and no more, each counted from when it was due. Without one, every request is made before the clock starts. Prints
one JSON object: requests, seconds, p50 and p99 (milliseconds), statuses.
"""

from __future__ import annotations

import itertools
import json
import math
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable

from benchmarks import messages


def main() -> None:
    kind, port, path, first, count, seconds, connections = sys.argv[1:8]
    rate = float(sys.argv[8]) if len(sys.argv) > 8 else 0.0
    made = itertools.islice(getattr(messages, kind)(path, int(first)), int(count))
    requests = made if rate else list(made)
    print(json.dumps(Load(requests, int(port), int(connections), rate).run(float(seconds))))


class Load:
    """One run over ``requests``, whole HTTP requests as bytes."""

    def __init__(self, requests: Iterable[bytes], port: int, connections: int, rate: float) -> None:
        self._requests = iter(requests)
        self._gap = 1 / rate if rate else 0.0
        self._due = 0.0  # when the next request is to be sent; those due at once are not waited for
        self._idle: deque[int] = deque()  # in turn: a server closes those that nobody uses
        self._poll = select.epoll()
        self._lines: dict[int, socket.socket] = {}
        self._sent_at: dict[int, float] = {}
        self._half: dict[int, bytes] = {}
        for _ in range(connections):
            line = socket.create_connection(("127.0.0.1", port))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines[line.fileno()] = line
            self._poll.register(line, select.EPOLLIN)

    def run(self, seconds: float) -> dict[str, object]:
        took: list[float] = []
        statuses: Counter[str] = Counter()
        began = time.monotonic()
        until = began + seconds
        self._idle, self._due = deque(self._lines), began
        self._send_due()
        while self._sent_at or self._due < until:
            for number, _ in self._poll.poll(
                max(0.0, self._due - time.monotonic()) if self._idle and self._gap else None
            ):
                answer = self._half.pop(number, b"") + self._lines[number].recv(65536)
                if not _whole(answer):
                    self._half[number] = answer
                    continue
                at = time.monotonic()
                took.append(at - self._sent_at.pop(number))
                statuses[answer[9:12].decode()] += 1
                self._idle.append(number)
            if time.monotonic() < until:
                self._send_due()
            else:
                self._due = until
        elapsed = time.monotonic() - began
        took.sort()
        return {
            "requests": len(took),
            "seconds": elapsed,
            "statuses": statuses,
            "p50": 1000 * took[len(took) // 2],
            "p99": 1000 * took[len(took) * 99 // 100],
        }

    def _send_due(self) -> None:
        """Send what is due, as far as there is a connection for it."""
        while self._idle and (not self._gap or self._due <= time.monotonic()):
            request = next(self._requests, None)
            if request is None:
                self._due = math.inf
                return
            number = self._idle.popleft()
            self._sent_at[number] = self._due if self._gap else time.monotonic()
            self._due += self._gap
            self._lines[number].sendall(request)


def _whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not answer:
        raise SystemExit("The server closed the connection.")
    if not found:
        return False
    _, named, rest = head.lower().partition(b"content-length: ")
    return not named or len(body) >= int(rest.partition(b"\r")[0])


if __name__ == "__main__":
    main()

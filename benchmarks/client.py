"""A light load generator: kept-alive connections on raw sockets, every request made before the clock starts.

    python -m benchmarks.client webhooks|hits PORT PATH FIRST COUNT SECONDS CONNECTIONS

Sends at most COUNT requests in at most SECONDS, each connection its next one when it has its answer. Prints one JSON
object: requests, seconds, p50 and p99 (milliseconds), statuses.
"""

from __future__ import annotations

import itertools
import json
import select
import socket
import sys
import time
from collections import Counter

from benchmarks import messages


def main() -> None:
    kind, port, path, first, count, seconds, connections = sys.argv[1:]
    made = getattr(messages, kind)(path, int(first))
    requests = list(itertools.islice(made, int(count)))
    print(json.dumps(Load(requests, int(port), int(connections)).run(float(seconds))))


class Load:
    """One run over ``requests``, whole HTTP requests as bytes."""

    def __init__(self, requests: list[bytes], port: int, connections: int) -> None:
        self._requests = iter(requests)
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
        for number in list(self._lines):
            self._next(number)
        while self._sent_at:
            for number, _ in self._poll.poll():
                answer = self._half.pop(number, b"") + self._lines[number].recv(65536)
                if not _whole(answer):
                    self._half[number] = answer
                    continue
                at = time.monotonic()
                took.append(at - self._sent_at.pop(number))
                statuses[answer[9:12].decode()] += 1
                if at < until:
                    self._next(number)
        elapsed = time.monotonic() - began
        took.sort()
        return {
            "requests": len(took),
            "seconds": elapsed,
            "statuses": statuses,
            "p50": 1000 * took[len(took) // 2],
            "p99": 1000 * took[len(took) * 99 // 100],
        }

    def _next(self, number: int) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._sent_at[number] = time.monotonic()
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

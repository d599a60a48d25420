"""Local receivers that count deliveries by order, and a shop that reports numbered sales like a real sender would."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

SECRET = "made-up-signing-secret-of-the-shop"
PATIENCE = 60.0  # seconds after which a sender gives a message up


class Receivers:
    """One server; each path is a receiver of its own. Counts the orders that reach each."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.silent: set[str] = set()  # names of receivers that do not answer any more
        self.held = 0
        self._first_after: tuple[float, float | None] = (0.0, None)
        self._lock = threading.Lock()
        outer = self

        class Endpoint(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.strip("/") in outer.silent:
                    outer.held += 1
                    time.sleep(120)
                outer._note(self.path, json.loads(body))
                self.send_response_only(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A sender that is killed breaks its connection off: nothing to tell."""

        self._server = Server(("127.0.0.1", 0), Endpoint)
        self._base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        """The address of a new receiver."""
        self.counts[f"/{name}"] = Counter()
        return f"{self._base}/{name}"

    def mark(self) -> None:
        """From here on, look out for the next delivery."""
        with self._lock:
            self._first_after = (time.monotonic(), None)

    @property
    def since_mark(self) -> float | None:
        """Seconds from the mark to the next delivery; None: there was none yet."""
        began, first = self._first_after
        return None if first is None else first - began

    def _note(self, path: str, body: Any) -> None:
        with self._lock:
            self.counts[path][body["data"]["order_id"]] += 1
            began, first = self._first_after
            if first is None:
                self._first_after = (began, time.monotonic())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def order_name(number: int) -> str:
    return f"S-{number:05d}"


def amount(number: int) -> Decimal:
    return Decimal(1000 + number * 7) / 100


class Shop:
    """Reports sales 0, 1, 2 … from several threads, and writes down which were acknowledged.

    Every fourth sale is reported by the thank-you page's pixel too, every tenth webhook is sent twice.
    """

    def __init__(self, port: int, address: str = "", *, threads: int = 4) -> None:
        self.address = address
        self.acknowledged: set[int] = set()
        self.given_up: set[int] = set()
        self.calls_repeated = 0
        self.slowest = 0.0  # seconds in which a call was answered
        self._port = port
        self._threads = threads
        self._lock = threading.Lock()
        self._next = 0

    @contextmanager
    def reporting(self, count: int, per_second: float) -> Iterator[None]:
        """Report ``count`` more sales while the block runs; the block ends when all are acknowledged or given up."""
        first, began = self._next, time.monotonic()

        def work() -> None:
            line = _Line(self._port)
            while (number := self._take(first + count)) is not None:
                time.sleep(max(0.0, began + (number - first) / per_second - time.monotonic()))
                self._report(line, number)
            line.close()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()

    def _take(self, end: int) -> int | None:
        with self._lock:
            if self._next == end:
                return None
            self._next += 1
            return self._next - 1

    def _report(self, line: _Line, number: int) -> None:
        hits = [("POST", f"/in/{self.address}", _sale(number))] * (2 if number % 10 == 0 else 1)
        if number % 4 == 0:
            hits.insert(number % 8 // 4, ("GET", _pixel(number), b""))
        for method, path, body in hits:
            tries, seconds = line.until_acknowledged(method, path, body)
            with self._lock:
                self.calls_repeated += max(tries - 1, 0)
                self.slowest = max(self.slowest, seconds)
                (self.acknowledged if tries else self.given_up).add(number)


class _Line:
    """A kept-alive connection that is opened anew when it breaks."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def until_acknowledged(self, method: str, path: str, body: bytes) -> tuple[int, float]:
        """The number of tries it took (0: given up), and the seconds of the last."""
        until, tries = time.monotonic() + PATIENCE, 0
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature": signature} if body else {}
        while time.monotonic() < until:
            tries, began = tries + 1, time.monotonic()
            try:
                self._connection.request(method, path, body or None, headers)
                response = self._connection.getresponse()
                response.read()
                if response.status == 200 and response.headers.get("X-Hub-Result", "recorded") == "recorded":
                    return tries, time.monotonic() - began
                assert response.status >= 500, f"{method} {path} was answered {response.status}"
            except (OSError, http.client.HTTPException):
                self._connection.close()
            time.sleep(0.2)
        return 0, 0.0

    def close(self) -> None:
        self._connection.close()


def _sale(number: int) -> bytes:
    sale = {
        "event_id": f"evt-{number}",
        "order_id": order_name(number),
        "amount": str(amount(number)),
        "currency": "EUR",
        "email": f"buyer{number % 500}@example.com",
    }
    return json.dumps(sale).encode()


def _pixel(number: int) -> str:
    fields = {"email": f"buyer{number % 500}@example.com", "orderId": order_name(number), "amount": amount(number)}
    return f"/v1/conversion/pixel/1?{urlencode({**fields, 'currency': 'EUR'})}"

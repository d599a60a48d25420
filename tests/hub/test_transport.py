"""What travels, on real sockets: connections are kept while they can be, and every kind of answer is read to its end."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from hub.outgoing.transport import GuardedAdapter
from mailbox_server import write_certificate

from hub.outgoing import guard
from hub.settings import settings

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Gives the answers of its script in turn, whatever it is asked. None hangs up first."""

    def __init__(self, *script: bytes | None, context: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.asked: list[bytes] = []
        self.left = threading.Event()
        self._script, self._context = list(script), context
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _run(self) -> None:
        while self._script:
            try:
                line, _ = self._server.accept()
                self.connections += 1
                if self._context is not None:
                    line = self._context.wrap_socket(line, server_side=True)
                with line:
                    self._talk(line)
                self.left.set()
            except OSError:
                continue

    def _talk(self, line: socket.socket) -> None:
        while self._script:
            if self._script[0] is None:
                self._script.pop(0)
                return
            request = b""
            while not request.endswith((b"\r\n\r\n", b"END")):
                part = line.recv(65536)
                if not part:
                    return
                request += part
            self.asked.append(request)
            answer = self._script.pop(0) or b""
            line.sendall(answer)
            if b"Content-Length" not in answer and b"chunked" not in answer:
                return


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(*script: bytes | None, context: ssl.SSLContext | None = None) -> Server:
        made.append(Server(*script, context=context))
        return made[-1]

    yield serve
    for one in made:
        one.close()


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardedAdapter]:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1")
    settings.cache_clear()
    made = GuardedAdapter(kept=2)
    yield made
    made.close()
    settings.cache_clear()


def ask(adapter: GuardedAdapter, url: str, body: bytes = b"END", most: int = 1000) -> tuple[requests.Response, bytes]:
    request = requests.Request("POST", url, data=body, headers={"X-Said": "é"}).prepare()
    response = adapter.send(request, timeout=2)
    try:
        return response, response.raw.read(most)
    finally:
        response.raw.release_conn()


def test_a_connection_serves_again_and_headers_leave_with_the_body(
    adapter: GuardedAdapter, serving: Callable[..., Server]
) -> None:
    server = serving(WHOLE, WHOLE, WHOLE)
    for path in ("/a%20b?c=d&e=%2F", "/à?q=é", "/"):
        response, body = ask(adapter, f"http://127.0.0.1:{server.port}{path}")
        assert (response.status_code, body) == (200, b"{}")
    assert server.connections == 1
    lines = [request.partition(b"\r\n")[0] for request in server.asked]
    assert lines == [b"POST /a%20b?c=d&e=%2F HTTP/1.1", b"POST /%C3%A0?q=%C3%A9 HTTP/1.1", b"POST / HTTP/1.1"]
    head, _, rest = server.asked[0].partition(b"\r\n\r\n")
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert (head.count(b"Content-Length: 3"), rest) == (1, b"END")


@pytest.mark.parametrize(
    ("answer", "body", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", b"{}", 2),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil it hangs up", b"until it hangs up", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, b"x" * 1000, 2),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n",
            b"x" * 1000,
            2,
        ),
    ],
)
def test_an_answer_is_read_to_its_end_and_its_connection_kept_if_it_can_be(
    adapter: GuardedAdapter, serving: Callable[..., Server], answer: bytes, body: bytes, connections: int
) -> None:
    server = serving(answer, WHOLE)
    assert ask(adapter, f"http://127.0.0.1:{server.port}/")[1] == body
    assert ask(adapter, f"http://127.0.0.1:{server.port}/")[1] == b"{}"
    assert server.connections == connections


def test_a_connection_that_the_server_left_is_not_used_again(
    adapter: GuardedAdapter, serving: Callable[..., Server]
) -> None:
    server = serving(WHOLE, None, WHOLE)
    assert ask(adapter, f"http://127.0.0.1:{server.port}/")[1] == b"{}"
    assert server.left.wait(5)
    assert ask(adapter, f"http://127.0.0.1:{server.port}/")[1] == b"{}"
    assert server.connections == 2


def test_a_header_that_comes_twice_is_kept_twice(adapter: GuardedAdapter, serving: Callable[..., Server]) -> None:
    server = serving(b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\n{}")
    response, _ = ask(adapter, f"http://127.0.0.1:{server.port}/")
    assert [value for name, value in response.headers.items() if name == "X-Two"] == ["1", "2"]


def test_only_a_server_that_proves_its_name_is_talked_to(
    adapter: GuardedAdapter, serving: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "server.pem"
    write_certificate(certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = serving(WHOLE, context=context)
    guard.tls_context.cache_clear()
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(adapter, f"https://127.0.0.1:{server.port}/")
    assert server.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    guard.tls_context.cache_clear()
    assert ask(adapter, f"https://127.0.0.1:{server.port}/")[1] == b"{}"
    guard.tls_context.cache_clear()

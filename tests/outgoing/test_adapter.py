"""What travels, on real sockets: connections are kept while they can be, and every kind of answer is read to its end."""

from __future__ import annotations

import os
import socket

import pytest
import requests
from outgoing.receivers import WHOLE, Receive, answering, read_request

from hub.outgoing import adapter as adapters
from hub.outgoing import curl
from hub.outgoing.adapter import GuardedAdapter


def ask(adapter: GuardedAdapter, url: str, body: bytes = b"END", method: str = "POST") -> requests.Response:
    request = requests.Request(method, url, data=body, headers={"X-Said": "é"}).prepare()
    request.url = url
    return adapter.send(request, timeout=2)


def test_a_connection_serves_again_and_headers_leave_with_the_body(adapter: GuardedAdapter, receive: Receive) -> None:
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, WHOLE, WHOLE, asked=asked))
    for path in ("a%20b?c=d&e=%2F", "à/../?q=é", ""):
        response = ask(adapter, f"{receiver.url}{path}")
        assert (response.status_code, response.content) == (200, b"{}")
    assert receiver.connections == 1
    lines = [request.partition(b"\r\n")[0] for request in asked]
    assert lines == [b"POST /a%20b?c=d&e=%2F HTTP/1.1", b"POST /%C3%A0/../?q=%C3%A9 HTTP/1.1", b"POST / HTTP/1.1"]
    head, _, rest = asked[0].partition(b"\r\n\r\n")
    assert f"Host: 127.0.0.1:{receiver.port}".encode() in head
    assert (head.count(b"Content-Length: 3"), rest) == (1, b"END")
    assert "X-Said: é".encode("latin-1") in head


def test_nothing_is_added_that_nobody_asked_for(adapter: GuardedAdapter, receive: Receive) -> None:
    """Not Expect, which costs a second of waiting; not the content type of a form."""
    asked: list[bytes] = []
    receiver = receive(answering(WHOLE, WHOLE, WHOLE, asked=asked))
    ask(adapter, receiver.url, b"x" * 2_000_000)
    ask(adapter, receiver.url, b"", "DELETE")
    ask(adapter, receiver.url, b"", "PUT")
    heads = [request.partition(b"\r\n\r\n")[0].lower() for request in asked]
    assert not [head for head in heads if b"expect" in head or b"content-type" in head]
    assert [b"content-length: 2000000" in heads[0], b"content-length" in heads[1]] == [True, False]
    assert (heads[1][:6], heads[2][:3], b"content-length: 0" in heads[2]) == (b"delete", b"put", True)
    assert len(asked[0].partition(b"\r\n\r\n")[2]) == 2_000_000


LONG = curl.LONGEST_ANSWER


@pytest.mark.parametrize(
    ("answer", "body", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", b"{}", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LONG * 2) + b"x" * LONG * 2, b"x" * LONG, 2),
    ],
    ids=["chunked", "empty", "no content", "continue", "close", "old", "long"],
)
def test_an_answer_is_read_to_its_end_and_its_connection_kept_if_it_can_be(
    adapter: GuardedAdapter, receive: Receive, answer: bytes, body: bytes, connections: int
) -> None:
    receiver = receive(answering(answer, WHOLE))
    assert ask(adapter, receiver.url).content == body
    assert ask(adapter, receiver.url).status_code == 200
    assert receiver.connections == connections


def test_an_answer_without_a_length_ends_with_its_connection(adapter: GuardedAdapter, receive: Receive) -> None:
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\n\r\nuntil it hangs up"))
    assert ask(adapter, receiver.url).content == b"until it hangs up"


def test_a_connection_that_the_server_left_is_not_used_again(adapter: GuardedAdapter, receive: Receive) -> None:
    receiver = receive(answering(WHOLE))
    assert ask(adapter, receiver.url).content == b"{}"
    assert receiver.done.wait(5)
    assert ask(adapter, receiver.url).content == b"{}"
    assert receiver.connections == 2


def test_a_header_that_comes_twice_is_kept_twice(adapter: GuardedAdapter, receive: Receive) -> None:
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\n{}"))
    assert ask(adapter, receiver.url).headers["X-Two"] == "1,2"


def test_a_forked_worker_leaves_its_parents_connections_alone(adapter: GuardedAdapter, receive: Receive) -> None:
    asked: list[bytes] = []

    def behave(line: socket.socket) -> None:
        while request := read_request(line):
            asked.append(request)
            line.sendall(WHOLE)

    receiver = receive(behave)
    ask(adapter, receiver.url, b"parent")
    child = os.fork()
    if child == 0:
        try:
            ask(adapter, receiver.url, b"child")
            adapter.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ask(adapter, receiver.url, b"parent again")
    assert [request.partition(b"\r\n\r\n")[2] for request in asked] == [b"parent", b"child", b"parent again"]
    assert receiver.connections == 2  # the child's own, and the parent's, kept


def test_idle_connections_are_few_whatever_is_called(
    adapter: GuardedAdapter, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "MOST_IDLE", 2)
    receivers = [receive(answering(WHOLE, WHOLE)) for _ in range(4)]
    for receiver in receivers:
        ask(adapter, receiver.url)
    assert sum(map(len, adapter._idle.values())) == 2
    for receiver in reversed(receivers):
        ask(adapter, receiver.url)
    assert [receiver.connections for receiver in receivers] == [2, 2, 1, 1]

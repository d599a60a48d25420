"""HTTP/2, where a server offers it: one connection carries many requests at once."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import h2.config
import h2.connection
import h2.events
import requests
from outgoing.receivers import Ask, Authority, Behave, Receive

from hub.outgoing.at_once import AtOnce


def test_http_2_where_the_server_has_it(ask: Ask, receive: Receive, authority: Authority) -> None:
    context = authority.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    heard: list[dict[bytes, bytes]] = []
    receiver = receive(speaking_http_2(heard), context)
    for _ in range(2):
        response = ask(receiver.url, b'{"sale": 1}')
        assert (response.status_code, response.content) == (201, b'{"sale": 1}')
        assert response.headers["x-version"] == "2"
    assert receiver.connections == 1
    assert [one[b":method"] for one in heard] == [b"POST", b"POST"]


def test_many_requests_share_one_http_2_connection(at_once: AtOnce, receive: Receive, authority: Authority) -> None:
    context = authority.context()
    context.set_alpn_protocols(["h2"])
    receiver = receive(speaking_http_2([]), context)
    found: dict[int, Any] = {}
    for several in ([0], range(1, 10)):  # once it is known that the server speaks HTTP/2
        for number in several:
            request = requests.Request("POST", receiver.url, data=str(number)).prepare()
            at_once.start(request, 5, number)
        while len(found) <= several[-1]:
            found |= dict(at_once.finished(5))
    assert {number: answer.content for number, answer in found.items()} == {n: str(n).encode() for n in range(10)}
    assert receiver.connections == 1


def speaking_http_2(heard: list[dict[bytes, bytes]]) -> Behave:
    """Answers with what it was sent."""

    def behave(line: socket.socket) -> None:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        talk.initiate_connection()
        bodies: dict[int, bytes] = {}
        line.sendall(talk.data_to_send())
        with suppress(OSError):
            while part := line.recv(65536):
                for event in talk.receive_data(part):
                    if isinstance(event, h2.events.RequestReceived):
                        heard.append(dict(event.headers))
                        bodies[event.stream_id] = b""
                    elif isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        talk.send_headers(event.stream_id, [(":status", "201"), ("x-version", "2")])
                        talk.send_data(event.stream_id, bodies.pop(event.stream_id), end_stream=True)
                line.sendall(talk.data_to_send())

    return behave

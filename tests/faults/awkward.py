"""A receiver on bare sockets that takes a delivery and then behaves as told."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable

Behavior = Callable[[socket.socket], None]
BOMB = gzip.compress(bytes(50_000_000))


class AwkwardReceiver:
    """Reads one request of each connection, then lets ``behaviors`` (the last one for ever) answer it."""

    def __init__(self, *behaviors: Behavior) -> None:
        self.requests = 0
        self._behaviors = list(behaviors)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                if _read_request(connection):
                    behave = self._behaviors.pop(0) if len(self._behaviors) > 1 else self._behaviors[0]
                    self.requests += 1
                    behave(connection)
        except OSError:
            return  # the hub hung up, as it should


def answering(status: int, **headers: str) -> Behavior:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    told = "\r\n".join([*lines, "Content-Length: 2", "Connection: close", "", "{}"]).encode()
    return lambda connection: connection.sendall(told)


def silent(connection: socket.socket) -> None:
    time.sleep(60)


def drips_headers(connection: socket.socket) -> None:
    _drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X-Filler: filler\r\n" * 1000)


def drips_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    _drip(connection, b"x" * 100000)


def stalls_in_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    time.sleep(60)


def breaks_off_in_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def speaks_no_http(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")


def answers_at_length(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10_000_000)


def never_ends(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def sends_a_gzip_bomb(connection: socket.socket) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    connection.sendall(head.encode() + BOMB)


def _drip(connection: socket.socket, data: bytes) -> None:
    for place in range(len(data)):
        connection.sendall(data[place : place + 1])
        time.sleep(0.1)


def _read_request(connection: socket.socket) -> bool:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return False
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return True

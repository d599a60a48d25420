"""Receivers on real sockets, good and bad, and an authority that can vouch for them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Receive = Callable[..., "Receiver"]
Ask = Callable[..., requests.Response]
Behave = Callable[[socket.socket], None]


class Receiver:
    """Lets ``behave`` loose on each connection, in a thread of its own."""

    def __init__(self, behave: Behave, context: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.done = threading.Event()
        self._behave, self._context = behave, context
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            line.settimeout(20)
            if self._context is not None:
                line = self._context.wrap_socket(line, server_side=True)
            with line:
                self._behave(line)
        self.done.set()


def read_request(line: socket.socket) -> bytes:
    """One request with its body. Empty when the client hung up."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = line.recv(65536)
        if not part:
            return b""
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    _, named, rest = head.lower().partition(b"content-length: ")
    missing = int(rest.partition(b"\r")[0]) - len(body) if named else 0
    while missing > 0:
        part = line.recv(min(missing, 65536))
        if not part:
            return b""
        request, missing = request + part, missing - len(part)
    return request


def answering(*answers: bytes, asked: list[bytes] | None = None) -> Behave:
    """Gives these answers in turn on every connection, then hangs up."""

    def behave(line: socket.socket) -> None:
        for answer in answers:
            request = read_request(line)
            if not request:
                return
            if asked is not None:
                asked.append(request)
            line.sendall(answer)

    return behave


def after_request(*parts: bytes, pause: float = 0.0) -> Behave:
    """Reads one request, sends these parts, and hangs up. ``pause`` (seconds) follows each part."""

    def behave(line: socket.socket) -> None:
        read_request(line)
        for part in parts:
            line.sendall(part)
            time.sleep(pause)

    return behave


class Authority:
    """Vouches for servers."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The test's authority")])
        self.file = folder / "authority.pem"
        made = self._certificate(self._name, self._key.public_key(), 1).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, name: str = "127.0.0.1", *, days: int = 1) -> ssl.SSLContext:
        """A server's side of TLS, with a certificate for ``name`` that ends in ``days``."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        with suppress(ValueError):
            names = [x509.IPAddress(ip_address(name))]
        made = (
            self._certificate(x509.Name([]), key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{name}.pem"
        file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context

    def _certificate(self, subject: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
        )

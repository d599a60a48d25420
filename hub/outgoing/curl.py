"""One request over libcurl: what it is told, what it may connect to, how much it may answer, how it fails.

libcurl (https://curl.se/libcurl/c/) comes with pycurl's wheels. Its limits are set here: the address guard where a socket
is opened, http and https only, no redirects, TLS 1.2 or later verified against certifi, an end to every answer.
Why libcurl: docs/decisions/0013-why-pycurl.md.
"""

from __future__ import annotations

import os
import re
import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import certifi
import idna
import pycurl
from requests import PreparedRequest, Response
from requests.exceptions import (
    ConnectionError,  # noqa: A004 - requests' own, the base of what follows
    ConnectTimeout,
    ContentDecodingError,
    InvalidURL,
    ReadTimeout,
    RequestException,
    SSLError,
)
from requests.utils import requote_uri

from hub.contract.inbound import Headers
from hub.outgoing.guard import AddressRefused, check_for_proxy, may_call
from hub.settings import settings

IN_ALL = 2
"""How many times its time limit a call may take in all: looking up the name, connecting, sending and the answer."""
LONGEST_ANSWER = 128 * 1024  # bytes kept of an answer
LONGEST_LIST = 4 * 1024 * 1024  # bytes kept of an answer to a GET


class NotConnected(ConnectionError):
    """No connection was made, so nothing was sent."""


class NameNotFound(NotConnected):
    """The host's name leads to no address."""


class BadCertificate(SSLError):
    """The server did not prove its name. Nothing was sent."""


class Target(NamedTuple):
    """Where an address leads: ``origin`` names the server, ``url`` is what libcurl is given."""

    origin: str
    url: str
    host: str
    port: int


@lru_cache(maxsize=1024)
def target(url: str) -> Target:
    """Read ``url`` once, so that libcurl cannot read another host in it than we do. Raises InvalidURL or UnicodeError."""
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port
    if not name.isascii():
        name = idna.encode(name, uts46=True).decode()  # IDNA 2008, RFC 5891
    if ":" in name:
        name = f"[{name}]"
    elif not _HOST.fullmatch(name):
        raise InvalidURL(f"{name[:100]!r} is no host name")
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")
    path = requote_uri((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return Target(origin, origin + path, name.strip("[]"), port or (443 if parts.scheme == "https" else 80))


_HOST = re.compile(r"[A-Za-z0-9._-]+")


def longest(request: PreparedRequest) -> int:
    """The bytes that are kept of this request's answer."""
    return LONGEST_LIST if request.method == "GET" else LONGEST_ANSWER


class Transfer:
    """A libcurl handle, for one request after the other. It keeps its connections between them."""

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self._lines: list[bytes] = []
        self._parts: list[bytes] = []
        self._size = self._most = 0
        self._silence = self._since = self._moved = 0.0
        self._refused = ""
        self._proxied = bool(settings().outgoing_proxy)
        self._request = PreparedRequest()
        for option, value in _always(settings().outgoing_proxy):
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._keep)
        if not self._proxied:
            self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    def close(self) -> None:
        """Let go of its connections."""
        self.curl.close()

    def load(self, request: PreparedRequest, timeout: float, most: int) -> None:
        """Get ready for ``request``. Of its answer the first ``most`` bytes are kept, after decompression.

        ``timeout`` (seconds) holds for looking up and connecting, and for each silence of the other side; a call ends
        after IN_ALL times as long. Raises InvalidURL, UnicodeError, and AddressRefused before a proxy is asked.
        """
        where = target(request.url or "")
        if self._proxied:
            check_for_proxy(where.host, where.port)
        self._request, self._most, self._size, self._refused = request, most, 0, ""
        self._lines.clear()
        self._parts.clear()
        curl, method, body = self.curl, request.method or "", cast(bytes, request.body or b"")
        has_body = bool(body) or method in ("POST", "PUT", "PATCH")
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif has_body:
            curl.setopt(pycurl.POSTFIELDS, body)
        else:
            curl.setopt(pycurl.HTTPGET, 1)
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.setopt(pycurl.URL, where.url)
        curl.setopt(pycurl.HTTPHEADER, _header_lines(request, has_body))
        milliseconds = max(int(timeout * 1000), 1)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds)
        curl.setopt(pycurl.TIMEOUT_MS, IN_ALL * milliseconds)
        self._silence, self._moved, self._since = timeout, 0.0, time.monotonic()

    def answer(self) -> Response:
        """The answer that came, as ``requests`` has it, its body read. Raises ConnectionError when its headers do not end."""
        response = Response()
        response.status_code = self.curl.getinfo(pycurl.RESPONSE_CODE)
        response.headers = cast(Any, Headers(_last_headers(self._lines)))
        response.request, response.url = self._request, self._request.url or ""
        response._content = b"".join(self._parts)
        self._parts.clear()
        return response

    def is_silent(self) -> bool:
        """Whether nothing was sent or came for as long as its time limit. To be asked every second or so."""
        moved = self.curl.getinfo(pycurl.SIZE_UPLOAD_T) + self.curl.getinfo(pycurl.SIZE_DOWNLOAD_T)
        if moved != self._moved:
            self._moved, self._since = moved, time.monotonic()
        return time.monotonic() - self._since > self._silence

    def failed(self, code: int, said: str) -> Response:
        """The answer, where it counts all the same, for libcurl's error ``code``.

        Raises AddressRefused, NotConnected, NameNotFound, BadCertificate, SSLError and ConnectTimeout when nothing was
        sent; ReadTimeout, ContentDecodingError and ConnectionError when the request may have arrived.
        """
        if code == pycurl.E_WRITE_ERROR and self._size >= self._most:
            return self.answer()  # we stopped reading
        if code in _BROKE_OFF and self.curl.getinfo(pycurl.RESPONSE_CODE) >= 400:
            return self.answer()  # refused, and hung up, while we were still sending
        if self._refused:
            raise AddressRefused(self._refused)
        raise _error(code, said, sent=self.curl.getinfo(pycurl.REQUEST_SIZE) > 0)

    def _keep(self, part: bytes) -> int:
        room = self._most - self._size
        self._size += len(part)
        self._parts.append(part if len(part) <= room else part[:room])
        return len(part) if self._size < self._most else 0

    def _open(self, _purpose: int, address: Any) -> Any:
        """The address guard: libcurl connects to ``address`` next, whatever name led there."""
        host, port = _text(address.addr[0]), int(address.addr[1])
        if not may_call(host, port):
            self._refused = target(self._request.url or "").host
            return pycurl.SOCKET_BAD
        self._refused = ""
        return new_socket(address)


def new_socket(address: Any) -> socket.socket:
    """A socket that libcurl connects to ``address``, and closes."""
    return _Lent(address.family, address.socktype, address.protocol)


class _Lent(socket.socket):
    """pycurl goes on with a copy of its number: this one is closed without a warning as soon as nobody holds it."""

    def __del__(self) -> None:
        self.close()


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _always(proxy: str) -> list[tuple[int, Any]]:
    """What holds for every request. ``proxy`` is the owner's; those of the environment are not asked."""
    certificates = authorities()
    return [
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.PROXY, proxy),
        (pycurl.NOPROXY, ""),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        (pycurl.CAINFO_BLOB, certificates) if isinstance(certificates, bytes) else (pycurl.CAINFO, certificates),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
        (pycurl.ACCEPT_ENCODING, ""),  # all that libcurl can undo
        (pycurl.TCP_KEEPALIVE, 1),
    ]


@lru_cache(maxsize=1)
def authorities() -> str | bytes:
    """Who may vouch for a server: certifi's file; with SSL_CERT_FILE (an owner's own authority) the two in one."""
    extra = os.environ.get("SSL_CERT_FILE", "")
    if not extra:
        return certifi.where()
    return Path(certifi.where()).read_bytes() + b"\n" + Path(extra).read_bytes()


def _header_lines(request: PreparedRequest, has_body: bool) -> list[bytes]:
    """The request's headers, without those that libcurl would add by itself."""
    lines = [
        (f"{name}: {value}" if value else f"{name};").encode("latin-1")
        for name, value in request.headers.items()
        if name.lower() != "content-length"  # libcurl counts
    ]
    lines.append(b"Expect:")
    if has_body and "Content-Type" not in request.headers:
        lines.append(b"Content-Type:")
    return lines


def _last_headers(lines: list[bytes]) -> list[tuple[str, str]]:
    """The headers of the final answer: after those of 1xx answers and of a proxy, without what follows the body."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in lines:
        if line.startswith(b"HTTP/"):
            found, inside = [], True
        elif not line.strip():
            inside = False
        elif inside:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                found.append((name.strip(), value.strip()))
    if inside:
        raise ConnectionError("The answer ended within its headers")  # libcurl takes that for an answer
    return found


_BROKE_OFF = (pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR)


def _error(code: int, said: str, *, sent: bool) -> RequestException:
    kind: type[RequestException] = _KINDS.get(code, ConnectionError)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        kind = ReadTimeout if sent else ConnectTimeout
    return kind(f"{said} (libcurl {code})")


_KINDS: dict[int, type[RequestException]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: NameNotFound,
    pycurl.E_COULDNT_RESOLVE_PROXY: NameNotFound,
    pycurl.E_COULDNT_CONNECT: NotConnected,
    pycurl.E_PEER_FAILED_VERIFICATION: BadCertificate,
    pycurl.E_SSL_CONNECT_ERROR: SSLError,
    pycurl.E_SSL_CIPHER: SSLError,
    pycurl.E_URL_MALFORMAT: InvalidURL,
    pycurl.E_UNSUPPORTED_PROTOCOL: InvalidURL,
    pycurl.E_BAD_CONTENT_ENCODING: ContentDecodingError,
}

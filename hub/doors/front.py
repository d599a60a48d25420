"""The doors that machines call by the thousand, answered in front of Flask: webhooks and pixels.

Flask's own work for a request (contexts, session, routing) costs more than all of a door's work; the figures are in
docs/decisions/0008-why-do-two-doors-stand-before-flask.md. Everything else goes on to Flask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES, parse_cookie
from werkzeug.wsgi import get_content_length, get_input_stream

from hub.contract.inbound import Headers, Inbound
from hub.doors.intake import NEW_VISITOR, VISITOR_COOKIE, Hub
from hub.store.inbound import TEST_SALE

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class Answer:
    """What a door says. The length is added by the front."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


class Arrival:
    """One request at a door (PEP 3333)."""

    __slots__ = ("_environ", "method", "path", "query")

    def __init__(self, environ: Environ) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        self.query: str = environ.get("QUERY_STRING", "")

    @property
    def is_secure(self) -> bool:
        return bool(self._environ["wsgi.url_scheme"] == "https")

    @property
    def length(self) -> str:
        """The length of the body as it was announced; empty when it was not."""
        return str(self._environ.get("CONTENT_LENGTH") or "")

    def body(self, most: int) -> bytes:
        """All of the body. Raises werkzeug's RequestEntityTooLarge (more than ``most`` bytes) and ClientDisconnected."""
        length = get_content_length(self._environ)
        if length is None:
            if self._environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and "HTTP_TRANSFER_ENCODING" not in self._environ:
                return b""  # neither a length nor chunks: there is no body (RFC 9112, section 6.3)
            return get_input_stream(self._environ, max_content_length=most).read()
        if length > most:
            raise RequestEntityTooLarge
        return self._read(length)

    def _read(self, length: int) -> bytes:
        """As get_input_stream does, in one piece: its buffers cost more than the reading."""
        body = b""
        try:
            while len(body) < length:
                more = self._environ["wsgi.input"].read(length - len(body))
                if not more:
                    raise ClientDisconnected
                body += more
        except (OSError, ValueError) as error:
            raise ClientDisconnected from error
        return body

    def message(self, url: str, body: bytes, at: datetime) -> Inbound:
        """The request as an Inbound. Of cookies only our own visitor id is looked at."""
        return Inbound(
            body=body,
            headers=self._headers(),
            received_at=at,
            method=self.method,
            path=self.path,
            query=self.query,
            url=url,
            remote_ip=self._environ.get("REMOTE_ADDR") or "",
        )

    def _headers(self) -> Headers:
        found = {name: value for key, value in self._environ.items() if value and (name := _header(key))}
        found.pop(NEW_VISITOR, None)
        found.pop(TEST_SALE, None)
        if TEST_SALE in self._environ:  # a header would be HTTP_X_HUB_TEST_SALE: this was set by the hub itself
            found[TEST_SALE] = self._environ[TEST_SALE]
        if "cookie" in found:
            visitor = parse_cookie(found.pop("cookie")).get(VISITOR_COOKIE)
            if visitor:
                found["cookie"] = f"{VISITOR_COOKIE}={visitor[:100]}"
        return Headers(found)


@lru_cache(maxsize=1024)
def _header(key: str) -> str:
    """The header behind a key of the environ: HTTP_USER_AGENT → user-agent. Empty: there is none behind it."""
    is_header = key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    return key.removeprefix("HTTP_").replace("_", "-").lower() if is_header else ""


Door = Callable[[Hub, Arrival, str], Answer]
"""A door is given the last part of the path: the address, or the number. It answers whatever happens."""


class Front:
    """WSGI middleware: ``doors`` by their path without its last part; ``behind`` is the rest of the application."""

    def __init__(self, hub: Hub, doors: dict[str, Door], behind: Wsgi) -> None:
        self._hub = hub
        self._doors = doors
        self._behind = behind

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        before, _, last = path.rpartition("/")
        door = self._doors.get(before) or self._doors.get(path)
        if door is None:
            return self._behind(environ, start_response)
        arrival = Arrival(environ)
        answer = door(self._hub, arrival, last)
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {HTTP_STATUS_CODES[answer.status]}", headers)
        return [b"" if arrival.method == "HEAD" else answer.body]

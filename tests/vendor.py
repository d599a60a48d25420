"""A platform on this machine, over real HTTP: people grant access at /authorize, tokens come from /token, /api wants one.

It checks what a careful platform checks: the client, the redirect address, PKCE, codes used once, and refresh tokens that
rotate, where a second use of one ends the whole grant (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

CLIENT, SECRET = "client-7", "s3cret/with+odd=signs"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@dataclass
class Vendor:
    """What the platform knows, and how it is to behave."""

    redirect_uri: str = ""
    life: float | None = 3600  # seconds, of an access token
    rotates: bool = True
    slowness: float = 0.0  # seconds that /token takes
    troubles: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # what /token answers instead, once each
    more: dict[str, Any] = field(default_factory=lambda: {"account": "acme"})  # beside the tokens
    asked: list[dict[str, str]] = field(default_factory=list)  # every form that /token was sent
    authorized: list[dict[str, str]] = field(default_factory=list)  # every query that /authorize was sent
    received: list[tuple[str, Any]] = field(default_factory=list)  # (Authorization, body) that /api took
    refused: int = 0  # calls of /api without a live token
    ended: bool = False  # the person withdrew the grant
    url: str = ""

    def __post_init__(self) -> None:
        self._codes: dict[str, dict[str, str]] = {}
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._lock = threading.Lock()

    @property
    def refreshes(self) -> int:
        """How often /token was asked to renew."""
        return sum(form.get("grant_type") == "refresh_token" for form in self.asked)

    def expire_access_tokens(self) -> None:
        """Every access token given so far is worth nothing from now on, whatever was said of its life."""
        self._access.clear()

    def issue(self) -> dict[str, Any]:
        """A token answer, as if somebody had just granted access."""
        access, refresh = f"at-{secrets.token_hex(8)}", f"rt-{secrets.token_hex(8)}"
        self._access[access] = time.time() + (self.life or 10**9)
        self._refresh.add(refresh)
        told: dict[str, Any] = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
        return told | ({"expires_in": self.life} if self.life else {}) | self.more

    # -- what it answers -------------------------------------------------------------------------------------------

    def authorize(self, query: dict[str, str]) -> str:
        """The address that the person's browser is sent back to."""
        self.authorized.append(query)
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code")
        assert query["redirect_uri"] == self.redirect_uri
        assert len(query["state"]) >= 32
        assert query["code_challenge_method"] == "S256"
        code = f"code-{secrets.token_hex(8)}"
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.asked.append(form)
            if self.troubles:
                return self.troubles.pop(0)
        time.sleep(self.slowness)
        with self._lock:
            if self._client(form, authorization) != (CLIENT, SECRET):
                return 401, {"error": "invalid_client", "error_description": "No such client."}
            if form["grant_type"] == "authorization_code":
                return self._exchange(form)
            if form["grant_type"] == "refresh_token":
                return self._renew(form["refresh_token"])
            return 200, self.issue()

    def api(self, authorization: str, body: bytes) -> int:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or self._access.get(token, 0) < time.time():
            self.refused += 1
            return 401
        self.received.append((authorization, json.loads(body) if body else None))
        return 200

    def _client(self, form: dict[str, str], authorization: str) -> tuple[str, ...]:
        if authorization.startswith("Basic "):
            return tuple(base64.b64decode(authorization[6:]).decode().split(":", 1))
        return form.get("client_id", ""), form.get("client_secret", "")

    def _exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        query = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or form["redirect_uri"] != query["redirect_uri"] or challenge != query["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "The code is not valid."}
        self.ended = False
        return 200, self.issue()

    def _renew(self, refresh: str) -> tuple[int, dict[str, Any]]:
        if refresh not in self._refresh or self.ended:
            self._refresh.clear()  # used twice, it may be stolen: nothing of this grant counts any more
            self._access.clear()
            return 400, {"error": "invalid_grant", "error_description": f"Token {refresh} was revoked."}
        told = self.issue()
        if self.rotates:
            self._refresh.discard(refresh)
        else:
            del told["refresh_token"]
        return 200, told


@contextmanager
def vendor(**behavior: Any) -> Iterator[Vendor]:
    """A platform that answers until the block ends."""
    made = Vendor(**behavior)
    server = _Server(("127.0.0.1", 0), _endpoint(made))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _endpoint(platform: Vendor) -> type[BaseHTTPRequestHandler]:
    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self._answer(302, {}, location=platform.authorize(dict(parse_qsl(parts.query))))
            else:
                self._answer(platform.api(self.headers.get("Authorization", ""), b""), {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            authorization = self.headers.get("Authorization", "")
            if self.path == "/token":
                self._answer(*platform.token(dict(parse_qsl(body.decode(), strict_parsing=True)), authorization))
            else:
                self._answer(platform.api(authorization, body), {})

        def _answer(self, status: int, told: dict[str, Any], location: str = "") -> None:
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Endpoint

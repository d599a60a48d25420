"""The only place that calls out. One owner of time limits, the address guard, authentication and redaction.

``requests`` is used lean: one guarded adapter with kept-alive connections, requests prepared by hand, redirects off, no
environment proxies (measured: benchmarks/deliveries.py).
"""

from __future__ import annotations

import atexit
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from hub.connecting.connected import Connected
from hub.connecting.masking import Mask, mask_for
from hub.contract.auth import SignedBody
from hub.contract.calls import Call, Outcome, Recipe, Reply, with_params
from hub.contract.errors import DeliveryError, Refused, TryLater
from hub.contract.inbound import Headers
from hub.outgoing.answers import by_status, judge
from hub.outgoing.grants import Ask, authorize, renewed
from hub.outgoing.guard import AddressRefused, check_url
from hub.outgoing.mail import Post
from hub.outgoing.transport import GuardedAdapter
from hub.toolkit.signing import sign_standard

LONGEST_REPLY = 128 * 1024  # bytes kept of an answer
LONGEST_LIST = 4 * 1024 * 1024  # bytes kept of an answer to a GET
KEPT_TEXT = 4000  # characters of a body kept for people to read
USER_AGENT = "ConversionHub/0.1 (+https://github.com/conversion-hub)"


@dataclass(slots=True)
class Talk:
    """What one recipe said and heard, as it will be shown: secrets masked, bodies cut."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    verdict: Outcome | None = None  # what the destination's judge made of the latest answer, if it said anything


class Sender:
    """Kept-alive connections for one purpose (a lane, a check). Safe to use from several threads."""

    def __init__(self, *, connections: int = 8) -> None:
        self._adapter = GuardedAdapter(kept=connections)
        self._good_urls: set[str] = set()
        self._masks: dict[str, tuple[Any, Mask]] = {}
        self._post = Post()

    def close(self) -> None:
        self._adapter.close()
        self._post.close()

    def run(self, connected: Connected, recipe: Recipe, talk: Talk | None = None) -> Any:
        """Drive ``recipe`` to its end and return its result. DeliveryErrors it does not catch come out here.

        A destination's answers pass through its ``judge``; what it says of the last one is left in ``talk``.
        """
        is_destination = connected.row["role"] == "destination"
        mask: Mask = self._mask_of(connected) if talk is not None else str
        answer: Reply | DeliveryError | None = None
        while True:
            try:
                call = recipe.throw(answer) if isinstance(answer, DeliveryError) else recipe.send(answer)  # type: ignore[arg-type]  # the first send takes None
            except StopIteration as end:
                return end.value
            try:
                answer = self._ask(call, connected, talk, mask)
                if is_destination:
                    verdict = judge(connected.destination, answer, datetime.now(UTC))
                    if talk is not None:
                        talk.verdict = verdict
                elif not answer.ok:
                    answer = by_status(answer, datetime.now(UTC))
            except DeliveryError as error:
                answer = error

    def _mask_of(self, connected: Connected) -> Mask:
        known = self._masks.get(connected.id)
        if known is None or known[0] is not connected.settings:
            known = self._masks[connected.id] = (connected.settings, mask_for(connected.connector, connected.settings))
        return known[1]

    def _ask(self, call: Call, connected: Connected, talk: Talk | None, mask: Mask) -> Reply:
        key = (connected.id, call.method, call.url) if call.cache_seconds else None
        if key is not None:
            kept = _cache.get(key)
            if kept is not None and kept[0] > time.monotonic():
                return kept[1]
        body, content_type = call.content()
        entry: dict[str, Any] = {}
        if talk is not None:
            entry = {"call": _shown_call(call, body, mask), "reply": None}
            talk.calls.append(entry)
        began = time.monotonic()
        try:
            is_mail = call.method == "MAIL"
            reply = self._post.send(call, connected) if is_mail else self._send(call, body, content_type, connected)
        except DeliveryError as error:
            entry["error"] = mask(f"{error.message} {error.detail}".strip())
            raise
        finally:
            if talk is not None:
                talk.seconds += time.monotonic() - began
        if talk is not None:
            entry["reply"] = _shown_reply(reply, mask)
        if key is not None and reply.ok:
            _cache[key] = (time.monotonic() + call.cache_seconds, reply)
        return reply

    def asker(self, connected: Connected) -> Ask:
        """Sends a call for ``connected`` as it is, without writing it down: for tokens, which nobody may read."""
        return lambda call: self._send(call, *call.content(), connected)

    def _send(
        self, call: Call, body: bytes, content_type: str | None, connected: Connected, again: bool = False
    ) -> Reply:
        request = self._prepare(call, body, content_type, connected)
        try:
            response = self._adapter.send(request, timeout=call.timeout)
            try:
                content = _read(response, LONGEST_LIST if call.method == "GET" else LONGEST_REPLY)
            finally:
                response.raw.release_conn()
        except AddressRefused as error:
            raise Refused(str(error), reason="address_refused") from None
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidHeader,
            requests.exceptions.InvalidSchema,
            UnicodeError,
        ) as e:
            raise Refused(
                "The address or a header cannot be sent.", detail=str(e)[:200], reason="address_refused"
            ) from None
        except (requests.RequestException, HTTPException, OSError, ValueError) as error:
            raise _unreachable(error, urlsplit(call.url).hostname or "") from None
        if response.status_code == 401 and not again:
            used = request.headers.get("Authorization", "")
            if renewed(connected.connector.auth, call, connected, used, self.asker(connected)):
                return self._send(call, body, content_type, connected, again=True)
        return Reply(response.status_code, Headers(list(response.headers.items())), content)

    def _prepare(
        self, call: Call, body: bytes, content_type: str | None, connected: Connected
    ) -> requests.PreparedRequest:
        auth, settings = connected.connector.auth, connected.settings
        if call.url not in self._good_urls:
            check_url(call.url)
            if len(self._good_urls) > 10_000:
                self._good_urls.clear()
            self._good_urls.add(call.url)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json, */*", "Accept-Encoding": "identity"}
        if content_type:
            headers["Content-Type"] = content_type
        headers.update(call.headers)
        params = dict(call.params or {})
        if isinstance(auth, SignedBody):
            secrets = settings.get(auth.setting)
            if secrets:
                headers |= sign_standard(call.idempotency_key or "", int(time.time()), body, secrets)
        elif call.idempotency_key:
            headers["Idempotency-Key"] = call.idempotency_key
        if call.authenticate:
            authorize(auth, call, connected, headers, params, body, self.asker(connected))
        request = requests.PreparedRequest()
        request.method, request.hooks, request.body = call.method, default_hooks(), body or None
        request.url = with_params(call.url, params)
        if body or call.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            if "\n" in value or "\r" in value or not _HEADER_NAME.fullmatch(name):
                raise Refused(f"The header {name!r} cannot be sent as it is.", reason="address_refused")
        request.headers = CaseInsensitiveDict(headers)
        return request


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 section 5.6.2
_cache: dict[tuple[str, str, str], tuple[float, Reply]] = {}
_shared: list[Sender] = []
_shared_lock = threading.Lock()


def shared_sender() -> Sender:
    """This process's sender for what is not a lane: verifications, read-backs, checks of credentials."""
    with _shared_lock:
        if not _shared:
            _shared.append(Sender())
            atexit.register(_shared[0].close)
        return _shared[0]


def run_recipe(connected: Connected, recipe: Recipe) -> Any:
    """Drive a recipe over the shared connections."""
    return shared_sender().run(connected, recipe)


def _read(response: requests.Response, longest: int) -> bytes:
    """The first ``longest`` bytes of the answer."""
    content: bytes = response.raw.read(longest)
    if len(content) < longest and response.raw.length_remaining:
        raise IncompleteRead(content, response.raw.length_remaining)
    return content


def _unreachable(error: Exception, host: str) -> TryLater:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"The certificate of {host} is not valid."
    elif isinstance(error, (TimeoutError, requests.Timeout)):
        what = f"{host} did not answer in time."
    elif isinstance(error, socket.gaierror):
        what = f"The name {host} cannot be found."
    else:
        what = f"{host} cannot be reached."
    return TryLater(f"{what} The hub will try again.", detail=f"{type(error).__name__}"[:200])


def _shown_call(call: Call, body: bytes, mask: Mask) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": mask(with_params(call.url, dict(call.params or {}))),
        "headers": {name: mask(value) for name, value in call.headers.items()},
        "body": mask(body[: 2 * KEPT_TEXT].decode("utf-8", "replace"))[:KEPT_TEXT],
        "size": len(body),
    }


def _shown_reply(reply: Reply, mask: Mask) -> dict[str, Any]:
    shown = {name: mask(value[:200]) for name, value in reply.headers.items() if name in _SHOWN_HEADERS}
    return {"status": reply.status, "headers": shown, "body": mask(reply.body[:KEPT_TEXT].decode("utf-8", "replace"))}


_SHOWN_HEADERS = frozenset({"content-type", "retry-after", "location", "x-request-id", "request-id", "x-fb-trace-id"})

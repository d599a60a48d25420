"""From a connector's Call to the request that leaves (checked address, headers, signature, credentials), and back."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Any

from requests import PreparedRequest, Response
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from hub.connecting.connected import Connected
from hub.contract.auth import SignedBody
from hub.contract.calls import Call, Reply, with_params
from hub.contract.errors import Refused
from hub.contract.inbound import Headers
from hub.outgoing.curl import longest
from hub.outgoing.grants import Ask, authorize
from hub.outgoing.guard import check_url
from hub.settings import settings
from hub.toolkit.signing import sign_standard

USER_AGENT = "ConversionHub/0.1 (+https://github.com/conversion-hub)"


def prepare(call: Call, body: bytes, content_type: str | None, connected: Connected, ask: Ask) -> PreparedRequest:
    """The request for ``call``, with the connection's credentials. ``ask`` sends the calls that fetch a token.

    Made by hand: what ``requests`` does for it in a Session costs more than the sending. Raises Refused for what cannot
    be sent, BadCredentials, and TryLater when no token is given at the moment.
    """
    _check_once(call.url, settings().base_url)
    auth = connected.connector.auth
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json, */*"}
    if content_type:
        headers["Content-Type"] = content_type
    headers.update(call.headers)
    params = dict(call.params or {})
    if isinstance(auth, SignedBody):
        secrets = connected.settings.get(auth.setting)
        if secrets:
            headers |= sign_standard(call.idempotency_key or "", int(time.time()), body, secrets)
    elif call.idempotency_key:
        headers["Idempotency-Key"] = call.idempotency_key
    if call.authenticate:
        authorize(auth, call, connected, headers, params, body, ask)
    for name, value in headers.items():
        if "\n" in value or "\r" in value or not _HEADER_NAME.fullmatch(name):
            raise Refused(f"The header {name!r} cannot be sent as it is.", reason="address_refused")
    request = PreparedRequest()
    request.method, request.hooks, request.body = call.method, default_hooks(), body or None
    request.url = with_params(call.url, params)
    request.headers = CaseInsensitiveDict(headers)
    return request


def reply_of(response: Response, request: PreparedRequest) -> Reply:
    """The answer as connectors are given it."""
    headers: Any = response.headers
    if not isinstance(headers, Headers):
        headers = Headers(list(headers.items()))
    return Reply(response.status_code, headers, response.content[: longest(request)])


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 section 5.6.2


@lru_cache(maxsize=4096)
def _check_once(url: str, _base_url: str) -> None:
    """Check an address; a good one is remembered, as long as the hub's own address is the same."""
    check_url(url)

"""OAuth 2 client credentials (RFC 6749, section 4.4): tokens are fetched when needed and kept until they end."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import urlsplit

from hub.connected import Connected
from hub.contract.auth import OAuth2ClientCredentials
from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials, TryLater

EARLY = 60  # seconds before its end that a token is no longer used
DEFAULT_LIFE = 600  # seconds, where the answer does not say

_tokens: dict[tuple[str, str], tuple[float, str]] = {}
_lock = threading.Lock()


def bearer(auth: OAuth2ClientCredentials, call: Call, connected: Connected, send: Callable[[Call], Reply]) -> str:
    """The token for ``call``. Raises BadCredentials when the client id or secret is not accepted, TryLater otherwise."""
    url = auth.token_url.replace("{host}", urlsplit(call.url).netloc)
    key = (connected.id, url)
    with _lock:  # one thread asks, the others wait for its token
        known = _tokens.get(key)
        if known is None or known[0] < time.monotonic():
            known = _tokens[key] = _fetch(auth, url, connected, send)
    return known[1]


def forget(connected: Connected) -> None:
    """A token was refused: the next call fetches another."""
    with _lock:
        for key in [key for key in _tokens if key[0] == connected.id]:
            del _tokens[key]


def _fetch(
    auth: OAuth2ClientCredentials, url: str, connected: Connected, send: Callable[[Call], Reply]
) -> tuple[float, str]:
    client, secret = connected.settings[auth.client_id_setting], connected.settings[auth.client_secret_setting]
    form = {"grant_type": "client_credentials"} | ({"scope": auth.scope} if auth.scope else {})
    basic = b64encode(f"{client}:{secret}".encode()).decode()
    reply = send(Call.post(url, form=form, authenticate=False, headers={"Authorization": f"Basic {basic}"}))
    told = reply.json()
    if reply.ok and isinstance(told, dict) and told.get("access_token"):
        life = float(told.get("expires_in") or DEFAULT_LIFE)
        return time.monotonic() + max(life - EARLY, 1), str(told["access_token"])
    if reply.status in (400, 401, 403):
        raise BadCredentials(
            f"{connected.connector.name} does not accept the client id and secret. Enter them again.",
            status=reply.status,
        )
    raise TryLater(f"{connected.connector.name} gives no access token at the moment ({reply.status}).")

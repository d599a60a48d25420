"""OAuth 1.0a signatures (RFC 5849, sections 3.4 and 3.5.1), made by Authlib."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub.contract.auth import OAuth1
from hub.contract.calls import Call
from hub.contract.errors import BadCredentials

FORM = "application/x-www-form-urlencoded"


def sign(
    auth: OAuth1, settings: Mapping[str, Any], call: Call, content_type: str, params: Mapping[str, str], body: bytes
) -> str:
    """The header Authorization for ``call``, which is sent with ``params`` in its query. Raises BadCredentials."""
    names = (auth.consumer_key_setting, auth.consumer_secret_setting, auth.token_setting, auth.token_secret_setting)
    keys = [str(settings.get(name) or "") for name in names]
    if not all(keys):
        raise BadCredentials("One of the four keys is not filled in. Enter them all, then resume.")
    pairs = [*parse_qsl(urlsplit(call.url).query, keep_blank_values=True), *params.items()]
    if content_type.partition(";")[0].strip().lower() == FORM:
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return authorization(call.method, call.url, pairs, keys, secrets.token_hex(16), str(int(time.time())))


def authorization(
    method: str, url: str, pairs: list[tuple[str, str]], keys: list[str], nonce: str, timestamp: str
) -> str:
    """The header for these ``pairs`` of query and form. ``keys``: consumer key and secret, token and token secret."""
    from authlib.oauth1.rfc5849.parameters import prepare_headers
    from authlib.oauth1.rfc5849.signature import construct_base_string, hmac_sha1_signature

    consumer, consumer_secret, token, token_secret = keys
    oauth = [
        ("oauth_consumer_key", consumer),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", timestamp),
        ("oauth_token", token),
        ("oauth_version", "1.0"),
    ]
    base = construct_base_string(method, url, [*pairs, *oauth])
    signature = hmac_sha1_signature(base, consumer_secret, token_secret)
    return str(prepare_headers([*oauth, ("oauth_signature", signature)])["Authorization"])

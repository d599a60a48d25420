"""How senders nobody knows prove themselves: checked, and made for test messages, by the scheme a person chose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.contract import Inbound, NotVerified, Unsigned
from hub.toolkit.signing import (
    Encoding,
    check_hmac,
    check_standard,
    check_timestamp,
    check_token,
    fingerprint,
    make_hmac,
    parse_pairs,
    require_header,
    sign_standard,
)

Settings = Mapping[str, Any]


def check_signature(inbound: Inbound, settings: Settings) -> None:
    """NotVerified unless the message is signed as the person said; Unsigned when only the address is secret."""
    scheme, secrets = settings["scheme"], settings["secret"]
    if scheme == "secret_address":
        raise Unsigned
    if scheme == "standard_webhooks":
        check_standard(inbound.headers, inbound.body, secrets, inbound.received_at)
    elif scheme == "token_header":
        given = require_header(inbound.headers, settings["header"])
        check_token(given.removeprefix(settings["prefix"]).strip(), secrets)
    else:
        _check_hmac(inbound, settings)


def make_signature(body: bytes, settings: Settings, at: datetime) -> dict[str, str] | None:
    """The headers that :func:`check_signature` accepts at ``at``; {} where nothing is signed, None without a secret."""
    scheme, header = settings["scheme"], settings["header"]
    if scheme == "secret_address":
        return {}
    if not settings["secret"]:
        return None
    secret, stamp = settings["secret"][0], int(at.timestamp())
    if scheme == "standard_webhooks":
        return sign_standard(f"msg_{fingerprint(body)[:24]}", stamp, body, [secret])
    if scheme == "token_header":
        return {header: f"{settings['prefix']} {secret}".strip()}
    message = b"%d." % stamp + body if settings["signed"] == "timestamp.body" else body
    signature = settings["prefix"] + make_hmac(message, secret, encoding=_encoding(settings))
    if settings["timestamp_header"].lower() == header.lower():
        return {header: f"t={stamp},{signature}"}
    return {header: signature} | ({settings["timestamp_header"]: str(stamp)} if settings["timestamp_header"] else {})


def _check_hmac(inbound: Inbound, settings: Settings) -> None:
    """One header may carry several signatures; with a prefix, only those that carry it count."""
    given = re.split(r"[\s,]+", require_header(inbound.headers, settings["header"]))
    prefix, message = settings["prefix"], inbound.body
    if settings["timestamp_header"]:
        stamp = require_header(inbound.headers, settings["timestamp_header"])
        stamp = dict(parse_pairs(stamp)).get("t", stamp)  # "t=…,v1=…" in one header, as Stripe and Calendly write it
        check_timestamp(stamp, inbound.received_at)
        if settings["signed"] == "timestamp.body":
            message = stamp.encode("utf-8", "replace") + b"." + message
    elif settings["signed"] == "timestamp.body":
        raise NotVerified("The source does not say which header carries the signed time.", reason="secret_not_set")
    signatures = [each.removeprefix(prefix) for each in given if each.startswith(prefix)]
    check_hmac(message, signatures, settings["secret"], encoding=_encoding(settings))


def _encoding(settings: Settings) -> Encoding:
    return "base64" if settings["scheme"] == "hmac_base64" else "hex"

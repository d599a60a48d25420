"""Checking and making signatures. Every comparison is constant-time and over raw bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as secrets_module
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

from hub.contract.errors import NotVerified
from hub.contract.inbound import Headers

TOLERANCE = 300  # seconds, either way: the Standard Webhooks and Stripe figure
MAX_HEADER = 4096  # longest signature header worth reading
Encoding = Literal["hex", "base64"]


def fingerprint(content: bytes) -> str:
    """A name for ``content``, where nothing else names it: 32 hex digits of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


def require_header(headers: Headers, name: str) -> str:
    """The header's value, or NotVerified when it is missing, empty or absurdly long."""
    value = headers.get(name, "").strip()
    if not value:
        raise NotVerified(f"The header {name} is missing: the message is not signed.", reason="signature_missing")
    if len(value) > MAX_HEADER:
        raise NotVerified(f"The header {name} is too long to be a signature.")
    return value


def require_secrets(secrets: Sequence[str | bytes]) -> None:
    """Raise NotVerified when no live secret is set: anybody could sign with an empty key."""
    if not secrets or not all(secrets):
        raise NotVerified(
            "No signing secret is set on this source, so nothing can be verified. Paste the sender's secret.",
            reason="secret_not_set",
        )


def check_hmac(
    message: bytes,
    given: Iterable[str],
    secrets: Sequence[str | bytes],
    *,
    encoding: Encoding = "hex",
    algorithm: str = "sha256",
) -> None:
    """Raise NotVerified unless one of the ``given`` signatures of ``message`` was made with one of ``secrets``."""
    require_secrets(secrets)
    candidates = [text.strip().encode("utf-8", "replace") for text in given]
    good = False
    for secret in secrets:
        key = secret.encode() if isinstance(secret, str) else secret
        digest = _hmac(key, message, algorithm)
        expected = digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)
        for candidate in candidates:
            # No early exit: the time taken must not tell which one matched.
            good |= hmac.compare_digest(expected, candidate.lower() if encoding == "hex" else candidate)
    if not good:
        raise NotVerified(
            "The signature does not match: the secret is not the sender's, or the body was changed on the way."
        )


def make_hmac(message: bytes, secret: str | bytes, *, encoding: Encoding = "hex", algorithm: str = "sha256") -> str:
    """The signature that :func:`check_hmac` accepts."""
    key = secret.encode() if isinstance(secret, str) else secret
    digest = _hmac(key, message, algorithm)
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def _hmac(key: bytes, message: bytes, algorithm: str) -> bytes:
    made = _keyed(key, algorithm).copy()
    made.update(message)
    return made.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes, algorithm: str) -> hmac.HMAC:
    """Ready for messages; to be copied. Setting a key up takes OpenSSL as long as a message of 2 KB does."""
    return hmac.new(key, digestmod=algorithm)


def check_token(given: str, tokens: Sequence[str]) -> None:
    """Raise NotVerified unless ``given`` equals one of the live ``tokens`` (senders that only carry a password)."""
    require_secrets(tokens)
    matches = [hmac.compare_digest(token.encode(), given.encode("utf-8", "replace")) for token in tokens]
    if not any(matches):
        raise NotVerified("The token in the message is not the one set on this source.")


def check_timestamp(seconds: str | int | float, now: datetime, tolerance: int = TOLERANCE) -> None:
    """Raise NotVerified when a signed Unix time is unreadable, or further than ``tolerance`` seconds from ``now``."""
    try:
        age = now.timestamp() - float(seconds)
    except (ValueError, OverflowError):
        raise NotVerified("The time in the signature is not a number.") from None
    if not abs(age) <= tolerance:  # also catches NaN
        is_ahead = age < -tolerance
        which = "far in the future" if is_ahead else "old"
        raise NotVerified(
            f"The signature is too {which} (more than {tolerance} s). If the message is genuine, check the clocks.",
            reason="signature_from_future" if is_ahead else "signature_too_old",
        )


def check_timed(
    header: str,
    body: bytes,
    secrets: Sequence[str | bytes],
    now: datetime,
    tolerance: int = TOLERANCE,
    *,
    time: str = "t",
    signature: str = "v1",
) -> None:
    """Raise NotVerified unless ``header`` (``t=1795262400,v1=5f…``) signs ``body``, not long before or after ``now``.

    The scheme that Stripe made common: hex HMAC-SHA256 over the Unix time, a dot, the body. ``time`` and ``signature``
    are the names in the header; one header may carry several signatures. ``tolerance`` is in seconds. Declare
    ``signs_time = True`` with it.
    """
    require_secrets(secrets)
    pairs = parse_pairs(header)
    stamp = next((value for name, value in pairs if name == time), "")
    check_timestamp(stamp, now, tolerance)
    given = [value for name, value in pairs if name == signature]
    check_hmac(stamp.encode("utf-8", "replace") + b"." + body, given, secrets)


def sign_timed(body: bytes, secret: str | bytes, at: datetime, *, time: str = "t", signature: str = "v1") -> str:
    """The header that :func:`check_timed` accepts at the aware time ``at``."""
    stamp = int(at.timestamp())
    return f"{time}={stamp},{signature}={make_hmac(b'%d.' % stamp + body, secret)}"


def parse_pairs(header: str, separator: str = ",") -> list[tuple[str, str]]:
    """``t=1,v1=a,v1=b`` as a list of pairs; parts without ``=`` are dropped."""
    pairs = (part.split("=", 1) for part in header.split(separator))
    return [(pair[0].strip(), pair[1].strip()) for pair in pairs if len(pair) == 2]


@lru_cache(maxsize=256)
def standard_key(secret: str) -> bytes:
    """The HMAC key behind a ``whsec_…`` secret (base64, padding optional).

    Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md. Raises NotVerified when it is empty or not
    base64.
    """
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise NotVerified("The secret is not in the whsec_… form: copy it again.", reason="secret_not_set") from None
    require_secrets([key])
    return key


def new_whsec() -> str:
    """A fresh Standard Webhooks secret: ``whsec_`` and 32 random bytes in base64 (the specification says 24 to 64)."""
    return "whsec_" + base64.b64encode(secrets_module.token_bytes(32)).decode()


def sign_standard(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three Standard Webhooks headers, signed with every live secret. ``timestamp`` is this attempt's Unix time."""
    message = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    signatures = (base64.b64encode(_hmac(standard_key(secret), message, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def check_standard(
    headers: Headers,
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    *,
    tolerance: int = TOLERANCE,
    prefix: str = "",
) -> None:
    """Raise NotVerified unless ``body`` carries a valid Standard Webhooks signature (also under Svix's header names)."""
    prefix = prefix or ("svix" if "webhook-id" not in headers and "svix-id" in headers else "webhook")
    message_id = require_header(headers, f"{prefix}-id")
    timestamp = require_header(headers, f"{prefix}-timestamp")
    signatures = require_header(headers, f"{prefix}-signature")
    check_timestamp(timestamp, now, tolerance)
    require_secrets(secrets)
    given = [version_and_value[3:] for version_and_value in signatures.split() if version_and_value.startswith("v1,")]
    message = f"{message_id}.{timestamp}.".encode() + body
    check_hmac(message, given, [standard_key(secret) for secret in secrets], encoding="base64")

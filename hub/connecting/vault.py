"""Secrets at rest: encrypted with the installation's key, hashed where they never need to be read again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from hub.contract.errors import ConfigError
from hub.settings import settings


def seal(values: dict[str, Any]) -> bytes:
    """Encrypt the secret part of a connection's settings."""
    return _box(settings().secret_key).encrypt(json.dumps(values).encode())


def unseal(sealed: bytes) -> dict[str, Any]:
    """The inverse of :func:`seal`. Raises ConfigError when the key is not the one that sealed."""
    if not sealed:
        return {}
    try:
        opened: dict[str, Any] = json.loads(_box(settings().secret_key).decrypt(sealed))
    except InvalidToken:
        raise ConfigError(
            "The stored secrets cannot be opened with this key. Put back the HUB_SECRET_KEY (or data/secret.key) that "
            "they were saved with."
        ) from None
    return opened


def new_token(prefix: str) -> str:
    """A fresh secret for people to copy, recognizable by its prefix."""
    return prefix + secrets.token_urlsafe(24)


def new_webhook_secret() -> str:
    """A Standard Webhooks secret: 32 random bytes in base64 after ``whsec_``."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def token_hash(token: str) -> str:
    """What is stored of an API key. Keys are long and random, so one fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_hash(purpose: str, text: str) -> str:
    """A hash that only this installation can make: for suppression lists that outlive the address."""
    return hmac.digest(derived_key(purpose), text.encode(), "sha256").hex()


def suppression_hash(email: str) -> str:
    """Under which it is kept that this person is not to be written to."""
    return keyed_hash("suppression", email.strip().lower())


def derived_key(purpose: str) -> bytes:
    """A key of its own for each use of the installation's key."""
    return _derived(settings().secret_key, purpose)


@lru_cache(maxsize=4)
def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(key, "secrets at rest")))


@lru_cache(maxsize=16)
def _derived(key: str, purpose: str) -> bytes:
    # The installation's key is random and long, so one keyed hash a purpose separates the uses well enough.
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).digest()

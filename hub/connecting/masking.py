"""Secrets are taken out of all that people are shown: calls, answers, previews, errors. One place knows how."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from hub.contract.connector import Connector
from hub.contract.settings import SecretUrl, secret_names

MASK = "***"
"""Shown for a secret that is set. Sent back unchanged, it means: keep what is stored."""
SHORTEST_SECRET = 4  # characters; masking shorter ones would blot out ordinary words

Mask = Callable[[Any], Any]
"""Gives a value (a text, or JSON) back without the secrets."""


def secrets_of(connector: Connector, settings: Mapping[str, Any]) -> dict[str, str]:
    """Each secret text in ``settings`` and what is shown instead, longest first. Of a secret address, the host is shown."""
    found: dict[str, str] = {}
    for name in secret_names(connector.Settings):
        value = settings.get(name)
        is_address = isinstance(connector.Settings._declared_fields[name], SecretUrl)
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and len(text) >= SHORTEST_SECRET:
                found[text] = f"{urlsplit(text).scheme}://{urlsplit(text).hostname}/{MASK}" if is_address else MASK
    return _longest_first(found)


def mask_for(connector: Connector, settings: Mapping[str, Any], others: Iterable[str] = ()) -> Mask:
    """What takes the secrets of ``settings``, and ``others``, out of a value.

    They are found in each form that they have inside an address, a form, JSON or a header.
    """
    secrets = dict.fromkeys((one for one in others if len(one) >= SHORTEST_SECRET), MASK)
    secrets |= secrets_of(connector, settings)
    forms = _longest_first({form: shown for secret, shown in secrets.items() for form in _forms(secret)})
    return (lambda value: _replaced(value, forms)) if forms else (lambda value: value)


def _forms(secret: str) -> set[str]:
    encoded = b64encode(secret.encode("utf-8", "replace")).decode()
    in_address = {quote(secret, errors="replace"), quote(secret, safe="", errors="replace")}
    return {secret, *in_address, quote_plus(secret, errors="replace"), encoded, json.dumps(secret)[1:-1]}


def _longest_first(secrets: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(secrets.items(), key=lambda each: -len(each[0])))


def _replaced(value: Any, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for secret, shown in secrets.items():
            value = value.replace(secret, shown)
        return value
    if isinstance(value, dict):
        return {_replaced(key, secrets): _replaced(part, secrets) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(part, secrets) for part in value]
    return value

"""What OAuth 2 puts on the wire (RFC 6749, 7523, 7636), written by Authlib; and what token endpoints answer.

Nothing is called here: requests are made as Calls, which the sender sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from hub.connecting.connected import Connected
from hub.contract.auth import Basic, OAuth2, OAuth2ClientCredentials, ServiceAccount
from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials, TryLater
from hub.contract.vocabulary import Text
from hub.outgoing.answers import retry_after, words_of

# Authlib is imported where it is used: it is needed once an hour, and would stay in the memory of every worker.

Machine = OAuth2ClientCredentials | ServiceAccount
"""Auths whose token the hub asks for by itself; nobody has to grant it."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A token answer. ``life`` is in seconds; None: it was not told. ``told`` is the whole answer."""

    access_token: str
    refresh_token: str
    life: float | None
    told: Mapping[str, Any]


def new_state() -> str:
    """An unguessable text: for ``state``, and as PKCE's verifier."""
    from authlib.common.security import generate_token

    return str(generate_token(64))


def authorization_url(auth: OAuth2, connected: Connected, redirect_uri: str, state: str, verifier: str) -> str:
    """Where a person is sent to grant access (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    Raises BadCredentials while the client id or a part of the address is missing.
    """
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    settings = connected.settings
    _client(auth, connected)
    more = {name: _filled(value, settings, plain=True) for name, value in auth.parameters.items()}
    if auth.pkce:
        more |= {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
    return str(
        prepare_grant_uri(
            _filled(auth.authorize_url, settings),
            settings[auth.client_id_setting],
            "code",
            redirect_uri=redirect_uri,
            scope=auth.scope_separator.join(auth.scopes) or None,
            state=state,
            **more,
        )
    )


def exchange(auth: OAuth2, connected: Connected, code: str, verifier: str, redirect_uri: str) -> Call:
    """Asks for the tokens that ``code`` stands for (RFC 6749 section 4.1.3)."""
    more = {"code": code, "redirect_uri": redirect_uri} | ({"code_verifier": verifier} if auth.pkce else {})
    return _token_call(auth, connected, _filled(auth.token_url, connected.settings), "authorization_code", more)


def refresh(auth: OAuth2, connected: Connected, refresh_token: str) -> Call:
    """Asks for a new access token (RFC 6749 section 6)."""
    url = _filled(auth.token_url, connected.settings)
    return _token_call(auth, connected, url, "refresh_token", {"refresh_token": refresh_token})


def machine_token(auth: Machine, connected: Connected, url: str) -> Call:
    """Asks for a token with the connection's own credentials (RFC 6749 section 4.4, RFC 7523 section 2.1)."""
    if isinstance(auth, ServiceAccount):
        return _assertion_call(auth, connected, url)
    return _token_call(auth, connected, url, "client_credentials", {"scope": auth.scope})


def machine_url(auth: Machine, call: Call, connected: Connected) -> str:
    """The address that gives the token for ``call``."""
    url = auth.token_url.replace("{host}", urlsplit(call.url).netloc)
    return _filled(url, connected.settings)


def read_answer(reply: Reply, connector: str) -> Granted:
    """The tokens in ``reply``. Raises BadCredentials when they are refused for good, TryLater when only for now."""
    told = reply.json()
    if reply.ok and isinstance(told, dict) and isinstance(token := told.get("access_token"), str) and token:
        refreshed = told.get("refresh_token")
        return Granted(token, refreshed if isinstance(refreshed, str) else "", _seconds(told.get("expires_in")), told)
    words = words_of(reply)
    code = told.get("error") if isinstance(told, dict) else None
    said = words if not isinstance(code, str) or code in words else f"{code}: {words}"
    for_good = reply.status in (400, 401, 403, 404) or (reply.ok and code is not None)
    if for_good and not _PASSING.search(said):
        reason = "credentials_refused" if code in ("invalid_client", "unauthorized_client") else "grant_broken"
        raise BadCredentials(f"{connector} gives no access.", status=reply.status, detail=said, reason=reason)
    raise TryLater(
        f"{connector} gives no access token at the moment ({reply.status}).",
        detail=said,
        whole_connection=True,
        after=retry_after(reply.headers, datetime.now(UTC)),
    )


class NotAKey(ValueError):
    """What was pasted is no key of a service account; ``said`` tells what is wrong with it."""

    def __init__(self, en: str, fr: str) -> None:
        super().__init__(en)
        self.said = Text(en, fr)


def service_account_key(pasted: Any) -> dict[str, Any]:
    """The JSON key of a Google service account. Raises NotAKey."""
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    try:
        key = json.loads(pasted) if isinstance(pasted, str) else pasted
    except (ValueError, RecursionError):
        raise NotAKey(
            "This is not JSON. Paste the whole content of the key file, from { to }.",
            "Ce n'est pas du JSON. Collez tout le contenu du fichier de clé, de { à }.",
        ) from None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        kind = str(key.get("type") or next(iter(key), "") if isinstance(key, dict) else "")[:40] or "?"
        raise NotAKey(
            f"This is not the JSON key of a service account (it says “{kind}”). Create a key of type JSON for one.",
            f"Ce n'est pas la clé JSON d'un compte de service (on y lit « {kind} »). Créez-lui une clé de type JSON.",
        )
    for name in ("client_email", "private_key"):
        if not isinstance(key.get(name), str) or not key[name]:
            raise NotAKey(
                f"The key file is not whole: {name} is missing. Paste all of it.",
                f"Le fichier de clé est incomplet : il manque {name}. Collez-le en entier.",
            )
    try:
        RSAKey.import_key(key["private_key"])
    except (ValueError, TypeError, JoseError):
        raise NotAKey(
            "The private key in it cannot be read. Paste the key file as it was downloaded.",
            "La clé privée qu'il contient est illisible. Collez le fichier tel qu'il a été téléchargé.",
        ) from None
    return key


_PASSING = re.compile(r"temporarily_unavailable|server_error|slow_down|too many requests|rate.?limit", re.IGNORECASE)
_ADDRESS_PART = re.compile(r"(https?://)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(:[0-9]{1,5})?")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _token_call(
    auth: OAuth2 | OAuth2ClientCredentials, connected: Connected, url: str, grant_type: str, more: Mapping[str, str]
) -> Call:
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    client = _client(auth, connected)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if auth.basic:
        Basic(auth.client_secret_setting, user_setting=auth.client_id_setting).apply(connected.settings, headers, {})
    else:
        more = {**client, **more}
    return Call.post(url, body=prepare_token_request(grant_type, **more).encode(), authenticate=False, headers=headers)


def _assertion_call(auth: ServiceAccount, connected: Connected, url: str) -> Call:
    from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
    from joserfc.jwk import RSAKey

    try:
        key = service_account_key(connected.settings.get(auth.setting))
    except NotAKey as error:
        raise BadCredentials(str(error)) from None
    header = {"alg": "RS256"} | ({"kid": key["private_key_id"]} if key.get("private_key_id") else {})
    signer, claims = RSAKey.import_key(key["private_key"]), {"scope": " ".join(auth.scopes)}
    assertion = sign_jwt_bearer_assertion(signer, key["client_email"], url, claims=claims, header=header)
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": str(assertion)}
    return Call.post(url, form=form, authenticate=False)


def _client(auth: OAuth2 | OAuth2ClientCredentials, connected: Connected) -> dict[str, str]:
    names = {"client_id": auth.client_id_setting, "client_secret": auth.client_secret_setting}
    declared = connected.connector.Settings._declared_fields  # an app that is public has no secret
    found = {name: str(connected.settings.get(of) or "") for name, of in names.items() if of in declared}
    if not all(found.values()):
        raise BadCredentials(
            f"The client id and secret of your app at {connected.connector.name} are not filled in. Save them first.",
            reason="grant_missing",
        )
    return found


def _filled(template: str, settings: Mapping[str, Any], *, plain: bool = False) -> str:
    """``template`` with each ``{name}`` replaced by that setting; in an address only by a host, its part, or an origin."""

    def value(found: re.Match[str]) -> str:
        text = str(settings.get(found[1]) or "")
        bare = text if plain else text.strip().rstrip("/")
        if not plain and not _ADDRESS_PART.fullmatch(bare):
            raise BadCredentials(f"The setting “{found[1]}” cannot be part of an address. Correct it, then try again.")
        return bare

    return _PLACEHOLDER.sub(value, template)


def _seconds(given: Any) -> float | None:
    try:
        life = float(given)
    except (TypeError, ValueError):
        return None
    return life if 0 < life < 10**9 else None

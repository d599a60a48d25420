"""How calls are authenticated. A connector declares one of these classes as its ``auth``; the hub's sender applies it.

In every URL here, ``{name}`` stands for the connection's setting of that name.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Auth:
    """How the sender authenticates a call. The base class adds nothing."""

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        """Add the credentials found in ``settings`` to ``headers`` or ``params``."""


def basic(user: str, password: str) -> str:
    """The value of ``Authorization`` for HTTP Basic (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True)
class Bearer(Auth):
    """``Authorization: Bearer <setting>``."""

    setting: str = "access_token"

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        headers["Authorization"] = f"Bearer {settings[self.setting]}"


@dataclass(frozen=True)
class Basic(Auth):
    """HTTP Basic. ``user`` is a literal when ``user_setting`` is not given. ``setting=""``: the password stays empty."""

    setting: str = "api_key"
    user: str = ""
    user_setting: str | None = None

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        user = settings[self.user_setting] if self.user_setting else self.user
        password = settings[self.setting] if self.setting else ""
        headers["Authorization"] = basic(user, password)


@dataclass(frozen=True)
class ApiKeyHeader(Auth):
    """A key in a header of its own."""

    header: str
    setting: str = "api_key"
    prefix: str = ""

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        headers[self.header] = f"{self.prefix}{settings[self.setting]}"


@dataclass(frozen=True)
class ApiKeyQuery(Auth):
    """A key in the query string, where the platform leaves no choice."""

    parameter: str
    setting: str = "api_key"

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        params[self.parameter] = str(settings[self.setting])


@dataclass(frozen=True)
class OAuth2ClientCredentials(Auth):
    """``Authorization: Bearer`` with a short-lived token that the sender fetches and keeps (RFC 6749, section 4.4).

    The token is asked for with HTTP Basic, or (``basic=False``) with id and secret in the form. ``{host}`` in
    ``token_url`` stands for the host of the call at hand, so that a platform's sandbox asks its own host.
    """

    token_url: str
    client_id_setting: str = "client_id"
    client_secret_setting: str = "client_secret"  # noqa: S105 - the setting's name
    scope: str = ""
    basic: bool = True


@dataclass(frozen=True)
class OAuth2(Auth):
    """A person grants access in the web page (authorization code, RFC 6749 section 4.1, with state and PKCE).

    The hub keeps the tokens beside the settings, encrypted, and renews them before they end. ``keeps`` names members of
    the token answer that become settings of the connection (Salesforce's ``instance_url``, Zoho's ``api_domain``): the
    connector declares them in its ``Settings`` with ``load_default=""``. ``parameters`` are added to the authorization
    address (``access_type=offline``). ``basic``: client id and secret go to the token endpoint as HTTP Basic, else in
    the form.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    parameters: Mapping[str, str] = field(default_factory=dict)
    pkce: bool = True
    basic: bool = False
    keeps: tuple[str, ...] = ()
    client_id_setting: str = "client_id"
    client_secret_setting: str = "client_secret"  # noqa: S105 - the setting's name
    prefix: str = "Bearer"  # before the token, in the header Authorization


@dataclass(frozen=True)
class ServiceAccount(Auth):
    """A Google service account: its JSON key, pasted into ``setting``, signs for a token (RFC 7523, section 2.1).

    Source: developers.google.com/identity/protocols/oauth2/service-account.
    """

    scopes: tuple[str, ...]
    setting: str = "service_account"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@dataclass(frozen=True)
class OAuth1(Auth):
    """Each call signed with HMAC-SHA1 under two key pairs (RFC 5849). Form bodies are covered, JSON bodies are not."""

    consumer_key_setting: str = "consumer_key"
    consumer_secret_setting: str = "consumer_secret"  # noqa: S105 - the setting's name
    token_setting: str = "access_token"  # noqa: S105 - the setting's name
    token_secret_setting: str = "access_token_secret"  # noqa: S105 - the setting's name


@dataclass(frozen=True)
class SignedBody(Auth):
    """Standard Webhooks: the exact bytes sent are signed with every secret in ``setting``.

    Handled by the sender through :func:`hub.toolkit.signing.sign_standard`, since it needs the body and the clock.
    """

    setting: str = "secret"


@dataclass(frozen=True)
class MailServer(Auth):
    """A person's own SMTP server, which sends what :func:`hub.toolkit.mail.mail` makes.

    Read from the settings ``host``, ``port``, ``security`` ("starttls" or "tls"), ``username`` and ``password``.
    """

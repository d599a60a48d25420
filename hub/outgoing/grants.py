"""Who a call is made as: puts the credentials on it, and keeps tokens that end alive.

Tokens are stored for each connection, encrypted (:mod:`hub.store.grants`), since workers fork for every turn and hosts
come and go. One worker at a time renews a grant, held together by a lease: a refresh token that is used twice counts as
stolen with platforms that rotate them. What was given is stored before it is used.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marshmallow import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from hub.connecting import vault
from hub.connecting.connected import Connected, split_settings
from hub.connecting.masking import mask_for
from hub.contract.auth import Auth, OAuth1, OAuth2, OAuth2ClientCredentials, ServiceAccount
from hub.contract.calls import Call, Reply
from hub.contract.errors import BadCredentials, DeliveryError, TryLater
from hub.outgoing import oauth, oauth1, reply_cache
from hub.outgoing.oauth import Granted
from hub.store import Store, connections, leases, now
from hub.store import grants as stored
from hub.store.base import Values
from hub.store.grants import GrantRow
from hub.store.opened import opened_store

log = logging.getLogger(__name__)

EARLY = 90.0  # seconds before its end that a token is renewed
FRESH = 5.0  # seconds that a token is used before the database is asked again: somebody may have connected anew
JUST_NOW = 10.0  # seconds for which a token that is refused was not refused for its age
MACHINE_LIFE = 600.0  # seconds, of a token that nobody granted and that does not say how long it lives
LEASE, PATIENCE = 15, 25.0  # seconds: how soon a renewal that died is taken over; how long others wait for it

Ask = Callable[[Call], Reply]
"""Sends a call as it is."""

_TOKENS = (OAuth2, OAuth2ClientCredentials, ServiceAccount)
TokenAuth = OAuth2 | OAuth2ClientCredentials | ServiceAccount


def authorize(
    auth: Auth, call: Call, connected: Connected, headers: dict[str, str], params: dict[str, str], body: bytes, ask: Ask
) -> None:
    """Put the connection's credentials on a call: into its ``headers``, or into ``params``.

    ``body`` is what will be sent. Raises BadCredentials when there are none or they are refused for good, TryLater when
    no token is given at the moment.
    """
    if isinstance(auth, _TOKENS):
        headers["Authorization"] = f"{_prefix(auth)} {_Grant(auth, call, connected, ask).token()}"
    elif isinstance(auth, OAuth1):
        content_type = headers.get("Content-Type", "")
        headers["Authorization"] = oauth1.sign(auth, connected.settings, call, content_type, params, body)
    else:
        auth.apply(connected.settings, headers, params)


def needs_no_waiting(auth: Auth, call: Call, connected: Connected) -> bool:
    """Whether :func:`authorize` has all it needs: no token, or one that was looked up a moment ago."""
    if not needs_token(auth, call) or not isinstance(auth, _TOKENS):
        return True
    return bool(_Grant(auth, call, connected, _nobody).remembered())


def needs_token(auth: Auth, call: Call) -> bool:
    """Whether ``call`` is made with a token that ends."""
    return call.authenticate and isinstance(auth, _TOKENS)


def renewed(auth: Auth, call: Call, connected: Connected, header: str, ask: Ask) -> bool:
    """After a 401 under the ``header`` Authorization: whether there is another token now, so that a second try is due."""
    if not isinstance(auth, _TOKENS) or not call.authenticate:
        return False
    return _Grant(auth, call, connected, ask).replace(header.removeprefix(f"{_prefix(auth)} "))


def accept(auth: OAuth2, connected: Connected, code: str, verifier: str, redirect_uri: str, ask: Ask) -> None:
    """Exchange the ``code`` that a person brought, and keep what it gives. Raises BadCredentials, TryLater."""
    asked = oauth.exchange(auth, connected, code, verifier, redirect_uri)
    granted = _read(ask(asked), connected, code, verifier)
    at = now()

    def keep(tx: Connection) -> bool:
        stored.put(
            tx,
            at,
            connected.id,
            "",
            _columns(granted, at, granted.refresh_token, granted.life, renews=bool(granted.refresh_token)),
        )
        _keep_members(tx, at, auth, connected, granted, strict=True)
        return True

    _surely(opened_store(), keep)
    forget(connected.id)
    reply_cache.forget(connected.id)  # it may be another account


def forget(connection_id: str) -> None:
    """Look this connection's tokens up anew."""
    for key in [key for key in _known if key[0] == connection_id]:
        _known.pop(key, None)


@dataclass(slots=True)
class _Known:
    """A token as read some seconds ago; or why there is none, which holds as long as what it was told of is the same."""

    until: float  # monotonic
    token: str = ""
    error: BadCredentials | None = None
    told_of: object = None


_known: dict[tuple[str, str], _Known] = {}
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class _Grant:
    """What one call needs to know of its connection's tokens."""

    def __init__(self, auth: TokenAuth, call: Call, connected: Connected, ask: Ask) -> None:
        self.auth, self.connected, self.ask = auth, connected, ask
        self.url = "" if isinstance(auth, OAuth2) else oauth.machine_url(auth, call, connected)
        self.issuer = _issuer(auth, connected, self.url)
        self.key = (connected.id, self.issuer)

    def token(self) -> str:
        """A token that has not ended."""
        return self.remembered() or self._looked_up("")

    def replace(self, refused: str) -> bool:
        """Renew the token ``refused``, unless that is done already, or it is too new for that to help."""
        with _locks[self.connected.id]:
            row = self._row()
            if row is not None and _access_token(row) == refused:
                if row.renewed_at > now() - timedelta(seconds=JUST_NOW):
                    return False
                _known.pop(self.key, None)
        return self._looked_up(refused) != refused

    def remembered(self) -> str:
        """The token that was looked up a moment ago, or nothing."""
        known = _known.get(self.key)
        return known.token if known is not None and known.until > time.monotonic() else ""

    def _looked_up(self, refused: str) -> str:
        with _locks[self.connected.id]:  # one thread asks, the others wait for its token
            known = self.remembered()
            if known and known != refused:
                return known
            asked_with = self._asked_with()
            self._raise_again(asked_with)
            try:
                row = self._good(refused)
            except BadCredentials as error:
                _known[self.key] = _Known(time.monotonic() + FRESH, error=error, told_of=asked_with)
                raise
            rest = (row.expires_at - now()).total_seconds() if row.expires_at else FRESH
            known = _access_token(row)
            _known[self.key] = _Known(time.monotonic() + min(rest, FRESH), known)
            return known

    def _asked_with(self) -> object:
        """Another value once somebody has granted access anew, or changed the settings."""
        row = self._row()
        return (row.serial if row is not None else None, self.connected.row.secrets)

    def _raise_again(self, asked_with: object) -> None:
        """Nobody asks again and again with what was refused a moment ago."""
        known = _known.get(self.key)
        if known is None or known.error is None or known.until < time.monotonic():
            return
        if known.told_of == asked_with:
            raise known.error.with_traceback(None)

    def _good(self, refused: str) -> GrantRow:
        """The stored grant, renewed if need be: by us, or by whoever is at it already."""
        until = time.monotonic() + PATIENCE
        while True:
            row = self._row()
            if row is not None and _is_good(row, refused):
                return row
            if row is None and isinstance(self.auth, OAuth2):
                raise self._broken("grant_missing", "")
            with leases.hold(opened_store(), f"grant:{self.connected.id}", LEASE) as lease:
                if lease is not None:
                    return self._renewed(refused)
            if row is not None and _is_live(row, refused):  # it is only to be renewed early, and somebody does
                return row
            if time.monotonic() > until:
                raise TryLater("Another worker is renewing the access and does not come back.", whole_connection=True)
            time.sleep(0.05 + random.random() / 10)  # noqa: S311 - only so that not all ask at once

    def _renewed(self, refused: str) -> GrantRow:
        row = self._row()
        if row is not None and _is_good(row, refused):
            return row  # somebody was faster
        try:
            granted = _read(self.ask(self._request(row)), self.connected, _access_token(row), _refresh_token(row))
        except TryLater as error:
            if row is not None and _is_live(row, refused):
                log.warning("%s: renewed later (%s)", self.connected.id, error.detail or error.message)
                return row
            raise
        except BadCredentials as error:
            return self._refused(row, refused, error)
        self._keep(row, granted)
        kept = self._row()
        if kept is None:
            raise self._broken("grant_missing", "")
        return kept

    def _request(self, row: GrantRow | None) -> Call:
        if not isinstance(self.auth, OAuth2):
            return oauth.machine_token(self.auth, self.connected, self.url)
        refresh_token = _refresh_token(row)
        if not refresh_token:
            raise BadCredentials("There is nothing to renew it with.", reason="grant_broken")
        return oauth.refresh(self.auth, self.connected, refresh_token)

    def _refused(self, row: GrantRow | None, refused: str, error: BadCredentials) -> GrantRow:
        """The endpoint says no. It may be that another worker, thought dead, has renewed in the meantime."""
        kept = self._row()
        if kept is not None and (row is None or kept.serial != row.serial) and _is_live(kept, refused):
            return kept
        if not error.status and error.reason != "grant_broken":
            raise error  # nobody was asked: what is missing is said already
        granted = isinstance(self.auth, OAuth2) and error.reason == "grant_broken"
        broken = self._broken("grant_broken" if granted else "credentials_refused", error.detail)
        if granted and row is not None:
            with opened_store().write() as tx:
                if stored.mark_broken(tx, now(), *self.key, row.serial):
                    connections.stop(tx, self.connected.id, now(), broken.reason, f"{broken.message} {broken.detail}")
        raise broken from None

    def _keep(self, row: GrantRow | None, granted: Granted) -> None:
        at = now()
        life = granted.life if isinstance(self.auth, OAuth2) else granted.life or MACHINE_LIFE
        refresh_token = granted.refresh_token or _refresh_token(row)
        renews = bool(refresh_token) or not isinstance(self.auth, OAuth2)
        columns = _columns(granted, at, refresh_token, life, renews=renews)

        def keep(tx: Connection) -> bool:
            mine = stored.renew(tx, at, *self.key, row.serial if row is not None else None, columns)
            if mine and isinstance(self.auth, OAuth2):
                _keep_members(tx, at, self.auth, self.connected, granted)
            stored.drop_ended(tx, at, self.connected.id)
            return mine

        if not _surely(opened_store(), keep):
            log.info("%s: somebody else brought new tokens in the meantime", self.connected.id)

    def _broken(self, reason: str, said: str) -> BadCredentials:
        name = self.connected.connector.name
        message = {
            "grant_missing": f"{name} is not connected yet. Open this connection's page and press Connect.",
            "grant_broken": f"{name} has ended the access. Open this connection's page and press Connect again.",
        }.get(reason, f"{name} does not accept the client id, secret or key. Enter them again, then resume.")
        return BadCredentials(message, reason=reason, detail=said, status=401)

    def _row(self) -> GrantRow | None:
        with opened_store().read() as tx:
            return stored.get(tx, *self.key)


def _nobody(call: Call) -> Reply:
    raise TryLater("Nothing is asked here.", detail=call.url)


def _read(reply: Reply, connected: Connected, *sent: str) -> Granted:
    """The tokens given. An error repeats the endpoint's own words, but nothing that was ``sent`` or is secret."""
    try:
        return oauth.read_answer(reply, connected.connector.name)
    except DeliveryError as error:
        error.detail = mask_for(connected.connector, connected.settings, sent)(error.detail)
        raise


def _prefix(auth: TokenAuth) -> str:
    return auth.prefix if isinstance(auth, OAuth2) else "Bearer"


def _issuer(auth: TokenAuth, connected: Connected, url: str) -> str:
    """What a token was asked with: another client id, key or address means another token. Empty where a person asked."""
    if isinstance(auth, OAuth2):
        return ""
    names = (
        (auth.setting,) if isinstance(auth, ServiceAccount) else (auth.client_id_setting, auth.client_secret_setting)
    )
    with_what = "\n".join([url, *(str(connected.settings.get(name)) for name in names)])
    return vault.keyed_hash("token issuer", with_what)


def _is_good(row: GrantRow, refused: str) -> bool:
    early = row.renew_at is not None and row.renew_at <= now()
    return not early and _is_live(row, refused)


def _is_live(row: GrantRow, refused: str) -> bool:
    over = row.expires_at is not None and row.expires_at <= now()
    return not over and _access_token(row) != refused


def _access_token(row: GrantRow | None) -> str:
    return str(vault.unseal(row.tokens)["access"]) if row is not None else ""


def _refresh_token(row: GrantRow | None) -> str:
    return str(vault.unseal(row.tokens).get("refresh") or "") if row is not None else ""


def _columns(granted: Granted, at: datetime, refresh_token: str, life: float | None, *, renews: bool) -> Values:
    def after(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    return {
        "tokens": vault.seal({"access": granted.access_token, "refresh": refresh_token}),
        "expires_at": after(life) if life is not None else None,
        "renew_at": after(max(life - EARLY, life / 2)) if life is not None and renews else None,
        "broken_at": None,
    }


def _keep_members(
    tx: Connection, at: datetime, auth: OAuth2, connected: Connected, granted: Granted, *, strict: bool = False
) -> None:
    """Members of the answer that are settings of the connection. ``strict``: one that does not fit is an error."""
    told = {name: granted.told[name] for name in auth.keeps if granted.told.get(name) not in (None, "")}
    row = connections.get_connection(tx, connected.id) if told else None
    if row is None:
        return
    values = {**row.settings, **vault.unseal(row.secrets)}
    if all(values.get(name) == value for name, value in told.items()):
        return
    try:
        plain, hidden = split_settings(connected.connector, values | told)
    except ValidationError as error:
        log.warning("%s: what came with the token does not fit: %s", connected.id, list(error.messages_dict))
        if strict:
            name = connected.connector.name
            raise BadCredentials(f"{name} granted access, but what it told of the account cannot be used.") from None
        return
    connections.change_connection(tx, connected.id, at, settings=plain, secrets=vault.seal(hidden))


def _surely(store: Store, keep: Callable[[Connection], bool]) -> bool:
    """Store it, also over a short absence of the database: a refresh token that was replaced is worth nothing."""
    for pause in (0.2, 1.0, 4.0):
        try:
            with store.write() as tx:
                return keep(tx)
        except OperationalError:
            log.exception("new tokens could not be stored yet")
            time.sleep(pause)
    with store.write() as tx:
        return keep(tx)

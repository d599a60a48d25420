"""Access that people grant: where they are sent, what they bring back, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from hub.connecting import vault
from hub.connecting.connected import Connected
from hub.contract.auth import OAuth2
from hub.contract.connector import Connector
from hub.contract.errors import BadCredentials, ConnectorBroken, DeliveryError
from hub.contract.vocabulary import Text
from hub.outgoing import grants, oauth
from hub.outgoing.sender import shared_sender
from hub.settings import settings
from hub.steer import connections as steer
from hub.steer import replay
from hub.steer.errors import Invalid, NotFound, in_both
from hub.store import Store, accounts, connections, inbound, now
from hub.store import grants as stored
from hub.store.connections import ConnectionRow
from hub.store.grants import GrantRow

REQUEST_SECONDS = 600
"""How long a person may take at the platform."""

REPAIRED = frozenset({"grant_missing", "grant_broken", "credentials_refused"})
"""Why a connection stood still that goes on by itself once access is granted."""


class NotGranted(Exception):
    """No access came of it; ``message`` says why and what to do. ``connection_id`` is empty when that is not known."""

    def __init__(self, message: Text, connection_id: str = "") -> None:
        super().__init__(message.en)
        self.message = message
        self.connection_id = connection_id


@dataclass(frozen=True, slots=True)
class Standing:
    """How the access of a connection stands. ``ended``: it is over, and the platform gives no way to renew it."""

    state: Literal["missing", "granted", "broken", "ended"]
    since: datetime | None = None
    expires_at: datetime | None = None  # of the present token
    renews: bool = False  # the hub renews it by itself

    @property
    def good(self) -> bool:
        return self.state == "granted"


@dataclass(frozen=True, slots=True)
class Completed:
    """What a granted access led to. ``released``: deliveries that had waited for it; None: the connection was at work."""

    connection_id: str
    name: str
    role: str
    released: int | None


def needs_grant(connector: Connector) -> bool:
    """Whether a person must grant access before anything can be called."""
    return isinstance(connector.auth, OAuth2)


def redirect_uri() -> str:
    """The one address that platforms send people back to; it must be entered in the app at the platform."""
    return f"{settings().base_url}/oauth/callback"


def page_of(connection_id: str) -> str:
    """The page on which access is granted."""
    return f"{settings().base_url}/connections/{connection_id}#access"


def standing(connector: Connector, row: GrantRow | None) -> Standing | None:
    """How the access stands that is stored as ``row``. None: this connector needs none."""
    if not needs_grant(connector):
        return None
    if row is None:
        return Standing("missing")
    renews = row.renew_at is not None
    over = not renews and row.expires_at is not None and row.expires_at <= now()
    return Standing(
        "broken" if row.broken_at else "ended" if over else "granted",
        since=row.granted_at,
        expires_at=row.expires_at,
        renews=renews,
    )


def shown(tx: Connection, row: ConnectionRow) -> dict[str, Any] | None:
    """How the access of a stored connection stands, for scripts; None when it needs none, or its connector is gone."""
    try:
        found = standing(steer.find_connector(row.connector, row.role), stored.get(tx, row.id))
    except Invalid:
        return None
    if found is None:
        return None
    return {
        "state": found.state,
        "since": found.since,
        "expires_at": found.expires_at,
        "renews": found.renews,
        "connect_at": page_of(row.id),
        "redirect_uri": redirect_uri(),
    }


def begin(tx: Connection, at: datetime, connected: Connected, user_id: str, browser: str) -> str:
    """The address to send a person to. ``browser``: a secret of their session, which must bring the answer.

    Raises NotGranted while something is not filled in.
    """
    auth = _auth(connected.connector)
    state, verifier = oauth.new_state(), oauth.new_state()
    try:
        url = oauth.authorization_url(auth, connected, redirect_uri(), state, verifier)
    except BadCredentials as error:
        raise _not_filled_in(error, connected) from None
    request = {
        "state": vault.token_hash(state),
        "connection_id": connected.id,
        "user_id": user_id,
        "browser": vault.token_hash(browser),
        "verifier": vault.seal({"verifier": verifier}),
        "expires_at": at + timedelta(seconds=REQUEST_SECONDS),
    }
    stored.add_request(tx, at, request)
    return url


def complete(
    store: Store, answer: Mapping[str, str], *, workspace_id: str, user_id: str, browser: str, author: str
) -> Completed:
    """Take what the platform sent a person back with, and keep the access. Raises NotGranted; nothing else is expected."""
    verifier, connected = _expected(store, answer.get("state", ""), workspace_id, user_id, browser)
    name = connected.connector.name
    if not answer.get("code"):
        raise _declined(answer, connected)
    try:
        grants.accept(
            _auth(connected.connector),
            connected,
            answer["code"][:4096],
            verifier,
            redirect_uri(),
            shared_sender().asker(connected),
        )
    except BadCredentials as error:
        if not error.status:
            raise _not_filled_in(error, connected) from None
        raise NotGranted(_refused(name, error.detail or str(error.status)), connected.id) from None
    except DeliveryError as error:
        said = error.detail or error.message
        raise NotGranted(
            Text(
                f"{name} did not answer as it should ({said}). Press Connect to try again.",
                f"{name} n'a pas répondu comme prévu ({said}). Cliquez sur Connecter pour réessayer.",
            ),
            connected.id,
        ) from None
    return _resume(store, connected, author)


def _expected(store: Store, state: str, workspace_id: str, user_id: str, browser: str) -> tuple[str, Connected]:
    """The request that this is the answer to: asked by this person in this browser, not answered yet."""
    with store.write() as tx:
        request = stored.take_request(tx, now(), vault.token_hash(state)) if state else None
        mine = request is not None and request.user_id == user_id and browser
        if request is None or not mine or request.browser != vault.token_hash(browser):
            raise NotGranted(_UNKNOWN)
        verifier = str(vault.unseal(request.verifier)["verifier"])
        try:
            connected = steer.opened(tx, request.connection_id, workspace_id)
        except NotFound as gone:
            raise NotGranted(gone.message) from None
        except ConnectorBroken as error:
            raise NotGranted(in_both(error), request.connection_id) from None
    return verifier, connected


def _resume(store: Store, connected: Connected, author: str) -> Completed:
    at, released = now(), None
    with store.write() as tx:
        row = steer.get(tx, connected.id)
        accounts.record_audit(
            tx, at, row.workspace_id, None, "connection.granted", connected.id, name=row.name, by=author
        )
        if row.state == connections.NEEDS_YOU and row.state_reason in REPAIRED:
            released = steer.resume(tx, at, connected.id, author=author)
        if parked := inbound.parked_for(tx, connected.id, REPAIRED):
            replay.inbound_again(tx, at, row.workspace_id, parked, author=author)
    return Completed(connected.id, row.name, row.role, released)


def _auth(connector: Connector) -> OAuth2:
    if not isinstance(connector.auth, OAuth2):
        raise NotFound(Text("Nothing has to be granted here.", "Aucun accès n'est à accorder ici."))
    return connector.auth


def _declined(answer: Mapping[str, str], connected: Connected) -> NotGranted:
    name = connected.connector.name
    if answer.get("error") in ("access_denied", "user_denied", "user_cancelled_authorize", "consent_required"):
        return NotGranted(
            Text(
                f"Access was not granted at {name}. Nothing has changed; press Connect when you want to try again.",
                f"L'accès n'a pas été accordé chez {name}. Rien n'a changé ; cliquez sur Connecter pour réessayer.",
            ),
            connected.id,
        )
    words = (answer.get("error_description") or answer.get("error") or "no code, no reason")[:300]
    return NotGranted(_refused(name, words), connected.id)


def _refused(name: str, words: str) -> Text:
    return Text(
        f"{name} refused: {words}. Check the client id and secret, and that the redirect address shown here stands in "
        "your app there; then press Connect again.",
        f"{name} a refusé : {words}. Vérifiez l'identifiant et le secret client, et que l'adresse de redirection affichée "
        "ici figure dans votre application ; puis cliquez de nouveau sur Connecter.",
    )


def _not_filled_in(error: BadCredentials, connected: Connected) -> NotGranted:
    if error.reason != "grant_missing":
        return NotGranted(in_both(error), connected.id)
    return NotGranted(
        Text(
            "Fill in and save the client id and secret under Settings first, then press Connect.",
            "Remplissez et enregistrez d'abord l'identifiant et le secret client dans les réglages, puis cliquez sur "
            "Connecter.",
        ),
        connected.id,
    )


_UNKNOWN = Text(
    "This answer is not expected (any more): it came too late, twice, or from another browser than the one that asked. "
    "Open the connection and press Connect again.",
    "Cette réponse n'est pas (ou plus) attendue : elle est arrivée trop tard, deux fois, ou d'un autre navigateur. Ouvrez "
    "la connexion et cliquez de nouveau sur Connecter.",
)

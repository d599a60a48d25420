"""A connection ready for use: its connector and its settings in clear."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from hub.connecting import vault
from hub.connecting.registry import UnknownConnector, registry
from hub.connecting.seams import guarded
from hub.contract.connector import Connector, Destination, Settings, Source
from hub.contract.errors import ConfigError, ConnectorBroken
from hub.contract.settings import secret_names
from hub.settings import settings as hub_settings
from hub.store.connections import ConnectionRow

PIXEL_DOOR, WEBHOOK_DOOR = "/v1/conversion/pixel", "/in"  # paths under which senders reach their source


@dataclass(frozen=True, slots=True)
class Connected:
    """``row`` is the connection as stored; ``settings`` is what the connector is given."""

    row: ConnectionRow
    connector: Connector
    settings: Settings

    @property
    def id(self) -> str:
        return str(self.row.id)

    @property
    def workspace_id(self) -> str:
        return str(self.row.workspace_id)

    @property
    def source(self) -> Source:
        assert isinstance(self.connector, Source)  # noqa: S101 - the row's role was checked when it was opened
        return self.connector

    @property
    def destination(self) -> Destination:
        assert isinstance(self.connector, Destination)  # noqa: S101 - as above
        return self.connector


def open_connection(row: ConnectionRow) -> Connected:
    """Find the connector, decrypt, bring old settings up to date, load.

    Raises ConnectorBroken with what to do and the reason :data:`UNUSABLE`, and nothing else: a connection that cannot be
    opened is nobody else's trouble.
    """
    try:
        return _opened(row)
    except ConfigError as error:  # not installed, or another key than its secrets were sealed with
        raise ConnectorBroken(str(error), reason=UNUSABLE) from None
    except ConnectorBroken as error:
        raise ConnectorBroken(error.message, detail=error.detail, reason=UNUSABLE) from error


UNUSABLE = "connector_unusable"
"""The reason of everything that waits for a connection to be opened again (hub/run/reopening.py)."""


def _opened(row: ConnectionRow) -> Connected:
    role, slug = row.role, row.connector
    connector = registry().source(slug) if role == "source" else registry().destination(slug)
    values = {**row.settings, **vault.unseal(row.secrets)}
    with guarded(connector, "reading its settings"):
        if row.settings_version < connector.settings_version:
            values = connector.upgrade_settings(values, row.settings_version)
        try:
            return Connected(row, connector, connector.Settings().load(values))
        except ValidationError as error:
            raise ConnectorBroken(
                f"The settings of “{row.name}” do not fit its connector any more: open it and save it again.",
                detail=str(error.messages)[:500],
            ) from None


def public_url(connection: ConnectionRow) -> str:
    """The address of a source, as its sender was given it. A source that is broken is taken for one of webhooks."""
    base = hub_settings().base_url
    try:
        door = registry().source(connection.connector).door
    except (ConnectorBroken, UnknownConnector):
        door = "webhook"
    path = f"{PIXEL_DOOR}/{connection.number}" if door == "pixel" else f"{WEBHOOK_DOOR}/{connection.address}"
    return f"{base}{path}"


def split_settings(connector: Connector, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Validated settings as (open part, secret part), both in the form that loads again."""
    loaded = connector.Settings().load(values)
    plain = connector.Settings().dump(loaded)
    hidden = secret_names(type(connector.Settings()))
    return (
        {name: value for name, value in plain.items() if name not in hidden},
        {name: value for name, value in plain.items() if name in hidden and value},
    )


class ConnectionCache:
    """Connections by a key that doors are given, kept until anybody, in any process, changes a connection.

    ``version`` tells that: it is asked each time, and cheap (hub/store/connections.py).
    """

    def __init__(self, look_up: Callable[[Any], Connected | None], version: Callable[[], int]) -> None:
        self._look_up = look_up
        self._version = version
        self._known: dict[Any, tuple[int, Connected | None]] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Any) -> Connected | None:
        version = self._version()
        known = self._known.get(key)
        if known is not None and known[0] == version:
            return known[1]
        with self._lock:  # one thread asks the database, the others wait for its answer
            known = self._known.get(key)
            if known is not None and known[0] == version:
                return known[1]
            if len(self._known) > 10_000:  # addresses that were guessed must not fill the memory
                self._known.clear()
            found = self._look_up(key)
            self._known[key] = (version, found)
            return found

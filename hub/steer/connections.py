"""Connections: set up, change, pause, remove, and try out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import Connection

from hub.connecting import vault
from hub.connecting.connected import Connected, open_connection, public_url, split_settings
from hub.connecting.masking import MASK
from hub.connecting.registry import Role, UnknownConnector, registry
from hub.connecting.seams import asking, guarded, told
from hub.contract.auth import OAuth2, ServiceAccount
from hub.contract.calls import Recipe
from hub.contract.connector import Connector, Destination, Field
from hub.contract.errors import ConnectorBroken
from hub.contract.settings import secret_names
from hub.contract.vocabulary import Text
from hub.outgoing.oauth import NotAKey, service_account_key
from hub.outgoing.sender import run_recipe
from hub.steer import order_scopes, routes
from hub.steer.errors import NotFound, from_schema, in_both, invalid
from hub.store import accounts, deliveries, replays
from hub.store import connections as store
from hub.store.base import alone
from hub.store.connections import ConnectionRow
from hub.toolkit.signing import new_whsec

LONGEST_NAME = 200
LONGEST_SCOPE = 64


def connect(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    *,
    connector: str,
    role: Role,
    name: str,
    settings: dict[str, Any],
    add_route: bool = True,
    same_orders_as: str = "",
    author: str = "",
) -> str:
    """Set up ``connector`` in the ``role`` "source" or "destination"; returns the connection's id.

    A destination gets its first route, with what the connector proposes, unless ``add_route`` is False. A source tells of
    the ``same_orders_as`` the source with that id, "common" or "own"; left out, a second one that numbers its orders for
    itself gets its own (:mod:`hub.steer.order_scopes`). Raises Invalid.
    """
    found = find_connector(connector, role)
    alone(tx, f"connections:{workspace_id}")  # two shops that come at the same moment must see each other
    plain, hidden = _checked(found, _without_empty(settings) | _generated(found, settings))
    name = _name(name or found.name)
    columns = {
        "workspace_id": workspace_id,
        "connector": connector,
        "role": role,
        "name": name,
        "settings": plain,
        "secrets": vault.seal(hidden),
        "settings_version": found.settings_version,
    }
    if isinstance(found.auth, OAuth2):
        columns |= {"state": store.NEEDS_YOU, "state_reason": "grant_missing"}
    connection_id = store.add_connection(tx, at, columns)
    if role == "source":
        _set_first_scope(tx, at, connection_id, same_orders_as)
    accounts.record_audit(tx, at, workspace_id, None, "connection.added", connection_id, connector=connector, by=author)
    if add_route and isinstance(found, Destination):
        routes.add(tx, at, workspace_id, connection_id=connection_id, name=name, author=author)
    return connection_id


def change(
    tx: Connection,
    at: datetime,
    connection_id: str,
    *,
    workspace_id: str | None = None,
    name: str | None = None,
    settings: dict[str, Any] | None = None,
    order_scope: str | None = None,
    same_orders_as: str | None = None,
    author: str = "",
) -> None:
    """Change what is given. Of ``settings``, names that are left out keep their value.

    ``same_orders_as`` puts a source together with another one, or apart, for what arrives from now on; as in
    :func:`connect`.

    A secret that is empty or ``***`` keeps what is stored; None takes it away. Raises Invalid and NotFound.
    """
    alone(tx, f"connection:{connection_id}")  # what is given is put together with what is stored
    row = get(tx, connection_id, workspace_id)
    columns: dict[str, Any] = {}
    if name is not None:
        columns["name"] = _name(name)
    if order_scope is not None:
        columns["order_scope"] = order_scope.strip()[:LONGEST_SCOPE]
    if same_orders_as and row.role == "source":
        columns["order_scope"] = order_scopes.chosen(tx, row, same_orders_as)
    if settings is not None:
        connector = find_connector(row.connector, row.role)
        plain, hidden = _checked(connector, _merged(connector, row, settings))
        columns |= {"settings": plain, "secrets": vault.seal(hidden), "settings_version": connector.settings_version}
    store.change_connection(tx, connection_id, at, **columns)
    _audit(tx, at, row, "connection.changed", author)


def _set_first_scope(tx: Connection, at: datetime, connection_id: str, same_orders_as: str) -> None:
    row = get(tx, connection_id)
    scope = order_scopes.chosen(tx, row, same_orders_as) if same_orders_as else order_scopes.at_first(tx, row)
    if scope:
        store.change_connection(tx, connection_id, at, order_scope=scope)


def pause(
    tx: Connection, at: datetime, connection_id: str, *, workspace_id: str | None = None, author: str = ""
) -> None:
    """Nothing is counted from this source, or sent to this destination, until it is resumed; what comes is kept."""
    row = get(tx, connection_id, workspace_id)
    reason = "source_paused" if row.role == "source" else "destination_paused"
    store.set_state(tx, connection_id, at, store.PAUSED, reason)
    _audit(tx, at, row, "connection.paused", author)


def resume(
    tx: Connection, at: datetime, connection_id: str, *, workspace_id: str | None = None, author: str = ""
) -> int:
    """Go on, forgetting earlier failures. Returns how many deliveries that had been held back are due now."""
    row = get(tx, connection_id, workspace_id)
    store.set_state(tx, connection_id, at, store.ACTIVE)
    store.change_connection(tx, connection_id, at, breaker={}, throttled_until=None)
    _audit(tx, at, row, "connection.resumed", author)
    return replays.release(tx, connection_id, at)


def remove(
    tx: Connection, at: datetime, connection_id: str, *, workspace_id: str | None = None, author: str = ""
) -> None:
    """Take the connection and its routes away. What it brought or received stays; what waits for it is not sent."""
    row = get(tx, connection_id, workspace_id)
    deliveries.call_off(tx, at, connection_id=connection_id)
    store.remove_connection(tx, connection_id)
    _audit(tx, at, row, "connection.removed", author)


def get(tx: Connection, connection_id: str, workspace_id: str | None = None) -> ConnectionRow:
    """The stored connection. Raises NotFound."""
    row = store.get_connection(tx, connection_id, workspace_id)
    if row is None:
        raise NotFound(Text("There is no such connection (any more).", "Cette connexion n'existe pas ou plus."))
    return row


def opened_source(tx: Connection, connection_id: str, workspace_id: str) -> Connected:
    """As :func:`opened`, of a source. Raises NotFound also for a destination."""
    if get(tx, connection_id, workspace_id).role != "source":
        raise NotFound(Text("This is a destination, not a source.", "C'est une destination, pas une source."))
    return opened(tx, connection_id)


def not_a_destination() -> NotFound:
    return NotFound(Text("This is a source, not a destination.", "C'est une source, pas une destination."))


def find_connector(slug: str, role: Role) -> Connector:
    """The installed connector. Raises Invalid when there is none of that name and role, or it is broken."""
    if role not in ("source", "destination"):
        raise invalid("role", "The role is source or destination.", "Le rôle est source ou destination.")
    try:
        return registry().source(slug) if role == "source" else registry().destination(slug)
    except UnknownConnector as error:
        raise invalid("connector", str(error), str(error)) from None
    except ConnectorBroken as error:
        raise invalid("connector", *in_both(error)) from None


def shown(row: ConnectionRow) -> dict[str, Any]:
    """A stored connection as people and the API may see it: secrets as ``***``, and the address to give to a sender."""
    secrets = dict.fromkeys(vault.unseal(row.secrets), MASK)
    names = (
        "id",
        "connector",
        "role",
        "name",
        "number",
        "state",
        "state_reason",
        "state_detail",
        "order_scope",
        "created_at",
        "updated_at",
    )
    return {name: getattr(row, name) for name in names} | {"settings": {**row.settings, **secrets}, "url": address(row)}


def address(row: ConnectionRow) -> str | None:
    """The public address of a source; None for a destination."""
    return public_url(row) if row.role == "source" else None


def check(connected: Connected) -> Text | str:
    """Ask the other side whether the credentials work; what it said, in English only where the connector says it.

    Raises DeliveryError, ConnectorBroken.
    """
    said = _ask(connected, "checking the credentials", connected.connector.check)
    name = connected.connector.name
    return (
        str(said)
        if said
        else Text(
            f"{name} offers no check: the first message will tell.",
            f"{name} n'offre pas de vérification : le premier message le dira.",
        )
    )


def prepare(connected: Connected) -> Text | str:
    """Create at the platform what deliveries need; as :func:`check`."""
    said = _ask(connected, "preparing the destination", connected.destination.prepare)
    name = connected.connector.name
    return str(said) if said else Text(f"{name} needs no preparation.", f"{name} n'a besoin d'aucune préparation.")


def discover(connected: Connected) -> list[Field]:
    """The fields this account takes, asked of the platform where it can be. Raises DeliveryError, ConnectorBroken."""
    found = _ask(connected, "asking for the fields", connected.destination.discover)
    with guarded(connected.connector, "naming its fields"):
        fields = list(connected.destination.fields if found is None else found)
        if not all(isinstance(field, Field) for field in fields):
            raise TypeError("not every field is a Field")
        return fields


def opened(tx: Connection, connection_id: str, workspace_id: str | None = None) -> Connected:
    """A connection ready for :func:`check` and its like, which must run outside the transaction.

    Raises NotFound, and ConnectorBroken when its connector is missing, broken or does not take its settings.
    """
    return open_connection(get(tx, connection_id, workspace_id))


def form_of(connector: Connector, language: str = "en") -> list[dict[str, Any]]:
    """The connector's settings as a form (:func:`fields_of`)."""
    return fields_of(connector.Settings(), language)


def fields_of(schema: Schema, language: str = "en") -> list[dict[str, Any]]:
    """A schema as a form: one dict a field, in order.

    Keys: name, label, help, placeholder, widget, secret, generate, required, default, and ``choices`` and ``names``
    (tables: what may stand on the right and the left) as lists of {"value", "label"}, or None.
    """
    return [_form_field(name, field, language) for name, field in schema.fields.items()]


def _form_field(name: str, field: Any, language: str) -> dict[str, Any]:
    about = field.metadata
    default = field.load_default() if callable(field.load_default) else field.load_default
    words = {key: text.in_(language) if (text := about.get(key)) else "" for key in ("label", "help")}
    return {
        "name": name,
        "label": words["label"] or name,
        "help": words["help"],
        "placeholder": about.get("placeholder") or "",
        "widget": about.get("widget") or "text",
        "secret": bool(about.get("secret")),
        "generate": about.get("generate") or "",
        "required": bool(field.required),
        "default": default if isinstance(default, str | int | bool | list | dict) else None,
        "choices": _options(about.get("choices"), language),
        "names": _options(about.get("names"), language),
    }


def _options(choices: dict[str, Text] | None, language: str) -> list[dict[str, str]] | None:
    if choices is None:
        return None
    return [{"value": str(value), "label": label.in_(language)} for value, label in choices.items()]


def _ask(connected: Connected, doing: str, method: Callable[..., Recipe | None]) -> Any:
    return run_recipe(connected, asking(connected.connector, doing, method, connected.settings))


def _checked(connector: Connector, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        plain, hidden = split_settings(connector, values)
    except ValidationError as error:
        raise from_schema(error) from None
    if isinstance(connector.auth, ServiceAccount) and (pasted := (plain | hidden).get(connector.auth.setting)):
        try:
            service_account_key(pasted)
        except NotAKey as error:
            raise invalid(connector.auth.setting, error.said.en, error.said.fr) from None
    return plain, hidden


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """An empty box of a form is a setting that was not given: its default counts, or it is missed."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def _generated(connector: Connector, values: dict[str, Any]) -> dict[str, Any]:
    fields = connector.Settings().fields
    wanted = (name for name, field in fields.items() if field.metadata.get("generate") == "whsec")
    return {name: [new_whsec()] for name in wanted if not values.get(name)}


def _merged(connector: Connector, row: ConnectionRow, values: dict[str, Any]) -> dict[str, Any]:
    """What is stored, brought up to date, under what is given."""
    stored = {**row.settings, **vault.unseal(row.secrets)}
    if row.settings_version < connector.settings_version:
        stored = told(connector, "reading its settings", connector.upgrade_settings, stored, row.settings_version)
    secrets = secret_names(connector.Settings)
    given = {name: _kept(value, stored.get(name)) if name in secrets else value for name, value in values.items()}
    return _without_empty({**stored, **given})


def _kept(value: Any, stored: Any) -> Any:
    """A secret as given, with ``***`` standing for what is stored, also as one line among new ones."""
    if value in ("", MASK):
        return stored
    lines = value.splitlines() if isinstance(value, str) and isinstance(stored, list) else value
    if isinstance(lines, list) and MASK in lines and isinstance(stored, list):
        return list(dict.fromkeys(line for given in lines for line in (stored if given == MASK else [given])))
    return value


def _name(name: str) -> str:
    clean = " ".join(str(name).split())
    if not clean or len(clean) > LONGEST_NAME:
        raise invalid(
            "name",
            f"Give it a name of at most {LONGEST_NAME} characters.",
            f"Donnez-lui un nom de {LONGEST_NAME} caractères au plus.",
        )
    return clean


def _audit(tx: Connection, at: datetime, row: ConnectionRow, action: str, author: str) -> None:
    accounts.record_audit(tx, at, row.workspace_id, None, action, row.id, name=row.name, by=author)

"""Subscriptions through the REST API: a Zap (or Make, or n8n) that is switched on connects itself.

The hub names no connector. A subscriber gets the destination that it names, or the one whose ``hook_hosts`` fit its
address, among those that say ``subscribes``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from hub.connecting.registry import registry
from hub.contract.connector import Destination
from hub.contract.errors import ConfigError
from hub.contract.settings import Url
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS, Kind, Stage
from hub.mapping.catalog import FIELDS, CatalogField
from hub.mapping.preview import preview
from hub.route import NEW_CONTACT
from hub.steer import connections, examples, routes
from hub.steer.errors import Invalid, NotFound, invalid
from hub.store import campaigns, conversions
from hub.store import connections as store

EVENTS: dict[str, dict[str, Any]] = {
    "conversion": {},
    "refund": {"stages": ("refund", "dispute")},
    "lead": {"stages": ("lead",)},
    "contact": {"conditions": ({"path": "flags", "op": "equals", "value": NEW_CONTACT},)},
}
"""What can be subscribed to: each is conversions of some stages, or that meet some conditions."""
OTHER_KINDS = tuple(str(kind) for kind in Kind if kind is not Kind.CONVERSION)
FILTERS = ("stages", "offers", "campaigns")
MOST_WORDS = 100  # in one list of a filter
ADDRESS = "https://example.com/hook"  # stands for the subscriber's while samples are made

Json = dict[str, Any]


def subscribe(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    *,
    target_url: str,
    filters: Mapping[str, Any],
    event: str = "conversion",
    connector: str = "",
    author: str = "",
) -> str:
    """Send what is of this ``event`` (one of EVENTS) and passes ``filters`` to ``target_url`` from now on.

    ``connector`` names the tool that asks; left out, it is told by the address. Returns the subscription's id. Raises
    Invalid.
    """
    try:
        host = urlsplit(target_url).hostname or ""
        destination = subscriber(host, connector)
        way = _way(tx, workspace_id, destination, event, filters)
        connection_id = connections.connect(
            tx,
            at,
            workspace_id,
            connector=destination.slug,
            role="destination",
            name=f"{destination.name} {host}"[:200],
            settings={_address_setting(destination): target_url},
            add_route=False,
            author=author,
        )
    except Invalid as error:
        if error.messages.keys() & {"filters", "connector"}:
            raise
        raise Invalid({"target_url": [line for lines in error.messages.values() for line in lines]}) from None
    except ValueError:
        raise invalid("target_url", "This is not an address.", "Ce n'est pas une adresse.") from None
    routes.add(tx, at, workspace_id, connection_id=connection_id, author=author, **way)
    return connection_id


def unsubscribe(tx: Connection, at: datetime, workspace_id: str, hook_id: str, *, author: str = "") -> None:
    """Stop sending. An id that is not known (any more) is as good as removed."""
    row = store.get_connection(tx, hook_id, workspace_id)
    if row is None or row.role != "destination" or row.connector not in {one.slug for one in subscribers()}:
        return
    try:
        connections.remove(tx, at, hook_id, workspace_id=workspace_id, author=author)
    except NotFound:
        return


def samples(
    tx: Connection, workspace_id: str, limit: int, language: str = "en", event: str = "conversion"
) -> list[Json]:
    """The bodies of the newest conversions as a subscriber would get them; a made-up one when there is none yet."""
    destination = subscriber()
    reached = _reached(destination, EVENTS[event].get("stages", ()))
    stages = reached["stages"] or [str(stage) for stage in destination.stages]
    kinds = reached["kinds"] or [str(kind) for kind in destination.kinds]
    found = examples.latest(tx, workspace_id, limit, stages=stages, kinds=kinds)
    settings = destination.Settings().load({_address_setting(destination): ADDRESS})
    said = preview(destination, settings, None, found or [_made_up(kinds, stages, language)], language=language)
    bodies = [one["body"] for one in said if "body" in one]
    return [body for some in bodies for body in (some if isinstance(some, list) else [some])]


def options(tx: Connection, workspace_id: str, kind: str, language: str = "en") -> list[dict[str, str]]:
    """What a filter may be chosen from: ``kind`` is one of FILTERS. Raises KeyError for another."""
    if kind == "stages":
        labels = STAGE_LABELS | {name: KIND_LABELS[name] for name in OTHER_KINDS}
        return [{"id": str(name), "name": label.in_(language)} for name, label in labels.items()]
    if kind == "offers":
        return [{"id": offer, "name": offer} for offer in conversions.offers(tx, workspace_id)]
    if kind == "campaigns":
        rows = campaigns.campaigns_of(tx, workspace_id)
        return [{"id": row.external_id, "name": row.name} for row in rows]
    raise KeyError(kind)


def fields(language: str = "en") -> list[Json]:
    """Every key that a body may have, an order's lines as ``items[]name``."""
    return [one for field in FIELDS for one in _described(field, language)]


def subscribers() -> list[Destination]:
    """The destinations that subscribers may be connected by. Raises ConfigError when none is installed."""
    entries = [entry for entry in registry().all() if "destination" in entry.roles and not entry.broken]
    found = [one for entry in entries if (one := registry().destination(entry.slug)).subscribes]
    if not found:
        raise ConfigError("No connector for subscriptions is installed.")
    return found


def subscriber(host: str = "", connector: str = "") -> Destination:
    """The one named ``connector``; left out, the one with the longest pattern that fits ``host``. Raises Invalid."""
    known = subscribers()
    if connector:
        named = next((one for one in known if one.slug == connector), None)
        if named is None:
            names = ", ".join(one.slug for one in known)
            raise invalid("connector", f"One of: {names}.", f"L'un de : {names}.")
        return named
    fits = [(len(pattern), one) for one in known for pattern in one.hook_hosts if fnmatchcase(host, pattern)]
    return max(fits, key=lambda pair: pair[0])[1] if fits else known[0]


def _made_up(kinds: Sequence[str], stages: Sequence[str], language: str) -> Json:
    """An invented conversion that is among the ``kinds``; a sale where that may be."""
    if Kind.CONVERSION in kinds:
        return examples.made_up_conversion(Stage.PURCHASE if Stage.PURCHASE in stages else Stage(stages[0]), language)
    return examples.made_up_conversion(None, language) | {"kind": kinds[0]}


def _address_setting(destination: Destination) -> str:
    for name, field in destination.Settings().fields.items():
        if isinstance(field, Url):
            return name
    raise ConfigError(f"The connector {destination.slug} says that it subscribes, but has no setting for the address.")


def _way(tx: Connection, workspace_id: str, destination: Destination, event: str, filters: Mapping[str, Any]) -> Json:
    """The columns of the route that lets through what is of the ``event`` and in every list that is given."""
    lists = {name: _words(name, filters.get(name)) for name in FILTERS}
    unknown = sorted(set(filters) - set(FILTERS))
    if unknown:
        raise invalid("filters", f"Unknown: {', '.join(unknown)[:200]}.", f"Inconnu : {', '.join(unknown)[:200]}.")
    conditions: list[Json] = [*EVENTS[event].get("conditions", ())]
    if lists["offers"]:
        conditions.append({"path": "offer", "op": "in", "value": lists["offers"]})
    if lists["campaigns"]:
        conditions.append(_of_campaigns(tx, workspace_id, lists["campaigns"]))
    stages = EVENTS[event].get("stages", ())
    if stages and lists["stages"]:
        raise invalid("filters", f"{event} says the stages itself.", f"{event} dit lui-même les étapes.")
    return _reached(destination, stages or lists["stages"]) | {"filter": {"all": conditions} if conditions else {}}


def _reached(destination: Destination, wanted: Sequence[str]) -> Json:
    """Stages and kinds. Without a stage among the wanted ones, the kinds alone decide."""
    if not wanted:
        return {"stages": None, "kinds": None}
    unknown = [word for word in wanted if word not in STAGE_LABELS and word not in OTHER_KINDS]
    if unknown:
        raise invalid("filters", f"No such stage: {unknown[0][:40]}.", f"Étape inconnue : {unknown[0][:40]}.")
    stages = [word for word in wanted if word in STAGE_LABELS]
    kinds = [word for word in wanted if word in OTHER_KINDS] + ([str(Kind.CONVERSION)] if stages else [])
    accepted = [str(stage) for stage in Stage if stage in destination.stages]
    return {"stages": [stage for stage in stages if stage in accepted] or accepted, "kinds": kinds}


def _of_campaigns(tx: Connection, workspace_id: str, wanted: list[str]) -> Json:
    """A conversion names its campaigns, or a tag that they carry."""
    by_id: Json = {"path": "campaigns.ids", "op": "in", "value": wanted}
    tags = campaigns.tags_of(tx, workspace_id, wanted)
    return {"any": [by_id, {"path": "campaigns.tags", "op": "in", "value": tags}]} if tags else by_id


def _words(name: str, value: Any) -> list[str]:
    if value in (None, "", []):
        return []
    if not isinstance(value, list) or len(value) > MOST_WORDS or not all(isinstance(word, str | int) for word in value):
        raise invalid(
            "filters",
            f"{name} is a list of at most {MOST_WORDS} ids.",
            f"{name} : une liste de {MOST_WORDS} ids au plus.",
        )
    return [str(word) for word in value]


_TYPES = {"money": "number", "number": "number", "integer": "integer", "boolean": "boolean", "datetime": "datetime"}
_CHOICES = {"stage": [str(stage) for stage in Stage], "kind": [str(kind) for kind in Kind]}


def _described(field: CatalogField, language: str) -> list[Json]:
    label = field.label.in_(language)
    if field.type == "list":
        return [
            {
                "key": f"{field.key}[]{name}",
                "label": f"{label}: {name}",
                "required": False,
                "type": "number" if isinstance(value, int | float) else "string",
            }
            for name, value in field.sample[0].items()
        ]
    shown: Json = {
        "key": field.key,
        "label": label,
        "type": _TYPES.get(field.type, "string"),
        "required": field.key == "id",
    }
    return [shown | ({"choices": _CHOICES[field.key]} if field.key in _CHOICES else {})]

"""What happened to one hit, from the raw message to every try of every delivery, and why.

Plain dicts and lists: times are aware datetimes, money is Decimal, each reason comes with its words (:func:`words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection

from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Headers, Inbound
from hub.contract.reasons import REASONS
from hub.contract.vocabulary import Text, Trust
from hub.store import (
    accounts,
    campaigns,
    connections,
    contacts,
    conversions,
    deliveries,
    inbound,
    orders,
    replays,
    routes,
)
from hub.store import attempts as attempt_store
from hub.store.accounts import AuditRow
from hub.store.attempts import Try
from hub.store.connections import ConnectionRow
from hub.store.contacts import ContactRow
from hub.store.conversions import ConversionRow, ObservationRow
from hub.store.deliveries import DeliveryRow
from hub.store.inbound import InboundRow
from hub.store.orders import OrderRow

LONGEST_BODY = 20_000  # characters shown
TRUSTS: dict[str, Text] = {
    Trust.PROVEN: Text("Proven by its sender", "Prouvé par son expéditeur"),
    Trust.MANUAL: Text("Entered by hand", "Saisi à la main"),
    Trust.IMPORTED: Text("Came from a file", "Importé d'un fichier"),
    Trust.CLAIMED: Text("Claimed: anyone could have sent it", "Déclaré : chacun aurait pu l'envoyer"),
}

RULES: dict[str, Text] = {
    "stage": Text("the stages of the route", "les étapes de la route"),
    "test": Text("tests are not sent", "les tests ne sont pas envoyés"),
    "filter": Text("the filter of the route", "le filtre de la route"),
    "trust": Text("proof is demanded", "une preuve est exigée"),
    "consent": Text("consent", "le consentement"),
    "suppression": Text("the person wants to be left alone", "la personne ne veut rien recevoir"),
    "age": Text("the age limit of the destination", "la limite d'âge de la destination"),
}
"""What the rules are called that hub.store.replays.RULES lists."""

Json = dict[str, Any]


def timeline(tx: Connection, workspace_id: str, inbound_id: str) -> Json | None:
    """All of one message; None when the workspace has none of that id.

    Keys: ``message`` (as it arrived, secrets masked), ``verdict`` (state, trust, reason), ``readings`` (what it was
    read as, field by field, and the effect), ``conversions`` (each with its ``deliveries``), ``orders``, ``contacts``.
    """
    row = inbound.get(tx, inbound_id, workspace_id)
    if row is None:
        return None
    observed = conversions.of_inbound(tx, inbound_id)
    known = conversions.by_ids(tx, {one.conversion_id for one in observed if one.conversion_id})
    return {
        "message": _message(row, connections.by_ids(tx, [row.connection_id])),
        "verdict": _verdict(row),
        "readings": [_reading(one) for one in observed],
        **_books(tx, workspace_id, list(known.values())),
    }


def timeline_of_conversion(tx: Connection, workspace_id: str, conversion_id: str) -> Json | None:
    """All of one conversion: as :func:`timeline`, but with every message that spoke of it under ``messages``."""
    row = conversions.get(tx, conversion_id, workspace_id)
    if row is None:
        return None
    observed = conversions.observed_in(tx, conversion_id)
    found = [inbound.get(tx, one, workspace_id) for one in dict.fromkeys(each.inbound_id for each in observed)]
    messages = [each for each in found if each is not None]
    sources = connections.by_ids(tx, {each.connection_id for each in messages})
    return {
        "messages": [{"message": _message(each, sources), "verdict": _verdict(each)} for each in messages],
        "readings": [_reading(one) for one in observed],
        **_books(tx, workspace_id, [row]),
    }


def words(reason: str) -> Json:
    """A reason of the closed list with its sentence and its action, in both languages."""
    known = REASONS.get(reason)
    said = known.said if known else Text(reason, reason)
    action = known.action if known else Text("", "")
    return {"code": reason, **said._asdict(), "action": action._asdict()}


def _message(row: InboundRow, sources: Mapping[str, ConnectionRow]) -> Json:
    body, cut, readable = _body(row)
    return {
        "id": row.id,
        "source": _named(row.connection_id, sources),
        "received_at": row.received_at,
        "method": row.method,
        "path": row.path,
        "query": _masked_query(row.query),
        "headers": dict(row.headers),
        "body": body,
        "cut": cut,
        "readable": readable,
        "size": len(row.body),
        "remote_ip": row.remote_ip,
        "resends": row.resends,
        "fetched": row.fetched,
    }


def _verdict(row: InboundRow) -> Json:
    return {
        "state": row.state,
        "trust": {"code": row.trust, **TRUSTS[row.trust]._asdict()},
        "reason": words(row.reason),
        "detail": row.detail,
        "tries": row.tries,
        "due_at": row.due_at if row.state == inbound.RECEIVED else None,
    }


def _reading(row: ObservationRow) -> Json:
    return {
        "id": row.id,
        "inbound_id": row.inbound_id,
        "conversion_id": row.conversion_id,
        "event_id": row.event_id,
        "trust": row.trust,
        "occurred_at": row.occurred_at,
        "effect": words(row.effect),
        "fields": _fields(row.data),
    }


def _books(tx: Connection, workspace_id: str, rows: Sequence[ConversionRow]) -> Json:
    """The conversions, and whatever hangs on them."""
    sales = orders.by_ids(tx, {row.order_id for row in rows if row.order_id})
    people = contacts.by_ids(tx, {row.contact_id for row in rows if row.contact_id})
    names = campaigns.names_of(tx, [row.id for row in rows])
    sent = _deliveries(tx, workspace_id, rows)
    return {
        "conversions": [_conversion(row, names.get(row.id, []), sent.get(row.id, [])) for row in rows],
        "orders": [_order(tx, row) for row in sales.values()],
        "contacts": [_contact(row) for row in people.values()],
    }


def _conversion(row: ConversionRow, campaign_names: list[str], sent: list[Json]) -> Json:
    names = (
        "id",
        "event_id",
        "kind",
        "stage",
        "occurred_at",
        "value",
        "currency",
        "test",
        "trust",
        "identified_by",
        "state",
        "order_id",
        "contact_id",
        "created_at",
        "updated_at",
    )
    own = {name: getattr(row, name) for name in names}
    return own | {
        "reason": words(row.reason),
        "fields": _fields(row.data),
        "campaigns": campaign_names,
        "deliveries": sent,
    }


def _order(tx: Connection, row: OrderRow) -> Json:
    lines = orders.lines(tx, row.id)
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.amount
    names = (
        "id",
        "display_id",
        "status",
        "currency",
        "gross",
        "refunded",
        "disputed",
        "test",
        "paid_at",
        "subscription_id",
    )
    columns = ("kind", "amount", "currency", "occurred_at", "booked_at", "conversion_id")
    return {name: getattr(row, name) for name in names} | {
        "net": orders.net(row),
        "names": orders.aliases_of(tx, row.id),
        "lines": [{name: getattr(line, name) for name in columns} | {"note": words(line.note)} for line in lines],
        "sums": sums,
    }


def _contact(row: ContactRow) -> Json:
    return {"id": row.id, "email": row.email, "fields": _fields(row.data), "merged_into": row.merged_into}


def _deliveries(tx: Connection, workspace_id: str, rows: Iterable[ConversionRow]) -> dict[str, list[Json]]:
    """By conversion, in the order of their making."""
    planned = sorted(deliveries.of_conversions(tx, [row.id for row in rows]).values(), key=lambda one: one.id)
    targets = connections.by_ids(tx, {one.connection_id for one in planned})
    ways = {row.id: row.name for row in routes.routes_of(tx, workspace_id)} if planned else {}
    tries = attempt_store.of_deliveries(tx, [one.id for one in planned])
    overrides = accounts.overrides_of(tx, [one.id for one in planned])
    found: dict[str, list[Json]] = {}
    for one in planned:
        shown = _delivery(one, tries.get(one.id, []), overrides.get(one.id, []))
        shown |= {"destination": _named(one.connection_id, targets), "route": ways.get(one.route_id, "")}
        found.setdefault(one.conversion_id, []).append(shown)
    return found


def _delivery(row: DeliveryRow, attempts: Iterable[Try], overrides: Iterable[AuditRow]) -> Json:
    return {
        "id": row.id,
        "route_id": row.route_id,
        "state": row.state,
        "reason": words(row.reason),
        "detail": row.detail,
        "tries": row.tries,
        "rule": replays.rule_of(row.reason),
        "overrides": [_override(one) for one in overrides],
        "done_at": row.done_at,
        "due_at": row.due_at if row.state == deliveries.WAITING else None,
        "attempts": [
            {
                "number": one.number,
                "at": one.at,
                "result": one.result,
                "reason": words(one.reason),
                "detail": one.detail,
                "milliseconds": one.milliseconds,
                "records": one.records,
                "calls": one.calls or [],
            }
            for one in attempts
        ],
    }


def _override(row: AuditRow) -> Json:
    rule = row.detail["rule"]
    words = RULES.get(rule, Text(rule, rule))
    return {
        "at": row.at,
        "rule": {"code": rule, **words._asdict()},
        "why": row.detail["why"],
        "by": row.detail["by"],
    }


def _named(connection_id: str, rows: Mapping[str, ConnectionRow]) -> Json:
    """A connection by its name; one that was removed since has none."""
    row = rows.get(connection_id)
    return {"id": connection_id, "name": row.name if row else "", "connector": row.connector if row else ""}


def _body(row: InboundRow) -> tuple[str, bool, bool]:
    """The body as text, whether it was cut, and whether it is text at all."""
    content = bytes(row.body)
    with suppress(NotUnderstood):  # wrongly said to be compressed: shown as it came
        content = Inbound(content, Headers(row.headers), row.received_at).content()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text, readable = content.decode("utf-8", "replace"), False
    else:
        readable = True
    return text[:LONGEST_BODY], len(text) > LONGEST_BODY, readable


_SECRET = re.compile(r"token|secret|password|signature|api[-_]?key|^key$|^sig$", re.IGNORECASE)


def _masked_query(query: str) -> str:
    """The query as it came; values of parameters that carry a secret are ``***``."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_SECRET.search(name) for name, _ in pairs):
        return query
    return urlencode([(name, "***" if _SECRET.search(name) else value) for name, value in pairs], safe="*")


def _fields(data: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every value that is there, as (path, value), in the order of the shape: ``("items[0].name", "Course")``."""
    if isinstance(data, dict):
        inner = ((f"{path}.{name}" if path else name, part) for name, part in data.items())
    elif isinstance(data, list):
        inner = ((f"{path}[{index}]", part) for index, part in enumerate(data))
    else:
        return [] if data in (None, "") else [(path, data)]
    return [pair for name, part in inner for pair in _fields(part, name)]

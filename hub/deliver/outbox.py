"""What one destination is to be sent now, with all that is known of it; and what may not be sent any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.connecting import vault
from hub.connecting.connected import Connected
from hub.contract.calls import Outcome, Result
from hub.contract.vocabulary import Trust
from hub.store import accounts, campaigns, contacts, conversions, deliveries, orders, routes
from hub.store.accounts import WorkspaceRow
from hub.store.conversions import SentConversion
from hub.store.deliveries import DueDelivery
from hub.store.orders import Lifetime, OrderRow
from hub.store.routes import MappingRow, RouteRow

SALE_WAIT = 900.0  # seconds that a refund waits for its sale at the least
CONSENT_RULE = {"analytics": True, "ads": False, "email": False}
"""What an unknown consent means where the workspace has not decided: measuring yes, marketing no."""


@dataclass(slots=True)
class OutboxItem:
    """One delivery that is due, and everything its mapping may read. ``mapping`` is the version to use."""

    delivery: DueDelivery
    conversion: SentConversion
    route: RouteRow
    mapping: MappingRow
    workspace: WorkspaceRow
    # From the books, as far as the mapping may read them.
    order: OrderRow | None = None
    lifetime: list[Lifetime] | None = None
    campaign_names: list[str] = field(default_factory=list)
    refusal: Outcome | None = None  # why it may not be sent


@dataclass(frozen=True, slots=True)
class Lost:
    """A delivery whose route or conversion is gone: it is not sent, and why."""

    delivery: DueDelivery
    refusal: Outcome


def load(tx: Connection, connected: Connected, at: datetime, limit: int) -> list[OutboxItem | Lost]:
    """The next ``limit`` deliveries of this destination, oldest first. Everything in a handful of bulk queries.

    More than ``limit`` only where several share a ticket: one ask tells the verdict on all of them.
    What has lost its route or conversion meanwhile comes last, with that as its refusal.
    """
    due = deliveries.with_their_tickets(tx, connected.id, deliveries.due(tx, connected.id, at, limit))
    if not due:
        return []
    items, lost = _with_their_routes(tx, connected, due)
    _add_books(tx, items, [mapping.rules for mapping in {one.mapping.id: one.mapping for one in items}.values()])
    _add_refusals(tx, connected, items, at)
    return [*items, *lost]


def held_back(tx: Connection, connected: Connected, rows: Sequence[DueDelivery], at: datetime) -> dict[str, str]:
    """Ask again, as of now, what is asked before each sending: by delivery, the reason of the rule against it."""
    items, lost = _with_their_routes(tx, connected, rows)
    _add_refusals(tx, connected, items, at)
    refused = {one.delivery.id: one.refusal for one in items if one.refusal is not None}
    # One that has to wait is not held back: its lane sends it when it is time.
    found = {name: told.reason for name, told in refused.items() if told.result is not Result.TRY_LATER}
    return found | {one.delivery.id: one.refusal.reason for one in lost}


def _with_their_routes(
    tx: Connection, connected: Connected, due: Sequence[DueDelivery]
) -> tuple[list[OutboxItem], list[Lost]]:
    of = conversions.to_send(tx, {row.conversion_id for row in due})
    own = {row.id: row for row in routes.routes_of(tx, connected.workspace_id, connection_id=connected.id)}
    wanted = {row.mapping_id or own[row.route_id].mapping_id for row in due if row.route_id in own}
    versions = routes.mappings(tx, wanted)
    workspace = accounts.get_workspace(tx, connected.workspace_id)
    assert workspace is not None  # noqa: S101 - a connection's workspace exists as long as it does
    items, lost = list[OutboxItem](), list[Lost]()
    for row in due:
        route, conversion = own.get(row.route_id), of.get(row.conversion_id)
        if route is not None and conversion is not None:
            mapping = versions[row.mapping_id or route.mapping_id]
            items.append(OutboxItem(row, conversion, route, mapping, workspace))
        else:
            lost.append(Lost(row, Outcome.skipped("route_removed")))
    return items, lost


def _add_books(tx: Connection, items: Sequence[OutboxItem], rules: Sequence[Any]) -> None:
    """Orders, customers and campaigns, each only if one of the mappings (their ``rules``) may read it."""
    if routes.may_read(rules, "order"):
        known = orders.by_ids(tx, {one.conversion.order_id for one in items if one.conversion.order_id})
        for one in items:
            one.order = known.get(one.conversion.order_id or "")
    if routes.may_read(rules, "customer"):
        people = {one.conversion.contact_id for one in items if one.conversion.contact_id}
        lifetimes = orders.lifetime(tx, people)
        for one in items:
            one.lifetime = lifetimes.get(one.conversion.contact_id or "", [])
    if routes.may_read(rules, "campaign_names"):
        aimed = [one.conversion.id for one in items if any(one.conversion.data["campaigns"].values())]
        names = campaigns.names_of(tx, aimed)
        for one in items:
            one.campaign_names = names.get(one.conversion.id, [])


def _add_refusals(tx: Connection, connected: Connected, items: Sequence[OutboxItem], at: datetime) -> None:
    """Consent, suppression and trust as they stand at this moment."""
    purpose = connected.destination.purpose
    people = {one.conversion.contact_id for one in items if one.conversion.contact_id}
    said = contacts.consents_of(tx, people) if purpose else {}
    hashes = {email: vault.suppression_hash(email) for email in map(_email, items) if email}
    suppressed = contacts.suppressed(tx, connected.workspace_id, hashes.values())
    amending = [one.conversion.order_id for one in items if one.conversion.kind in connected.destination.amends]
    sales = deliveries.purchases_at(tx, connected.id, {order_id for order_id in amending if order_id})
    for one in items:
        if one.delivery.ticket:
            continue  # it is sent already, only the verdict is awaited
        email, overridden = _email(one), one.delivery.overridden
        if one.route.trust == Trust.PROVEN and one.conversion.trust != Trust.PROVEN and overridden != "trust":
            one.refusal = Outcome.skipped("trust_too_low")
        elif email and overridden != "suppression" and (why := _suppressed(purpose, suppressed.get(hashes[email]))):
            one.refusal = Outcome.skipped(why)
        elif purpose and overridden != "consent" and not _consents(purpose, one, said):
            one.refusal = Outcome.skipped("no_consent")
        elif overridden != "age" and _too_old(connected, one, at):
            one.refusal = Outcome(Result.EXPIRED, "too_old")
        elif one.conversion.kind in connected.destination.amends:
            one.refusal = _without_its_sale(sales.get(one.conversion.order_id or ""))


def _suppressed(purpose: str | None, why: str | None) -> str:
    """The reason why nothing is sent of a person who is left alone for ``why``; empty when it may be sent."""
    if why == contacts.UNSUBSCRIBED:
        return "unsubscribed" if purpose == "email" else ""
    return "person_suppressed" if why else ""


def _without_its_sale(state: str | None) -> Outcome | None:
    """Why a refund stays here: its sale is still on the way (verdicts take long), or was never sent there."""
    if state is None:
        return Outcome.skipped("sale_not_sent")
    return None if state == deliveries.DELIVERED else Outcome(Result.TRY_LATER, "waiting_for_sale", after=SALE_WAIT)


def _too_old(connected: Connected, one: OutboxItem, at: datetime) -> bool:
    limit = connected.destination.max_age
    return limit is not None and (at - one.conversion.occurred_at).total_seconds() > limit


def _consents(purpose: str, one: OutboxItem, said: dict[tuple[str, str], bool]) -> bool:
    told: Any = said.get((one.conversion.contact_id or "", purpose))
    if told is None:
        told = one.conversion.data["consent"].get(purpose)
    if told is None:
        told = {**CONSENT_RULE, **one.workspace.consent_rule}.get(purpose)
    return bool(told)


def _email(one: OutboxItem) -> str | None:
    return (one.conversion.data["contact"].get("email") or "").strip().lower() or None

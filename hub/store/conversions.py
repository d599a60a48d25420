"""Observations (a conversion as one message tells it) and conversions (what all of them together say)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, String, Table, UniqueConstraint, func, select, update

from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Money,
    Row,
    chunks,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    metadata,
)
from hub.store.orders import order

observation = Table(
    "observation",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("connection_id", Id, nullable=False),
    Column("inbound_id", Id, nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("subject", String(300), nullable=False),  # "o:<order>" or "p:<person>…": what it is folded with
    Column("slot", String(300), nullable=False),
    Column("conversion_id", Id),
    Column("trust", String(10), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("effect", String(40), nullable=False),  # the reason: what this message changed
    Column("data", JsonColumn, nullable=False),
    UniqueConstraint("connection_id", "event_id"),
    Index("ix_observation_subject", "workspace_id", "subject"),
    Index("ix_observation_inbound", "inbound_id"),
)


class ObservationRow(Row, frozen=True):
    """A row of :data:`observation`."""

    id: str
    workspace_id: str
    connection_id: str
    inbound_id: str
    event_id: str
    subject: str
    slot: str
    conversion_id: str | None
    trust: str
    occurred_at: datetime
    effect: str
    data: Any


conversion = Table(
    "conversion",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("subject", String(300), nullable=False),
    Column("slot", String(300), nullable=False),
    Column("event_id", Id, nullable=False),  # stable over restores: what destinations deduplicate on
    Column("order_id", Id),
    Column("contact_id", Id),
    Column("kind", String(12), nullable=False),
    Column("stage", String(24)),
    Column("occurred_at", Moment, nullable=False),
    Column("value", Money),
    Column("currency", String(3)),
    Column("test", Boolean, nullable=False),
    Column("trust", String(10), nullable=False),
    Column("identified_by", String(12), nullable=False),
    Column("state", String(12), nullable=False),  # counted · test · recovered · replaced
    Column("reason", String(40), nullable=False),
    Column("data", JsonColumn, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "subject", "slot"),
    Index("ix_conversion_workspace_occurred", "workspace_id", "occurred_at"),
    Index("ix_conversion_order", "order_id"),
    Index("ix_conversion_contact", "contact_id"),
)


class ConversionRow(Row, frozen=True):
    """A row of :data:`conversion`."""

    id: str
    workspace_id: str
    subject: str
    slot: str
    event_id: str
    order_id: str | None
    contact_id: str | None
    kind: str
    stage: str | None
    occurred_at: datetime
    value: Decimal | None
    currency: str | None
    test: bool
    trust: str
    identified_by: str
    state: str
    reason: str
    data: Any
    created_at: datetime
    updated_at: datetime


def observations_of(tx: Connection, workspace_id: str, subjects: Iterable[str]) -> list[ObservationRow]:
    rows: list[ObservationRow] = []
    for some in chunks(subjects):
        statement = select(observation).where(
            observation.c.workspace_id == workspace_id, in_any(observation.c.subject, some)
        )
        rows += fetch_all(tx, ObservationRow, statement)
    return rows


def known_events(tx: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ObservationRow]:
    """Observations already stored for these (connection, event id) pairs."""
    found: dict[tuple[str, str], ObservationRow] = {}
    for some in chunks(pairs):
        statement = select(observation).where(
            in_any(observation.c.connection_id, {connection for connection, _ in some}),
            in_any(observation.c.event_id, [event for _, event in some]),
        )
        found |= {(row.connection_id, row.event_id): row for row in fetch_all(tx, ObservationRow, statement)}
    return found


def conversions_of(tx: Connection, workspace_id: str, subjects: Iterable[str]) -> list[ConversionRow]:
    rows: list[ConversionRow] = []
    for some in chunks(subjects):
        statement = select(conversion).where(
            conversion.c.workspace_id == workspace_id, in_any(conversion.c.subject, some)
        )
        rows += fetch_all(tx, ConversionRow, statement)
    return rows


def drop_observations(tx: Connection, ids: Iterable[str]) -> None:
    """Another telling of the same events counts."""
    for some in chunks(ids):
        tx.execute(observation.delete().where(in_any(observation.c.id, some)))


def move_observation(tx: Connection, observation_id: str, subject: str, conversion_id: str) -> None:
    """It speaks of another subject, or of another conversion of it."""
    chosen = update(observation).where(observation.c.id == observation_id)
    tx.execute(chosen.values(subject=subject, conversion_id=conversion_id))


def subjects_of_contacts(tx: Connection, contact_ids: Iterable[str]) -> set[str]:
    """What is folded under these contacts and might be somebody else's: where not every message names an e-mail."""
    found: set[str] = set()
    for some in chunks(contact_ids):
        mine = in_any(conversion.c.contact_id, some)
        without_id = select(order.c.id).where(in_any(order.c.contact_id, some), order.c.display_id == "")
        unsure = (conversion.c.identified_by != "email") | conversion.c.order_id.in_(without_id)
        unsure |= conversion.c.subject.like("p:%")
        counts = conversion.c.state != "replaced"
        found |= set(tx.scalars(select(conversion.c.subject).where(mine, unsure, counts)))
    return found


def by_ids(tx: Connection, ids: Iterable[str]) -> dict[str, ConversionRow]:
    found: dict[str, ConversionRow] = {}
    for some in chunks(ids):
        chosen = select(conversion).where(in_any(conversion.c.id, some))
        found |= {row.id: row for row in fetch_all(tx, ConversionRow, chosen)}
    return found


class SentConversion(Row, frozen=True):
    """What a delivery reads of a conversion and no more: every column of every row takes its time."""

    id: str
    event_id: str
    order_id: str | None
    contact_id: str | None
    kind: str
    occurred_at: datetime
    currency: str | None
    trust: str
    data: Any


def to_send(tx: Connection, ids: Iterable[str]) -> dict[str, SentConversion]:
    """As :func:`by_ids`, for deliveries."""
    found: dict[str, SentConversion] = {}
    for some in chunks(ids):
        chosen = select(*_SENT).where(in_any(conversion.c.id, some))
        found |= {row.id: row for row in fetch_all(tx, SentConversion, chosen)}
    return found


_SENT = [conversion.c[name] for name in SentConversion.__struct_fields__]


def get(tx: Connection, conversion_id: str, workspace_id: str | None = None) -> ConversionRow | None:
    statement = select(conversion).where(conversion.c.id == conversion_id)
    if workspace_id is not None:
        statement = statement.where(conversion.c.workspace_id == workspace_id)
    return fetch_first(tx, ConversionRow, statement)


def of_inbound(tx: Connection, inbound_id: str) -> list[ObservationRow]:
    """The observations that one message produced."""
    statement = select(observation).where(observation.c.inbound_id == inbound_id).order_by(observation.c.id)
    return fetch_all(tx, ObservationRow, statement)


def observed_in(tx: Connection, conversion_id: str) -> list[ObservationRow]:
    """Every observation of one conversion: all the messages that spoke of it."""
    own = select(conversion.c.workspace_id, conversion.c.subject).where(conversion.c.id == conversion_id)
    row = tx.execute(own).first()
    if row is None:
        return []
    statement = select(observation).where(
        observation.c.workspace_id == row.workspace_id,
        observation.c.subject == row.subject,
        observation.c.conversion_id == conversion_id,
    )
    return fetch_all(tx, ObservationRow, statement.order_by(observation.c.occurred_at))


def latest(
    tx: Connection,
    workspace_id: str,
    *,
    limit: int = 50,
    before: str | None = None,
    stage: str | None = None,
    contact_id: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
) -> Sequence[ConversionRow]:
    """Newest first. ``before`` is the last id of the page before (keyset paging)."""
    statement = select(conversion).where(conversion.c.workspace_id == workspace_id)
    conditions = {"stage": stage, "contact_id": contact_id, "order_id": order_id}
    for name, wanted in conditions.items():
        if wanted:
            statement = statement.where(conversion.c[name] == wanted)
    if before:
        statement = statement.where(conversion.c.id < before)
    if since:
        statement = statement.where(conversion.c.occurred_at >= since)
    return fetch_all(tx, ConversionRow, statement.order_by(conversion.c.id.desc()).limit(limit))


def firsts_of_contacts(tx: Connection, contact_ids: Iterable[str]) -> set[str]:
    """The first conversion that was made of each of these contacts."""
    found: set[str] = set()
    for some in chunks(contact_ids):
        statement = select(func.min(conversion.c.id)).where(in_any(conversion.c.contact_id, some))
        found |= set(tx.scalars(statement.group_by(conversion.c.contact_id)))
    return found


def offers(tx: Connection, workspace_id: str, *, looked_at: int = 5000) -> list[str]:
    """The offers that the newest ``looked_at`` conversions name, sorted."""
    newest = (
        select(conversion.c.data["offer"].as_string().label("offer"))
        .where(conversion.c.workspace_id == workspace_id)
        .order_by(conversion.c.id.desc())
        .limit(looked_at)
        .subquery()
    )
    return sorted(tx.scalars(select(newest.c.offer).where(newest.c.offer.is_not(None)).distinct()))

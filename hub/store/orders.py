"""Orders, the names they go by, and their ledger of signed money lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, Column, Connection, Index, String, Table, bindparam, case, func, select, update

from hub.store.base import (
    Id,
    Moment,
    Money,
    Row,
    Values,
    chunks,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    metadata,
    plain_money,
)

order = Table(
    "order",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("display_id", String(255), nullable=False),
    Column("contact_id", Id),
    Column("subscription_id", String(255)),
    Column("currency", String(3)),
    Column("gross", Money, nullable=False),  # purchase and renewals, before refunds
    Column("refunded", Money, nullable=False),
    Column("disputed", Money, nullable=False),
    Column("status", String(12), nullable=False),  # open pending lead paid refunded disputed cancelled
    Column("test", Boolean, nullable=False),
    Column("paid_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_order_workspace", "workspace_id", "id"),
    Index("ix_order_subscription", "workspace_id", "subscription_id"),
    Index("ix_order_contact", "contact_id"),
)


class OrderRow(Row, frozen=True):
    """A row of :data:`order`."""

    id: str
    workspace_id: str
    display_id: str
    contact_id: str | None
    subscription_id: str | None
    currency: str | None
    gross: Decimal
    refunded: Decimal
    disputed: Decimal
    status: str
    test: bool
    paid_at: datetime | None
    created_at: datetime
    updated_at: datetime


order_alias = Table(
    "order_alias",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("alias", String(300), primary_key=True),
    Column("order_id", Id, nullable=False, index=True),
)


class OrderAliasRow(Row, frozen=True):
    """A row of :data:`order_alias`."""

    workspace_id: str
    alias: str
    order_id: str


ledger = Table(
    "ledger",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("contact_id", Id),
    Column("conversion_id", Id, nullable=False),
    Column("kind", String(10), nullable=False),  # gross refund dispute renewal
    Column("amount", Money, nullable=False),  # signed: what it adds to net revenue
    Column("currency", String(3), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("booked_at", Moment, nullable=False),
    Column("note", String(40), nullable=False),  # the reason: order_added, amount_replaced, …
    Index("ix_ledger_order", "order_id"),
    Index("ix_ledger_contact", "contact_id"),
    Index("ix_ledger_workspace_occurred", "workspace_id", "occurred_at"),
)


class LedgerRow(Row, frozen=True):
    """A row of :data:`ledger`."""

    id: str
    workspace_id: str
    order_id: str
    contact_id: str | None
    conversion_id: str
    kind: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    booked_at: datetime
    note: str


def aliases(tx: Connection, workspace_id: str, names: Iterable[str]) -> dict[str, str]:
    """Which orders these normalized ids belong to."""
    found: dict[str, str] = {}
    for some in chunks(names):
        statement = select(order_alias.c.alias, order_alias.c.order_id).where(
            order_alias.c.workspace_id == workspace_id, in_any(order_alias.c.alias, some)
        )
        found |= {row.alias: row.order_id for row in tx.execute(statement)}
    return found


def by_ids(tx: Connection, ids: Iterable[str]) -> dict[str, OrderRow]:
    found: dict[str, OrderRow] = {}
    for some in chunks(ids):
        found |= {row.id: row for row in fetch_all(tx, OrderRow, select(order).where(in_any(order.c.id, some)))}
    return found


def of_subscriptions(tx: Connection, workspace_id: str, subscriptions: Iterable[str]) -> list[OrderRow]:
    rows: list[OrderRow] = []
    for some in chunks(subscriptions):
        statement = select(order).where(order.c.workspace_id == workspace_id, in_any(order.c.subscription_id, some))
        rows += fetch_all(tx, OrderRow, statement)
    return rows


def ledger_sums(tx: Connection, order_ids: Iterable[str]) -> dict[tuple[str, str, str, str], Decimal]:
    """What is booked so far, by (order, conversion, kind, currency)."""
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    keys = (ledger.c.order_id, ledger.c.conversion_id, ledger.c.kind, ledger.c.currency)
    for some in chunks(order_ids):
        statement = (
            select(*keys, func.sum(ledger.c.amount, type_=Money)).where(in_any(ledger.c.order_id, some)).group_by(*keys)
        )
        sums |= {(row[0], row[1], row[2], row[3]): row[4] for row in tx.execute(statement)}
    return sums


class Lifetime(Row, frozen=True):
    """What a contact paid in one currency. ``orders`` were paid; the times are None where none was."""

    contact_id: str
    currency: str
    net: Decimal
    orders: int
    first_at: datetime | None
    last_at: datetime | None


def lifetime(tx: Connection, contact_ids: Iterable[str]) -> dict[str, list[Lifetime]]:
    """Per contact, one row a currency."""
    found: dict[str, list[Lifetime]] = {}
    charge = ledger.c.kind.in_(("gross", "renewal"))
    charged = func.sum(case((charge, ledger.c.amount), else_=0), type_=Money)
    purchased_at = case((charge, ledger.c.occurred_at))
    keys = (ledger.c.contact_id, ledger.c.currency)
    for some in chunks(contact_ids):
        of_order = (
            select(
                *keys,
                func.sum(ledger.c.amount, type_=Money).label("net"),
                charged.label("charged"),
                func.min(purchased_at, type_=Moment).label("first_at"),
                func.max(purchased_at, type_=Moment).label("last_at"),
            )
            .where(in_any(ledger.c.contact_id, some))
            .group_by(*keys, ledger.c.order_id)
            .subquery()
        )
        paid = of_order.c.charged > 0
        statement = select(
            of_order.c.contact_id,
            of_order.c.currency,
            func.sum(of_order.c.net, type_=Money).label("net"),
            func.count(case((paid, 1))).label("orders"),
            func.min(case((paid, of_order.c.first_at)), type_=Moment).label("first_at"),
            func.max(case((paid, of_order.c.last_at)), type_=Moment).label("last_at"),
        ).group_by(of_order.c.contact_id, of_order.c.currency)
        for row in fetch_all(tx, Lifetime, statement):
            found.setdefault(row.contact_id, []).append(row)
    return found


def lines(tx: Connection, order_id: str) -> list[LedgerRow]:
    return fetch_all(tx, LedgerRow, select(ledger).where(ledger.c.order_id == order_id).order_by(ledger.c.id))


def aliases_of(tx: Connection, order_id: str) -> list[str]:
    return list(tx.scalars(select(order_alias.c.alias).where(order_alias.c.order_id == order_id).order_by("alias")))


def drop_aliases(tx: Connection, workspace_id: str, order_id: str, names: list[str]) -> None:
    """The order is no longer found by these names."""
    mine = (order_alias.c.workspace_id == workspace_id) & (order_alias.c.order_id == order_id)
    for some in chunks(names):
        tx.execute(order_alias.delete().where(mine, in_any(order_alias.c.alias, some)))


def drop(tx: Connection, order_id: str) -> None:
    """Nothing is told of this order any more. Its ledger lines stay; they add up to nothing."""
    tx.execute(order_alias.delete().where(order_alias.c.order_id == order_id))
    tx.execute(order.delete().where(order.c.id == order_id))


def redate(tx: Connection, rows: Sequence[Values]) -> None:
    """The lines of these conversions belong to this contact and happened then. Rows: order, conversion, contact, at."""
    if rows:
        mine = (ledger.c.order_id == bindparam("of_order")) & (ledger.c.conversion_id == bindparam("of_conversion"))
        change = update(ledger).where(mine)
        tx.execute(change.values(contact_id=bindparam("new_contact"), occurred_at=bindparam("new_at")), list(rows))


def get(tx: Connection, order_id: str, workspace_id: str | None = None) -> OrderRow | None:
    statement = select(order).where(order.c.id == order_id)
    if workspace_id is not None:
        statement = statement.where(order.c.workspace_id == workspace_id)
    return fetch_first(tx, OrderRow, statement)


def latest(tx: Connection, workspace_id: str, *, limit: int = 50, before: str | None = None) -> list[OrderRow]:
    statement = select(order).where(order.c.workspace_id == workspace_id).order_by(order.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(order.c.id < before)
    return fetch_all(tx, OrderRow, statement)


def net(row: OrderRow) -> Decimal:
    """What is left of an order after refunds and disputes."""
    return plain_money(row.gross - row.refunded - row.disputed)

"""The day so far in a few numbers, and how far the set-up has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from hub.contract.vocabulary import Kind, Stage
from hub.report.health import planned_since
from hub.store.base import Money, plain_money
from hub.store.connections import ConnectionRow
from hub.store.conversions import conversion
from hub.store.deliveries import DELIVERED, FAILED, WAITING, delivery
from hub.store.inbound import DONE, PARKED, inbound
from hub.store.orders import ledger


@dataclass(frozen=True, slots=True)
class Period:
    """Sales and leads that happened, net money a currency (never summed across), and what became of sending it."""

    sales: int
    leads: int
    net: dict[str, Decimal]
    delivered: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class SetUp:
    """The four steps of a new installation, each by what was really seen."""

    paid: bool  # a source other than a pixel has brought something that was read
    pixel: bool  # a pixel was seen on a page
    test: bool  # a test sale went through
    results: bool  # a destination took something

    @property
    def complete(self) -> bool:
        return self.paid and self.pixel and self.test and self.results

    @property
    def begun(self) -> bool:
        return self.paid or self.pixel


def midnight(at: datetime, time_zone: str) -> datetime:
    """When the workspace's day of ``at`` began, in UTC."""
    return at.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def numbers(tx: Connection, workspace_id: str, since: datetime, until: datetime) -> Period:
    """What happened (by its own date) and was sent (by when it was planned) in that time."""
    counted = (conversion.c.workspace_id == workspace_id) & conversion.c.test.is_(False)
    in_time = (conversion.c.occurred_at >= since) & (conversion.c.occurred_at < until)
    reached = (conversion.c.kind == Kind.CONVERSION) & conversion.c.state.in_(("counted", "recovered"))
    by_stage = select(conversion.c.stage, func.count()).where(counted & in_time & reached).group_by(conversion.c.stage)
    stages: dict[str, int] = {row[0]: row[1] for row in tx.execute(by_stage)}
    money = select(ledger.c.currency, func.sum(ledger.c.amount, type_=Money)).where(
        ledger.c.workspace_id == workspace_id, ledger.c.occurred_at >= since, ledger.c.occurred_at < until
    )
    net = {currency: plain_money(amount) for currency, amount in tx.execute(money.group_by(ledger.c.currency))}
    sent = _sent(tx, workspace_id, since)
    return Period(
        sales=stages.get(Stage.PURCHASE, 0),
        leads=stages.get(Stage.LEAD, 0),
        net=dict(sorted(net.items())),
        delivered=sent.get(DELIVERED, 0),
        waiting=sent.get(WAITING, 0),
        failed=sent.get(FAILED, 0),
    )


def set_up(tx: Connection, workspace_id: str, sources: list[ConnectionRow], pixels: set[str]) -> SetUp:
    """How far the installation is; ``pixels`` are the connectors whose sources are pixels."""
    mine = {row.id for row in sources if row.connector in pixels}
    others = {row.id for row in sources} - mine
    return SetUp(
        paid=_any(tx, inbound.c.connection_id.in_(others), inbound.c.state == DONE),
        pixel=_any(tx, inbound.c.connection_id.in_(mine), inbound.c.state.in_((DONE, PARKED))),
        test=bool(
            tx.scalar(
                select(conversion.c.id).where(conversion.c.workspace_id == workspace_id, conversion.c.test).limit(1)
            )
        ),
        results=bool(
            tx.scalar(
                select(delivery.c.id)
                .where(delivery.c.workspace_id == workspace_id, delivery.c.state == DELIVERED)
                .limit(1)
            )
        ),
    )


def week_before(at: datetime, time_zone: str) -> datetime:
    """When the seven days that end with the day of ``at`` began."""
    return midnight(midnight(at, time_zone) - timedelta(days=6) + timedelta(hours=12), time_zone)


def _sent(tx: Connection, workspace_id: str, since: datetime) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (_, state), number in planned_since(tx, workspace_id, since).items():
        totals[state] = totals.get(state, 0) + number
    return totals


def _any(tx: Connection, *conditions: object) -> bool:
    return bool(tx.scalar(select(inbound.c.id).where(*conditions).limit(1)))  # type: ignore[arg-type]  # conditions of several kinds, all of which where() takes

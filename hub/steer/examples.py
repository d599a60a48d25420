"""Conversions to try a mapping on: the workspace's own, or a made-up one before the first has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection

from hub.contract.connector import Destination
from hub.contract.conversion import Campaigns, Contact, Context, Conversion, Item, Json
from hub.contract.vocabulary import Kind, Stage
from hub.mapping.facts import facts
from hub.mapping.stored import known_facts
from hub.store import accounts, campaigns, conversions, orders
from hub.store.conversions import ConversionRow

LOOKED_AT = 500  # conversions gone through at most to find those of the wanted stages


def latest(
    tx: Connection, workspace_id: str, last: int, *, stages: Collection[str], kinds: Collection[str]
) -> list[Json]:
    """The facts of the newest conversions of these stages and kinds, newest first."""
    fitting: list[ConversionRow] = []
    before: str | None = None
    for _ in range(LOOKED_AT // 100):
        page = conversions.latest(tx, workspace_id, limit=100, before=before)
        fitting += [row for row in page if _fits(row, stages, kinds)]
        if len(fitting) >= last or len(page) < 100:
            break
        before = page[-1].id
    return facts_of(tx, workspace_id, fitting[:last])


def facts_of(tx: Connection, workspace_id: str, rows: Sequence[ConversionRow]) -> list[Json]:
    """What a mapping reads, for each of these conversions: what was said, and what the books know beside it."""
    workspace = accounts.get_workspace(tx, workspace_id)
    assert workspace is not None  # noqa: S101 - its conversions do not outlive it
    sales = orders.by_ids(tx, {row.order_id for row in rows if row.order_id})
    people = orders.lifetime(tx, {row.contact_id for row in rows if row.contact_id})
    names = campaigns.names_of(tx, [row.id for row in rows])
    return [
        known_facts(
            row,
            workspace,
            sales.get(row.order_id or ""),
            people.get(row.contact_id or "", []),
            names.get(row.id, []),
        )
        for row in rows
    ]


def made_up(destination: Destination, language: str = "en") -> Json:
    """A realistic conversion of a kind that the destination takes; every person and amount in it is invented."""
    stage = Stage.PURCHASE if Stage.PURCHASE in destination.stages else next(iter(sorted(destination.stages)), None)
    return made_up_conversion(stage, language)


def made_up_conversion(stage: Stage | None = Stage.PURCHASE, language: str = "en") -> Json:
    """The facts of an invented conversion that reached ``stage``."""
    conversion = Conversion(
        event_id="00000000-0000-7000-8000-000000000000",
        kind=Kind.CONVERSION,
        stage=stage,
        occurred_at=datetime(2026, 11, 20, 18, 42, 7, tzinfo=UTC),
        order_id="1001",
        value=Decimal("49.99"),
        currency="EUR",
        contact=Contact(
            email="anna.martin@example.com",
            phone="+33612345678",
            first_name="Anna",
            last_name="Martin",
            city="Lyon",
            postal_code="69002",
            country="FR",
        ),
        items=[Item("p-17", "WB-01", "Watercolour Basics", price=Decimal("49.99"), category="course")],
        campaigns=Campaigns(ids=["3"], tags=["spring"]),
        context=Context(
            ip="203.0.113.7",
            user_agent="Mozilla/5.0",
            page_url="https://example.com/thanks",
            utm={"source": "newsletter", "medium": "email"},
            click_ids={"fbclid": "fbclid-sample", "gclid": "gclid-sample"},
        ),
    )
    return facts(conversion.to_dict(), conversion.event_id, trust="proven", language=language)


def _fits(row: ConversionRow, stages: Collection[str], kinds: Collection[str]) -> bool:
    return row.kind in kinds and (row.stage is None or row.stage in stages)

"""Campaigns (a webinar, course or launch), the tags they carry, and the conversions they are credited with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, Connection, Index, String, Table, UniqueConstraint, or_, select

from hub.store.base import Id, Moment, Row, chunks, fetch_all, id_column, in_any, metadata

campaign = Table(
    "campaign",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("external_id", String(255), nullable=False),  # webinarId in the pixel
    Column("name", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "external_id"),
)


class CampaignRow(Row, frozen=True):
    """A row of :data:`campaign`."""

    id: str
    workspace_id: str
    external_id: str
    name: str
    created_at: datetime


campaign_tag = Table(
    "campaign_tag",
    metadata,
    Column("campaign_id", Id, primary_key=True),
    Column("tag", String(255), primary_key=True, index=True),
)


class CampaignTagRow(Row, frozen=True):
    """A row of :data:`campaign_tag`."""

    campaign_id: str
    tag: str


credit = Table(
    "credit",
    metadata,
    # What a conversion names: a campaign, or a tag. A tag stands for every campaign carrying it now *or later*, so it
    # is kept as it came and resolved when asked.
    Column("conversion_id", Id, primary_key=True),
    Column("type", String(8), primary_key=True),  # campaign tag
    Column("value", String(255), primary_key=True),  # campaign.id or the tag
    Column("workspace_id", Id, nullable=False),
    Index("ix_credit_value", "workspace_id", "type", "value"),
)


class CreditRow(Row, frozen=True):
    """A row of :data:`credit`."""

    conversion_id: str
    type: str
    value: str
    workspace_id: str


def by_external_ids(tx: Connection, workspace_id: str, names: Iterable[str]) -> dict[str, CampaignRow]:
    found: dict[str, CampaignRow] = {}
    for some in chunks(names):
        statement = select(campaign).where(
            campaign.c.workspace_id == workspace_id, in_any(campaign.c.external_id, some)
        )
        found |= {row.external_id: row for row in fetch_all(tx, CampaignRow, statement)}
    return found


def names_of(tx: Connection, conversion_ids: Iterable[str]) -> dict[str, list[str]]:
    """Per conversion: the names of the campaigns it is credited to, those of its tags included, sorted."""
    found: dict[str, set[str]] = {}
    for some in chunks(conversion_ids):
        statement = (
            select(credit.c.conversion_id, campaign.c.name)
            .select_from(credit)
            .outerjoin(campaign_tag, (credit.c.type == "tag") & (campaign_tag.c.tag == credit.c.value))
            .join(
                campaign,
                (campaign.c.workspace_id == credit.c.workspace_id)
                & or_(
                    (credit.c.type == "campaign") & (campaign.c.id == credit.c.value),
                    campaign.c.id == campaign_tag.c.campaign_id,
                ),
            )
            .where(in_any(credit.c.conversion_id, some))
        )
        for conversion_id, name in tx.execute(statement):
            found.setdefault(conversion_id, set()).add(name)
    return {conversion_id: sorted(names) for conversion_id, names in found.items()}


def campaigns_of(tx: Connection, workspace_id: str) -> list[CampaignRow]:
    return fetch_all(
        tx, CampaignRow, select(campaign).where(campaign.c.workspace_id == workspace_id).order_by(campaign.c.id)
    )


def tags_of(tx: Connection, workspace_id: str, external_ids: Iterable[str]) -> list[str]:
    """The tags that any of these campaigns carries, sorted."""
    found: set[str] = set()
    for some in chunks(external_ids):
        statement = (
            select(campaign_tag.c.tag)
            .join(campaign, campaign.c.id == campaign_tag.c.campaign_id)
            .where(campaign.c.workspace_id == workspace_id, in_any(campaign.c.external_id, some))
        )
        found |= set(tx.scalars(statement))
    return sorted(found)

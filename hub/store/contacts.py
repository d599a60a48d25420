"""Contacts and what they are recognized by; consent and suppression."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Boolean, Column, Connection, Index, String, Table, select

from hub.store.base import Id, JsonColumn, Moment, Row, chunks, id_column, metadata

contact = Table(
    "contact",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("email", String(320)),
    Column("data", JsonColumn, nullable=False),  # the other fields of hub.contract.Contact
    Column("merged_into", Id),  # set when two records proved to be one person; the row stays, so it can be undone
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_contact_workspace", "workspace_id", "id"),
)

identity = Table(
    "identity",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("type", String(12), primary_key=True),  # email external_id cookie click_id
    Column("value", String(400), primary_key=True),
    Column("contact_id", Id, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("contact_id", Id, primary_key=True),
    Column("purpose", String(12), primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("basis", String(40), nullable=False),
    Column("at", Moment, nullable=False),
)

suppression = Table(
    "suppression",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("email_hash", String(64), primary_key=True),  # keyed hash: survives erasure without keeping the address
    Column("reason", String(40), nullable=False),
    Column("at", Moment, nullable=False),
)


def identities(tx: Connection, workspace_id: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Which contacts these (type, value) pairs belong to."""
    found: dict[tuple[str, str], str] = {}
    for some in chunks(keys):
        wanted = set(some)
        statement = select(identity.c.type, identity.c.value, identity.c.contact_id).where(
            identity.c.workspace_id == workspace_id, identity.c.value.in_([value for _, value in some])
        )
        found |= {
            (row.type, row.value): row.contact_id for row in tx.execute(statement) if (row.type, row.value) in wanted
        }
    return found


def by_ids(tx: Connection, ids: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for some in chunks(ids):
        found |= {row["id"]: row for row in tx.execute(select(contact).where(contact.c.id.in_(some))).mappings()}
    return found


def get(tx: Connection, contact_id: str, workspace_id: str | None = None) -> Row | None:
    statement = select(contact).where(contact.c.id == contact_id)
    if workspace_id is not None:
        statement = statement.where(contact.c.workspace_id == workspace_id)
    return tx.execute(statement).mappings().first()


def latest(
    tx: Connection, workspace_id: str, *, limit: int = 50, before: str | None = None, email: str | None = None
) -> list[Row]:
    """Newest first. ``before`` is the last id of the page before (keyset paging); ``email`` in any case."""
    statement = select(contact).where(contact.c.workspace_id == workspace_id).order_by(contact.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(contact.c.id < before)
    if email:
        statement = statement.where(contact.c.email == email.strip().lower())
    return list(tx.execute(statement).mappings())


def identities_of(tx: Connection, contact_id: str) -> list[Row]:
    return list(tx.execute(select(identity).where(identity.c.contact_id == contact_id)).mappings())


def consents_of(tx: Connection, contact_ids: Iterable[str]) -> dict[tuple[str, str], bool]:
    """By (contact, purpose): what the person said. Missing: nothing."""
    found: dict[tuple[str, str], bool] = {}
    for some in chunks(contact_ids):
        statement = select(consent).where(consent.c.contact_id.in_(some))
        found |= {(row["contact_id"], row["purpose"]): row["granted"] for row in tx.execute(statement).mappings()}
    return found


def suppressed(tx: Connection, workspace_id: str, hashes: Iterable[str]) -> set[str]:
    """Which of these keyed e-mail hashes must never be sent to anyone."""
    found: set[str] = set()
    for some in chunks(hashes):
        statement = select(suppression.c.email_hash).where(
            suppression.c.workspace_id == workspace_id, suppression.c.email_hash.in_(some)
        )
        found |= set(tx.scalars(statement))
    return found

"""Contacts and what they are recognized by; consent and suppression."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, String, Table, select, update

from hub.contract.vocabulary import Trust
from hub.settings import settings
from hub.store import journal
from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Row,
    Values,
    chunks,
    columns_of,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    insert_new,
    insert_or,
    metadata,
)
from hub.store.conversions import conversion
from hub.store.journal import LeftAlone
from hub.store.orders import ledger, order

contact = Table(
    "contact",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("email", String(320)),
    Column("data", JsonColumn, nullable=False),  # the other fields of hub.contract.Contact
    Column("told", JsonColumn, nullable=False),  # {field: [rank of trust, microseconds]}: how sure and when it was told
    Column("merged_into", Id),  # set when two records proved to be one person; the row stays, so it can be undone
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_contact_workspace", "workspace_id", "id"),
)


class ContactRow(Row, frozen=True):
    """A row of :data:`contact`."""

    id: str
    workspace_id: str
    email: str | None
    data: Any
    told: Any
    merged_into: str | None
    created_at: datetime
    updated_at: datetime


identity = Table(
    "identity",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("type", String(12), primary_key=True),  # email external_id cookie click_id
    Column("value", String(400), primary_key=True),
    Column("contact_id", Id, nullable=False, index=True),
    # Whose it is says the surest, then earliest message that shows it together with an e-mail: its trust and time.
    Column("trust", String(10)),  # NULL: nobody with an e-mail has shown it
    Column("seen_at", Moment, nullable=False),
)


class IdentityRow(Row, frozen=True):
    """A row of :data:`identity`."""

    workspace_id: str
    type: str
    value: str
    contact_id: str
    trust: str | None
    seen_at: datetime


consent = Table(
    "consent",
    metadata,
    Column("contact_id", Id, primary_key=True),
    Column("purpose", String(12), primary_key=True),
    # Both answers of every trust are kept, each with the last time it was given: what a word weighs can change when
    # another one arrives late. What they say together is told by consents_of.
    Column("granted", Boolean, primary_key=True),
    Column("trust", String(10), primary_key=True),
    Column("workspace_id", Id, nullable=False),
    Column("basis", String(40), nullable=False),
    Column("at", Moment, nullable=False),
)


class ConsentRow(Row, frozen=True):
    """A row of :data:`consent`."""

    contact_id: str
    purpose: str
    granted: bool
    trust: str
    workspace_id: str
    basis: str
    at: datetime


suppression = Table(
    "suppression",
    metadata,
    Column("workspace_id", Id, primary_key=True),
    Column("email_hash", String(64), primary_key=True),  # keyed hash: survives erasure without keeping the address
    Column("reason", String(40), nullable=False),
    Column("at", Moment, nullable=False),
)


class SuppressionRow(Row, frozen=True):
    """A row of :data:`suppression`."""

    workspace_id: str
    email_hash: str
    reason: str
    at: datetime


def identities(
    tx: Connection, workspace_id: str, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], IdentityRow]:
    """What is known of these (type, value) pairs: contact_id, trust, seen_at."""
    found: dict[tuple[str, str], IdentityRow] = {}
    for some in chunks(keys):
        wanted = set(some)
        statement = select(identity).where(
            identity.c.workspace_id == workspace_id,
            in_any(identity.c.type, {type_ for type_, _ in some}),
            in_any(identity.c.value, [value for _, value in some]),
        )
        for row in fetch_all(tx, IdentityRow, statement):
            if (row.type, row.value) in wanted:
                found[row.type, row.value] = row
    return found


def by_ids(tx: Connection, ids: Iterable[str]) -> dict[str, ContactRow]:
    found: dict[str, ContactRow] = {}
    for some in chunks(ids):
        found |= {row.id: row for row in fetch_all(tx, ContactRow, select(contact).where(in_any(contact.c.id, some)))}
    return found


def get(tx: Connection, contact_id: str, workspace_id: str | None = None) -> ContactRow | None:
    statement = select(contact).where(contact.c.id == contact_id)
    if workspace_id is not None:
        statement = statement.where(contact.c.workspace_id == workspace_id)
    return fetch_first(tx, ContactRow, statement)


def latest(
    tx: Connection, workspace_id: str, *, limit: int = 50, before: str | None = None, email: str | None = None
) -> list[ContactRow]:
    """Newest first. ``before`` is the last id of the page before (keyset paging); ``email`` in any case."""
    statement = select(contact).where(contact.c.workspace_id == workspace_id).order_by(contact.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(contact.c.id < before)
    if email:
        statement = statement.where(contact.c.email == email.strip().lower())
    return fetch_all(tx, ContactRow, statement)


def identities_of(tx: Connection, contact_id: str) -> list[IdentityRow]:
    return fetch_all(tx, IdentityRow, select(identity).where(identity.c.contact_id == contact_id))


def consents_of(tx: Connection, contact_ids: Iterable[str]) -> dict[tuple[str, str], bool]:
    """By (contact, purpose): what the person said. Missing: nothing.

    Yes, where somebody said so and every "no" was answered by a later "yes" that is at least as sure. So a pixel that
    anyone could have called lifts no proven opt-out, and a later "no" counts whoever says it.
    """
    words: dict[tuple[str, str], list[ConsentRow]] = defaultdict(list)
    for some in chunks(contact_ids):
        for row in fetch_all(tx, ConsentRow, select(consent).where(in_any(consent.c.contact_id, some))):
            words[row.contact_id, row.purpose].append(row)
    return {key: _says_yes(told) for key, told in words.items()}


def _says_yes(words: Sequence[ConsentRow]) -> bool:
    yeses = [word for word in words if word.granted]
    return bool(yeses) and all(
        any(yes.at > word.at and _DOUBT[yes.trust] <= _DOUBT[word.trust] for yes in yeses)
        for word in words
        if not word.granted
    )


_DOUBT = {Trust.PROVEN.value: 0, Trust.MANUAL.value: 0, Trust.IMPORTED.value: 1, Trust.CLAIMED.value: 2}
"""Less is surer. What a member enters by hand is worth as much as what a sender has signed."""


def put_consents(tx: Connection, rows: Sequence[Values]) -> None:
    """Keep what these persons said (all columns of ``consent``). The same told again counts at its latest time."""
    if not rows:
        return
    statement = insert_or(tx, consent)
    new = statement.excluded
    key = [column.name for column in consent.primary_key]
    changes: dict[str, Any] = {name: new[name] for name in ("basis", "at")}
    tx.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changes, where=new.at > consent.c.at), list(rows)
    )


def pass_on(tx: Connection, old: str, new: str) -> None:
    """All that is kept under the contact ``old`` is ``new``'s from now on; the contact's own row stays."""
    rows = [
        columns_of(row) | {"contact_id": new}
        for row in fetch_all(tx, ConsentRow, select(consent).where(consent.c.contact_id == old))
    ]
    put_consents(tx, rows)
    tx.execute(consent.delete().where(consent.c.contact_id == old))
    for table in (identity, conversion, order, ledger):
        tx.execute(update(table).where(table.c.contact_id == old).values(contact_id=new))


UNSUBSCRIBED = "unsubscribed"
"""The reason of a suppression that only stops e-mails; with any other, nothing of the person is sent to anyone."""


def suppressed(tx: Connection, workspace_id: str, hashes: Iterable[str]) -> dict[str, str]:
    """Of these keyed e-mail hashes, those whose persons are left alone, each with the reason."""
    found: dict[str, str] = {}
    for some in chunks(hashes):
        statement = select(suppression.c.email_hash, suppression.c.reason).where(
            suppression.c.workspace_id == workspace_id, in_any(suppression.c.email_hash, some)
        )
        found |= {row.email_hash: row.reason for row in tx.execute(statement)}
    return found


def suppress(
    tx: Connection, workspace_id: str, email_hash: str, reason: str, at: datetime, *, noted: bool = False
) -> bool:
    """Leave this person alone. A stronger reason replaces that of who only unsubscribed. False: it was known.

    What is new is in the journal beside the backups before the transaction ends; ``noted``: it comes from there.
    """
    row = {"workspace_id": workspace_id, "email_hash": email_hash, "reason": reason, "at": at}
    is_new = insert_new(tx, suppression, [row], "workspace_id", "email_hash") > 0
    if not is_new and reason != UNSUBSCRIBED:
        known = (suppression.c.workspace_id == workspace_id) & (suppression.c.email_hash == email_hash)
        weaker = known & (suppression.c.reason == UNSUBSCRIBED)
        is_new = tx.execute(update(suppression).where(weaker).values(reason=reason, at=at)).rowcount > 0
    if is_new and not noted:
        journal.note(settings().backups, LeftAlone(workspace_id, email_hash, reason, at))
    return is_new

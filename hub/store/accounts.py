"""Workspaces and who may work in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Index, String, Table, UniqueConstraint, func, select, update

from hub.store.base import (
    Id,
    JsonColumn,
    Moment,
    Row,
    Values,
    alone,
    chunks,
    fetch_all,
    fetch_first,
    id_column,
    in_any,
    insert,
    metadata,
    new_id,
)

workspace = Table(
    "workspace",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False),
    Column("time_zone", String(64), nullable=False, server_default="UTC"),
    Column("currency", String(3), nullable=False, server_default="EUR"),
    Column("language", String(2), nullable=False, server_default="en"),
    # What an unknown consent means, per purpose: {"ads": true, …}, where the owner has decided.
    Column("consent_rule", JsonColumn, nullable=False),
    Column("created_at", Moment, nullable=False),
)


class WorkspaceRow(Row, frozen=True):
    """A row of :data:`workspace`."""

    id: str
    name: str
    time_zone: str
    currency: str
    language: str
    consent_rule: Any
    created_at: datetime


user = Table(
    "user",
    metadata,
    id_column(),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(200), nullable=False, server_default=""),
    Column("password_hash", String(200), nullable=False),
    Column("language", String(2), nullable=False, server_default="en"),
    Column("created_at", Moment, nullable=False),
    Column("last_login_at", Moment),
)


class MemberWorkspace(WorkspaceRow, frozen=True):
    """A workspace as one of its members sees it."""

    role: str


class UserRow(Row, frozen=True):
    """A row of :data:`user`."""

    id: str
    email: str
    name: str
    password_hash: str
    language: str
    created_at: datetime
    last_login_at: datetime | None


membership = Table(
    "membership",
    metadata,
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", Id, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(20), nullable=False),
)


class MembershipRow(Row, frozen=True):
    """A row of :data:`membership`."""

    user_id: str
    workspace_id: str
    role: str


api_key = Table(
    "api_key",
    metadata,
    id_column(),
    Column("workspace_id", Id, ForeignKey("workspace.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    UniqueConstraint("key_hash"),
)


class ApiKeyRow(Row, frozen=True):
    """A row of :data:`api_key`."""

    id: str
    workspace_id: str
    name: str
    prefix: str
    key_hash: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


audit = Table(
    "audit",
    metadata,
    id_column(),
    Column("workspace_id", Id, nullable=False),
    Column("user_id", Id),
    Column("at", Moment, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(64), nullable=False, server_default=""),
    Column("detail", JsonColumn, nullable=False),
    Index("ix_audit_workspace_at", "workspace_id", "at"),
    Index("ix_audit_subject", "subject"),
)


class AuditRow(Row, frozen=True):
    """A row of :data:`audit`."""

    id: str
    workspace_id: str
    user_id: str | None
    at: datetime
    action: str
    subject: str
    detail: Any


def add_workspace(tx: Connection, at: datetime, *, name: str, **columns: object) -> str:
    """Create a workspace; returns its id."""
    workspace_id = new_id()
    values = {"id": workspace_id, "name": name, "consent_rule": {}, "created_at": at} | columns
    insert(tx, workspace, [values])
    return workspace_id


def add_user(tx: Connection, at: datetime, *, email: str, password_hash: str, workspace_id: str, role: str) -> str:
    """Create a user with a role in one workspace; returns the user's id. E-mails are stored lower-cased."""
    user_id = new_id()
    insert(tx, user, [{"id": user_id, "email": email.lower(), "password_hash": password_hash, "created_at": at}])
    insert(tx, membership, [{"user_id": user_id, "workspace_id": workspace_id, "role": role}])
    return user_id


def users_exist(tx: Connection) -> bool:
    return bool(tx.scalar(select(func.count()).select_from(user)))


def awaits_owner(tx: Connection) -> bool:
    """Whether there is no user yet. Nobody else makes the first one until this transaction ends."""
    alone(tx, "first owner")
    return not users_exist(tx)


def user_by_email(tx: Connection, email: str) -> UserRow | None:
    return fetch_first(tx, UserRow, select(user).where(user.c.email == email.strip().lower()))


def user_by_id(tx: Connection, user_id: str) -> UserRow | None:
    return fetch_first(tx, UserRow, select(user).where(user.c.id == user_id))


def workspaces_of(tx: Connection, user_id: str) -> list[MemberWorkspace]:
    """The user's workspaces with their role in each, oldest first."""
    statement = (
        select(workspace, membership.c.role)
        .join(membership, membership.c.workspace_id == workspace.c.id)
        .where(membership.c.user_id == user_id)
        .order_by(workspace.c.id)
    )
    return fetch_all(tx, MemberWorkspace, statement)


def get_workspace(tx: Connection, workspace_id: str) -> WorkspaceRow | None:
    return fetch_first(tx, WorkspaceRow, select(workspace).where(workspace.c.id == workspace_id))


def first_workspace(tx: Connection) -> WorkspaceRow | None:
    return fetch_first(tx, WorkspaceRow, select(workspace).order_by(workspace.c.id).limit(1))


def change_user(tx: Connection, user_id: str, **columns: object) -> None:
    tx.execute(update(user).where(user.c.id == user_id).values(**columns))


def add_api_key(tx: Connection, at: datetime, *, workspace_id: str, name: str, prefix: str, key_hash: str) -> str:
    key_id = new_id()
    row: Values = {"id": key_id, "workspace_id": workspace_id, "name": name, "prefix": prefix}
    insert(tx, api_key, [row | {"key_hash": key_hash, "created_at": at}])
    return key_id


def api_keys(tx: Connection, workspace_id: str) -> list[ApiKeyRow]:
    return fetch_all(
        tx, ApiKeyRow, select(api_key).where(api_key.c.workspace_id == workspace_id).order_by(api_key.c.id)
    )


def live_api_key(tx: Connection, key_hash: str) -> ApiKeyRow | None:
    statement = select(api_key).where(api_key.c.key_hash == key_hash, api_key.c.revoked_at.is_(None))
    return fetch_first(tx, ApiKeyRow, statement)


def touch_api_key(tx: Connection, key_id: str, at: datetime) -> None:
    tx.execute(update(api_key).where(api_key.c.id == key_id).values(last_used_at=at))


def revoke_api_key(tx: Connection, workspace_id: str, key_id: str, at: datetime) -> bool:
    statement = update(api_key).where(api_key.c.id == key_id, api_key.c.workspace_id == workspace_id)
    return bool(tx.execute(statement.values(revoked_at=at)).rowcount)


def record_audit(
    tx: Connection,
    at: datetime,
    workspace_id: str,
    user_id: str | None,
    action: str,
    subject: str = "",
    **detail: object,
) -> None:
    """Who did what: shown to owners, never edited."""
    row = {"id": new_id(), "workspace_id": workspace_id, "user_id": user_id, "at": at}
    insert(tx, audit, [row | {"action": action, "subject": subject, "detail": detail}])


OVERRIDDEN = "delivery.rule_overridden"
"""The action under which is kept who overrode a rule for a delivery (the subject), and why: rule, why, by."""


def overrides_of(tx: Connection, delivery_ids: Iterable[str]) -> dict[str, list[AuditRow]]:
    """By delivery, each time that somebody overrode a rule for it, first time first."""
    found: dict[str, list[AuditRow]] = {}
    for some in chunks(delivery_ids):
        statement = select(audit).where(in_any(audit.c.subject, some), audit.c.action == OVERRIDDEN)
        for row in fetch_all(tx, AuditRow, statement.order_by(audit.c.id)):
            found.setdefault(row.subject, []).append(row)
    return found

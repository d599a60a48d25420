"""API keys: made once, shown once, stored as a hash."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.connecting import vault
from hub.contract.vocabulary import Text
from hub.steer.errors import NotFound, invalid
from hub.store import accounts
from hub.store.accounts import ApiKeyRow

PREFIX = "hub_"
SHOWN = 10  # characters of a key by which its owner recognizes it
LONGEST_NAME = 200
USED_EVERY = timedelta(minutes=1)


def make(tx: Connection, at: datetime, workspace_id: str, *, name: str, author: str = "") -> tuple[str, str]:
    """A new key as (its id, the key itself). The key cannot be shown again. Raises Invalid."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME:
        raise invalid("name", "Say what the key is for.", "Indiquez à quoi sert la clé.")
    key = vault.new_token(PREFIX)
    key_id = accounts.add_api_key(
        tx, at, workspace_id=workspace_id, name=clean, prefix=key[:SHOWN], key_hash=vault.token_hash(key)
    )
    accounts.record_audit(tx, at, workspace_id, None, "api_key.made", key_id, name=clean, by=author)
    return key_id, key


def all_of(tx: Connection, workspace_id: str) -> list[ApiKeyRow]:
    """Every key, the revoked ones included, oldest first, each with its prefix only."""
    return accounts.api_keys(tx, workspace_id)


def revoke(tx: Connection, at: datetime, workspace_id: str, key_id: str, *, author: str = "") -> None:
    """The key opens nothing from now on. Raises NotFound."""
    if not accounts.revoke_api_key(tx, workspace_id, key_id, at):
        raise NotFound(Text("There is no such key (any more).", "Cette clé n'existe pas ou plus."))
    accounts.record_audit(tx, at, workspace_id, None, "api_key.revoked", key_id, by=author)


def find(tx: Connection, key: str) -> ApiKeyRow | None:
    """The live key behind what a caller sent, or None."""
    return accounts.live_api_key(tx, vault.token_hash(key)) if key.startswith(PREFIX) else None


def is_news(row: ApiKeyRow, at: datetime) -> bool:
    """Whether its use is worth writing down: at most once a minute."""
    return row.last_used_at is None or at - row.last_used_at >= USED_EVERY


def note_use(tx: Connection, at: datetime, key_id: str) -> None:
    accounts.touch_api_key(tx, key_id, at)

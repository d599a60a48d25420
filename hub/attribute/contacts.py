"""Whose is it? Contacts found or made by e-mail, external id, cookie, click id; joined when a sale proves them one.

Two e-mail addresses are never joined by a shared cookie or click: a family computer is not one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from hub.attribute import identity
from hub.contract.conversion import parse_iso
from hub.store import contacts as store
from hub.store import conversions as conversion_store
from hub.store import new_id
from hub.store import orders as order_store
from hub.store.base import Values, insert_new, upsert

Json = dict[str, Any]
Told = tuple[Json, str]
"""A conversion's JSON and the connection that told it."""


@dataclass(slots=True)
class _Contact:
    id: str
    email: str | None
    data: Json
    created_at: datetime
    changed: bool = False


class ContactBook:
    """The contacts of one batch: loaded in bulk, found or made in memory, written in bulk."""

    def __init__(self, tx: Connection, workspace_id: str, at: datetime) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._owner: dict[identity.Key, str] = {}
        self._contacts: dict[str, _Contact] = {}
        self._new_keys: dict[identity.Key, str] = {}
        self._consents: dict[tuple[str, str], Values] = {}

    def load(self, entries: Sequence[Any]) -> None:
        """Look up everybody who may be meant by ``entries`` (with ``said.data`` and ``connection_id``)."""
        keys = {key for entry in entries for key in identity.keys_of(entry.said.data, entry.connection_id)}
        self._owner = store.identities(self._tx, self._workspace_id, keys)
        for row in store.by_ids(self._tx, set(self._owner.values())).values():
            self._contacts[row["id"]] = _Contact(row["id"], row["email"], dict(row["data"]), row["created_at"])

    def person_of(self, told: Sequence[Told]) -> str | None:
        """The one contact behind everything told about an order; None when nobody is named.

        The e-mail of the latest telling decides. Nameless contacts (known by a cookie or click only) seen in the same
        order become that person.
        """
        named = [(identity.keys_of(data, connection), data) for data, connection in told]
        keys = [key for some, _ in named for key in some]
        if not keys:
            return None
        emails = [
            key
            for some, data in sorted(named, key=lambda one: one[1]["occurred_at"])
            for key in some
            if key[0] == identity.EMAIL
        ]
        contact = self._find_or_make(emails[-1] if emails else None, keys)
        for key in keys:
            self._claim(key, contact)
        for _, data in named:
            self._learn(contact, data)
        return contact.id

    def identified_by(self, data: Json, contact_id: str | None) -> str:
        """Which of its own names led to the person; "order" when another message of the same order did."""
        keys = identity.keys_of(data)
        if keys:
            return keys[0][0]
        return "order" if contact_id else "none"

    def write(self) -> None:
        """Write new and changed contacts, what they are recognized by, and what they consented to."""
        rows = [
            {
                "id": contact.id, "workspace_id": self._workspace_id, "email": contact.email, "data": contact.data,
                "created_at": contact.created_at, "updated_at": self._at,
            }
            for contact in self._contacts.values() if contact.changed
        ]  # fmt: skip
        upsert(self._tx, store.contact, rows, ["id"], ("email", "data", "updated_at"))
        keys = [
            {
                "workspace_id": self._workspace_id,
                "type": key[0],
                "value": key[1],
                "contact_id": owner,
                "seen_at": self._at,
            }
            for key, owner in self._new_keys.items()
        ]
        insert_new(self._tx, store.identity, keys, "workspace_id", "type", "value")
        upsert(
            self._tx,
            store.consent,
            list(self._consents.values()),
            ["contact_id", "purpose"],
            ("granted", "basis", "at"),
        )

    def _find_or_make(self, email: identity.Key | None, keys: list[identity.Key]) -> _Contact:
        if email is not None and email in self._owner:
            return self._contacts[self._owner[email]]
        for kind in (identity.EXTERNAL_ID, identity.COOKIE, identity.CLICK_ID):
            for key in keys:
                known = self._contacts.get(self._owner.get(key, "")) if key[0] == kind else None
                # Somebody with another e-mail is somebody else, whatever the cookie says (R34).
                if known is not None and (email is None or known.email is None):
                    return known
        made = _Contact(new_id(), email[1] if email else None, {}, self._at, changed=True)
        self._contacts[made.id] = made
        return made

    def _claim(self, key: identity.Key, contact: _Contact) -> None:
        owner_id = self._owner.get(key)
        if owner_id == contact.id:
            return
        if owner_id is None:
            self._owner[key] = self._new_keys[key] = contact.id
            if key[0] == identity.EMAIL and contact.email is None:
                contact.email, contact.changed = key[1], True
        elif self._contacts[owner_id].email is None and contact.email is not None:
            self._join(owner_id, contact)

    def _join(self, nameless: str, contact: _Contact) -> None:
        """The nameless one is this person: what was theirs moves; their row stays and says where it went."""
        for key, owner in self._owner.items():
            if owner == nameless:
                self._owner[key] = contact.id
        for key, owner in self._new_keys.items():
            if owner == nameless:
                self._new_keys[key] = contact.id
        gone = self._contacts.pop(nameless)
        contact.data = {**gone.data, **contact.data}
        contact.changed = True
        if gone.created_at == self._at and gone.changed:
            return  # made in this very batch: nothing is stored under it yet
        tables = (store.identity, conversion_store.conversion, order_store.order, order_store.ledger)
        for table in tables:
            self._tx.execute(update(table).where(table.c.contact_id == nameless).values(contact_id=contact.id))
        self._tx.execute(
            update(store.contact)
            .where(store.contact.c.id == nameless)
            .values(merged_into=contact.id, updated_at=self._at)
        )

    def _learn(self, contact: _Contact, data: Json) -> None:
        told = {name: value for name, value in data["contact"].items() if value and name != "email"}
        if any(contact.data.get(name) != value for name, value in told.items()):
            contact.data = contact.data | told
            contact.changed = True
        for purpose, granted in data["consent"].items():
            if granted is not None:
                self._consents[(contact.id, purpose)] = {
                    "contact_id": contact.id, "purpose": purpose, "workspace_id": self._workspace_id,
                    "granted": granted, "basis": "told with a conversion", "at": parse_iso(data["occurred_at"]),
                }  # fmt: skip

"""Whose is it? Contacts by e-mail; other names (external id, cookie, click id) belong to the e-mail they were shown with.

- Every e-mail is a contact of its own. Two are never joined by a shared cookie or click: a family computer is not one
  person.
- Another name belongs to the e-mail of the surest, then earliest message that shows both, or of the order that both
  were told about. Until there is one, it is a contact without an e-mail, which that e-mail's then takes over.
- What is told of a person (names, telephone) counts by the same rule as amounts: surest, then latest. Consent is given by
  a "yes" that is later than every "no", and at least as sure (:func:`hub.store.contacts.consents_of`).

So who somebody is does not depend on the order in which messages arrive. One trace of it stays: where a cookie goes over
from one e-mail to another, the first keeps what was told of it by messages that named neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.attribute import identity
from hub.attribute.observed import Entry
from hub.attribute.orders import Said
from hub.contract.vocabulary import Trust
from hub.store import contacts as store
from hub.store import new_id
from hub.store.base import EPOCH, Values, upsert

Strength = tuple[int, datetime]
"""Rank of trust and time of the message that shows a name together with an e-mail; less is stronger."""


@dataclass(slots=True)
class _Contact:
    id: str
    email: str | None
    created_at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    told: dict[str, list[int]] = field(default_factory=dict)
    merged_into: str | None = None
    changed: bool = False


@dataclass(slots=True)
class _Held:
    contact_id: str
    claim: Strength | None


class ContactBook:
    """The contacts of one batch: loaded in bulk, found or made in memory, written in bulk."""

    def __init__(self, tx: Connection, workspace_id: str, at: datetime) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._asked: set[identity.Key] = set()
        self._held: dict[identity.Key, _Held] = {}
        self._contacts: dict[str, _Contact] = {}
        self._changed_keys: set[identity.Key] = set()
        self._consents: dict[tuple[str, str, bool, Trust], Values] = {}
        self._moved: dict[identity.Key, str] = {}  # the contact it was taken from

    def load(self, entries: Iterable[Entry]) -> None:
        """Look up everybody whom ``entries`` name."""
        unknown = {key for entry in entries for key in entry.keys} - self._asked
        if not unknown:
            return
        self._asked |= unknown
        found = store.identities(self._tx, self._workspace_id, unknown)
        for key, row in found.items():
            claim = (Trust(row.trust).rank, row.seen_at) if row.trust else None
            self._held[key] = _Held(row.contact_id, claim)
        missing = {row.contact_id for row in found.values()} - self._contacts.keys()
        for one in store.by_ids(self._tx, missing).values():
            self._contacts[one.id] = _Contact(
                one.id, one.email, one.created_at, dict(one.data), dict(one.told), one.merged_into
            )

    def claim(self, entries: Sequence[Entry], *, together: bool) -> None:
        """Learn which names go with which e-mail. ``together``: the entries are about one order, so one may tell the
        name and another the e-mail.
        """
        speaker = _speaker(entries) if together else None
        best: dict[identity.Key, tuple[Strength, identity.Key]] = {}
        for entry in entries:
            # An e-mail that a surer message of the order says otherwise claims nothing.
            is_sure = speaker is None or entry.said.trust.rank <= speaker.said.trust.rank
            teller = entry if entry.email and is_sure else speaker
            if teller is None or teller.email is None:
                continue
            strength = (max(entry.said.trust.rank, teller.said.trust.rank), entry.said.occurred_at)
            for key in entry.keys:
                if key[0] != identity.EMAIL:
                    best[key] = min(best.get(key, (strength, teller.email)), (strength, teller.email))
        for key, (strength, email) in best.items():
            self._hold(key, self._by_email(email), strength)

    def losers(self) -> set[str]:
        """The contacts that names were taken from by :meth:`claim`."""
        return set(self._moved.values())

    def settle(self) -> None:
        """What was known of contacts without an e-mail passes to those who took their name over."""
        for key, old_id in self._moved.items():
            old, new = self._contacts[old_id], self._contacts[self._held[key].contact_id]
            if old.email is None and old.merged_into is None:
                self._merge(old, new)
        self._moved.clear()

    def root_of(self, entry: Entry) -> identity.Key | None:
        """The surest name of whom the entry itself names: the e-mail, where one has claimed the name it gives."""
        if not entry.keys:
            return None
        held = self._held.get(entry.keys[0])
        email = self._contacts[held.contact_id].email if held else None
        return (identity.EMAIL, email) if email else entry.keys[0]

    def person_of(self, entries: Sequence[Entry]) -> str | None:
        """The one contact behind everything told about an order; None when nobody is named.

        The e-mail told surest, then latest, decides.
        """
        speaker = _speaker(entries)
        if speaker is not None and speaker.email is not None:
            return self._by_email(speaker.email).id
        key = identity.strongest(key for entry in entries for key in entry.keys)
        if key is None:
            return None
        held = self._held.get(key)
        if held is None:
            contact = self._make(None)
            self._hold(key, contact, None)
            return contact.id
        return held.contact_id

    def learn(self, entries: Sequence[Entry], contact_id: str | None) -> None:
        """Keep what was told of the persons in an order whose contact is ``contact_id``.

        What a message without an e-mail says counts for every e-mail of its order: they are its buyer's.
        """
        emails = {entry.email: self._by_email(entry.email) for entry in entries if entry.email}
        everyone = list(emails.values()) or [self._contacts[contact_id]] if contact_id else []
        for entry in entries:
            for contact in [emails[entry.email]] if entry.email else everyone:
                self._learn(contact, entry)

    def identified_by(self, data: dict[str, Any], contact_id: str | None) -> str:
        """Which of its own names led to the person; "order" when another message of the same order did."""
        keys = identity.keys_of(data)
        if keys:
            return keys[0][0]
        return "order" if contact_id else "none"

    def write(self, tx: Connection) -> None:
        """Write new and changed contacts, what they are recognized by, and what they consented to."""
        rows = [
            {
                "id": contact.id,
                "workspace_id": self._workspace_id,
                "email": contact.email,
                "data": contact.data,
                "told": contact.told,
                "merged_into": contact.merged_into,
                "created_at": contact.created_at,
                "updated_at": self._at,
            }
            for contact in self._contacts.values()
            if contact.changed
        ]
        upsert(tx, store.contact, rows, ["id"], ("email", "data", "told", "merged_into", "updated_at"))
        keys = [self._key_row(key, self._held[key]) for key in self._changed_keys]
        upsert(tx, store.identity, keys, ["workspace_id", "type", "value"], ("contact_id", "trust", "seen_at"))
        store.put_consents(tx, list(self._consents.values()))

    def _by_email(self, key: identity.Key) -> _Contact:
        held = self._held.get(key)
        if held is not None:
            return self._contacts[held.contact_id]
        made = self._make(key[1])
        self._hold(key, made, None)
        return made

    def _make(self, email: str | None) -> _Contact:
        made = _Contact(new_id(), email, self._at, changed=True)
        self._contacts[made.id] = made
        return made

    def _hold(self, key: identity.Key, contact: _Contact, claim: Strength | None) -> None:
        held = self._held.get(key)
        if held is not None and claim is not None and held.claim is not None:
            # The same message may name another e-mail by now (its order's has changed): then it counts as it is now.
            weaker = claim > held.claim or (claim == held.claim and held.contact_id == contact.id)
            if weaker:
                return
        if held is not None and held.contact_id != contact.id:
            self._moved.setdefault(key, held.contact_id)
        self._held[key] = _Held(contact.id, claim)
        self._changed_keys.add(key)

    def _merge(self, old: _Contact, new: _Contact) -> None:
        """The one without an e-mail is this person. Its row stays and says where it went."""
        for name, value in old.data.items():
            self._put(new, name, value, old.told[name])
        old.merged_into, old.changed = new.id, True
        store.pass_on(self._tx, old.id, new.id)

    def _learn(self, contact: _Contact, entry: Entry) -> None:
        stamp = [-entry.said.trust.rank, (entry.said.occurred_at - EPOCH) // timedelta(microseconds=1)]
        for name, value in entry.data["contact"].items():
            if value and name != "email":
                self._put(contact, name, value, stamp)
        for purpose, granted in entry.data["consent"].items():
            if granted is not None:
                self._consent(contact, purpose, granted, entry.said)

    def _put(self, contact: _Contact, name: str, value: str, stamp: list[int]) -> None:
        known = contact.told.get(name)
        if known is None or (stamp, value) > (known, contact.data[name]):
            contact.data[name], contact.told[name], contact.changed = value, stamp, True

    def _consent(self, contact: _Contact, purpose: str, granted: bool, said: Said) -> None:
        key = (contact.id, purpose, granted, said.trust)
        before = self._consents.get(key)
        if before is None or said.occurred_at > before["at"]:
            self._consents[key] = {
                "contact_id": contact.id,
                "purpose": purpose,
                "granted": granted,
                "trust": said.trust.value,
                "workspace_id": self._workspace_id,
                "basis": "told with a conversion",
                "at": said.occurred_at,
            }

    def _key_row(self, key: identity.Key, held: _Held) -> Values:
        trust, seen_at = (_TRUSTS[held.claim[0]], held.claim[1]) if held.claim else (None, self._at)
        return {
            "workspace_id": self._workspace_id,
            "type": key[0],
            "value": key[1],
            "contact_id": held.contact_id,
            "trust": trust,
            "seen_at": seen_at,
        }


_TRUSTS = {trust.rank: trust.value for trust in Trust}


def _speaker(entries: Sequence[Entry]) -> Entry | None:
    """Who says what the e-mail of an order is: the surest, then the latest."""
    named = [entry for entry in entries if entry.email]
    return max(
        named, key=lambda one: (-one.said.trust.rank, one.said.occurred_at, one.said.event_id, one.email), default=None
    )

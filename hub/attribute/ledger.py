"""The ledger of one batch: what it touches is loaded in bulk, changed in memory, written in bulk.

The first two ask the database only, so they hold up nobody who writes; the third is short.

Each observation has a *subject*: its order, or (without an order id) a person and what for. All observations of a subject
are folded anew whenever one is added, so the books say the same whatever the order of arrival.
One reader works in a workspace at a time (a lease sees to it), so what was loaded stays true until the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from hub.attribute import orders
from hub.attribute.changes import Changed, Changes, Subject
from hub.attribute.contacts import ContactBook
from hub.attribute.joins import join_subjects
from hub.attribute.names import Names
from hub.attribute.observed import Entry, Observed
from hub.store import conversions as conversion_store
from hub.store import orders as order_store
from hub.store.base import to_json
from hub.store.conversions import ObservationRow


class Ledger:
    """Attribute a batch: :meth:`fold` everything observed, once, then :meth:`write`.

    ``tx`` may be a transaction that only reads. Where two orders or contacts turn out to be one, what is stored of them
    is joined at once: then :meth:`fold` raises what the database says of writing there, and needs one that writes.
    """

    def __init__(self, tx: Connection, workspace_id: str, at: datetime) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._people = ContactBook(tx, workspace_id, at)
        self._names = Names(tx, workspace_id, at)
        self._entries: list[Entry] = []
        self._loaded: set[str] = set()  # subjects whose stored observations are among the entries
        self._known_ids: set[str] = set()
        self._changes: Changes | None = None

    def fold(self, observed: list[Observed]) -> list[Changed]:
        """Fold ``observed`` into the books. Sets each one's ``effect``; returns what changes."""
        fresh, left = self._drop_known(observed)
        if not fresh:
            return []
        named = [entry for entry in fresh if entry.names]
        self._names.load(name for entry in named for name in entry.names)
        for entry in named:
            entry.subject = f"o:{self._names.order_of(entry.names)}"
        self._entries += named
        self._load({*left, *(entry.subject for entry in named)})
        nameless = [entry for entry in fresh if not entry.names]
        self._recognize(nameless)
        self._place(nameless + self._reopen())
        return self._fold(left)

    def write(self, tx: Connection) -> None:
        """Write what :meth:`fold` made, in the same or a later transaction."""
        if self._changes is not None:
            self._names.write(tx)
            self._people.write(tx)
            self._changes.write(tx)

    # -- what is new -----------------------------------------------------------------------------------------------

    def _drop_known(self, observed: list[Observed]) -> tuple[list[Entry], set[str]]:
        """The entries to add, and the subjects that lose one for it.

        Of messages with the same event id the surest, then earliest counts. A message that is replayed replaces what it
        said before.
        """
        for one in observed:
            one.effect = ""
        entries = [Entry.fresh(one) for one in observed]
        known = conversion_store.known_events(self._tx, {_event(entry) for entry in entries})
        best: dict[tuple[str, str], Entry] = {}
        for entry in entries:
            rival = best.get(_event(entry))
            if rival is None or _telling(entry) < _telling(rival):
                best[_event(entry)] = entry
        fresh: list[Entry] = []
        replaced = []
        for entry in entries:
            before = known.get(_event(entry))
            if best[_event(entry)] is not entry or (before is not None and not _replaces(entry, before)):
                _observed(entry).effect = "duplicate_event"
                continue
            if before is not None:
                replaced.append(before)
            fresh.append(entry)
        conversion_store.drop_observations(self._tx, [row.id for row in replaced])
        return fresh, {row.subject for row in replaced}

    # -- what is known of it ---------------------------------------------------------------------------------------

    def _load(self, subjects: Iterable[str]) -> None:
        """Load what was told of these subjects, and of every order of a subscription among them."""
        wanted = set(subjects)
        while wanted:
            self._load_stored(wanted)
            plans = {entry.data["subscription_id"] for entry in self._entries} - {None}
            rows = order_store.of_subscriptions(self._tx, self._workspace_id, plans)
            wanted = {f"o:{row.id}" for row in rows} - self._loaded

    def _load_stored(self, subjects: set[str]) -> None:
        while self._names.grown:
            self._loaded.discard(f"o:{self._names.grown.pop()}")
        stored = {name for name in subjects - self._loaded if name[2:] not in self._names.new_orders}
        self._loaded |= subjects
        for row in conversion_store.observations_of(self._tx, self._workspace_id, stored):
            if row.id not in self._known_ids:
                self._known_ids.add(row.id)
                self._entries.append(Entry.stored(row))

    def _recognize(self, nameless: list[Entry]) -> None:
        """Learn who is who from all that is loaded and what is new."""
        self._people.load(self._entries)
        self._people.load(nameless)
        for name, entries in self._by_subject().items():
            self._people.claim(entries, together=name.startswith("o:") and any(entry.names for entry in entries))
        self._people.claim(nameless, together=False)

    def _reopen(self) -> list[Entry]:
        """What was told without an order id by those who turned out to be somebody else: it has to be placed anew."""
        losers = self._people.losers()
        if not losers:
            return []
        subjects = conversion_store.subjects_of_contacts(self._tx, losers)
        self._load(subjects)
        self._people.load(self._entries)
        self._people.settle()
        again = [entry for entry in self._entries if entry.subject in subjects and not entry.names]
        self._entries = [entry for entry in self._entries if not (entry.subject in subjects and not entry.names)]
        return again

    # -- without an order id ---------------------------------------------------------------------------------------

    def _place(self, entries: list[Entry]) -> None:
        """Find the subject of entries without an order id: by who it is now, and what for."""
        if not entries:
            return
        names = {id(entry): entry.subject_without_order(self._people.root_of(entry)) for entry in entries}
        self._names.load(names[id(entry)] for entry in entries if entry.sells)
        came_from: dict[str, set[str]] = {}
        for entry in entries:
            if entry.row is not None:
                came_from.setdefault(entry.subject, set()).add(names[id(entry)])
        for subject, targets in came_from.items():
            if len(targets) == 1:
                self._move_whole(subject, targets.pop())
        for entry in entries:
            name = names[id(entry)]
            entry.subject = f"o:{self._names.order_of([name])}" if entry.sells else name
        self._entries += entries
        self._load({entry.subject for entry in entries})
        self._people.load(self._entries)

    def _move_whole(self, subject: str, name: str) -> None:
        """All that was told under ``subject`` is now told under ``name``: the same row, so that nothing is sent twice."""
        if subject.startswith("o:"):
            order_id = self._names.current(subject[2:])
            self._names.forget(order_id, [one for one in self._names.of(order_id) if one != name])
            self._names.order_of([name], also=order_id)
        elif subject != name:
            join_subjects(self._tx, self._workspace_id, subject, name, self._at)
            self._loaded.discard(name)

    # -- what it says together -------------------------------------------------------------------------------------

    def _fold(self, left: set[str]) -> list[Changed]:
        self._load(self._by_subject())
        self._people.load(self._entries)
        groups = self._by_subject()
        for subject in left:
            groups.setdefault(self._current(subject), [])
        folded = {subject: orders.fold(entry.said for entry in entries) for subject, entries in groups.items()}
        orders.mark_renewals(folded)
        changes = Changes(self._tx, self._workspace_id, self._at, self._people)
        changes.open(groups, self._names.new_orders)
        for subject, entries in groups.items():
            changes.put(Subject(subject, entries, folded[subject]))
        self._changes = changes
        return changes.changed

    def _by_subject(self) -> dict[str, list[Entry]]:
        groups: dict[str, list[Entry]] = {}
        for entry in self._entries:
            entry.subject = self._current(entry.subject)
            groups.setdefault(entry.subject, []).append(entry)
        return groups

    def _current(self, subject: str) -> str:
        return f"o:{self._names.current(subject[2:])}" if subject.startswith("o:") else subject


def _event(entry: Entry) -> tuple[str, str]:
    return entry.connection_id, entry.said.event_id


def _observed(entry: Entry) -> Observed:
    assert entry.observed is not None  # noqa: S101 - only asked of what is new
    return entry.observed


def _telling(entry: Entry) -> tuple[int, datetime, str]:
    """Which of two tellings of an event counts: the lesser. What they say decides where nothing else does."""
    return entry.said.trust.rank, entry.said.occurred_at, to_json(entry.data)


def _replaces(entry: Entry, row: ObservationRow) -> bool:
    return _observed(entry).inbound_id == row.inbound_id or _telling(entry) < _telling(Entry.stored(row))

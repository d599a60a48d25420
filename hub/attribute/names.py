"""Which order is meant? Two orders that turn out to share a name become one; the elder stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from hub.attribute.joins import join_subjects
from hub.store import new_id
from hub.store import orders as order_store
from hub.store.base import insert_new


class Names:
    """The names of one batch's orders. What is joined in the database is joined at once, names are written at the end."""

    def __init__(self, tx: Connection, workspace_id: str, at: datetime) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._at = at
        self._known: dict[str, str] = {}
        self._fresh: list[str] = []
        self._joined: dict[str, str] = {}
        self.new_orders: set[str] = set()
        self.grown: set[str] = set()  # stored orders that another stored one was joined to

    def load(self, names: Iterable[str]) -> None:
        """Look up which orders these names belong to."""
        unknown = set(names) - self._known.keys()
        if unknown:
            self._known |= order_store.aliases(self._tx, self._workspace_id, unknown)

    def order_of(self, names: list[str], *, also: str | None = None) -> str:
        """The one order that goes by ``names`` (and is the order ``also``), found, made or joined."""
        found = {self.current(self._known[name]) for name in names if name in self._known}
        found |= {self.current(also)} if also else set()
        eldest_first = sorted(found, key=lambda order_id: (order_id in self.new_orders, order_id))
        order_id = eldest_first[0] if eldest_first else new_id()
        if not eldest_first:
            self.new_orders.add(order_id)
        for other in eldest_first[1:]:
            self._join(other, order_id)
        for name in names:
            if name not in self._known:
                self._known[name] = order_id
                self._fresh.append(name)
        return order_id

    def current(self, order_id: str) -> str:
        """``order_id``, or the order it was joined to."""
        while order_id in self._joined:
            order_id = self._joined[order_id]
        return order_id

    def of(self, order_id: str) -> list[str]:
        """The stored names of an order."""
        return order_store.aliases_of(self._tx, order_id)

    def forget(self, order_id: str, names: Iterable[str]) -> None:
        """The order does not go by these names any more."""
        for name in names:
            self._known.pop(name, None)
        order_store.drop_aliases(self._tx, self._workspace_id, order_id, list(names))

    def write(self, tx: Connection) -> None:
        rows = [
            {"workspace_id": self._workspace_id, "alias": name, "order_id": self.current(self._known[name])}
            for name in self._fresh
        ]
        insert_new(tx, order_store.order_alias, rows, "workspace_id", "alias")

    def _join(self, loser: str, winner: str) -> None:
        self._joined[loser] = winner
        if loser in self.new_orders:
            self.new_orders.remove(loser)
        else:
            self.grown.add(winner)
            join_subjects(self._tx, self._workspace_id, f"o:{loser}", f"o:{winner}", self._at)

"""The messages of one sale, as their senders write them, and the books they must end in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from hub.contract import Trust
from hub.run.reader import read_messages
from hub.steer import connections
from hub.store import Store, accounts, campaigns, contacts, conversions, deliveries, inbound, new_id, now, orders
from hub.store.base import Row, Values, insert

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRETS = {"stripe": {"secret": ["whsec_made_up"]}, "thinkific": {"secret": ["made_up_key"]}}
LATER = "2026-11-21T12:{:02d}:00Z"


@dataclass(frozen=True)
class Told:
    """One message. ``minute`` after noon is when it arrived, whenever it is fed to the hub."""

    source: str
    minute: int
    body: bytes = b""
    query: str = ""
    cookie: str = ""
    trust: Trust = Trust.PROVEN
    fetched: dict[str, Any] | None = None


def at(minute: int) -> str:
    return (NOON + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def pixel(minute: int, *, cookie: str = "", **fields: Any) -> Told:
    return Told("pixel", minute, query=urlencode(fields, doseq=True), cookie=cookie, trust=Trust.CLAIMED)


def webhook(minute: int, *, trust: Trust = Trust.CLAIMED, **record: Any) -> Told:
    return Told("webhook", minute, _json({"time": at(minute), **record}), trust=trust)


def paypal(minute: int, event_type: str, **resource: Any) -> Told:
    event = {"id": f"WH-{event_type}-{minute}", "event_type": event_type, "create_time": at(minute)}
    return Told("paypal", minute, _json({**event, "resource": resource}))


def stripe(minute: int, event_type: str, *, before: dict[str, Any] | None = None, **thing: Any) -> Told:
    created = int((NOON + timedelta(minutes=minute)).timestamp())
    data = {"object": {"currency": "eur", **thing}} | ({"previous_attributes": before} if before else {})
    event = {
        "id": f"evt_{event_type}_{minute}",
        "object": "event",
        "type": event_type,
        "created": created,
        "livemode": True,
        "data": data,
    }
    return Told("stripe", minute, _json(event))


def thinkific(minute: int, topic: str, **payload: Any) -> Told:
    resource, _, action = topic.partition(".")
    envelope = {"id": f"t{minute}{topic}", "resource": resource, "action": action, "created_at": at(minute)}
    return Told("thinkific", minute, _json({**envelope, "payload": payload}))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@dataclass
class Atelier:
    """A workspace with one source of each kind and one destination that takes sales. Nothing is sent."""

    store: Store
    workspace_id: str = ""
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.write() as tx:
            self.workspace_id = accounts.add_workspace(tx, now(), name="Atelier", currency="EUR")
            for slug in ("pixel", "webhook", "paypal", "stripe", "thinkific"):
                self.sources[slug] = self._connect(tx, slug, "source", SECRETS.get(slug, {}))
            self._connect(tx, "webhook", "destination", {"url": "https://receiver.example.com/hook"})

    def _connect(self, tx: Any, slug: str, role: str, settings: dict[str, Any]) -> str:
        made: str = connections.connect(
            tx, now(), self.workspace_id, connector=slug, role=role, name=slug, settings=settings
        )
        return made

    def read(self, batch: Sequence[Told]) -> None:
        """These messages arrive, in this order, and are read together."""
        with self.store.write() as tx:
            insert(tx, inbound.inbound, [self._row(told) for told in batch])
        read_messages(self.store, self.workspace_id, 30)

    def _row(self, told: Told) -> Values:
        received_at = NOON + timedelta(minutes=told.minute)
        return inbound.NEW_ROW | {
            "id": new_id(),
            "workspace_id": self.workspace_id,
            "connection_id": self.sources[told.source],
            "received_at": received_at,
            "due_at": NOON,
            "method": "GET" if told.source == "pixel" else "POST",
            "path": "/",
            "query": told.query,
            "body": told.body,
            "trust": told.trust.value,
            "fetched": told.fetched,
            "headers": {"cookie": f"hub_visitor={told.cookie}"} if told.cookie else {},
        }

    # -- what the books say ----------------------------------------------------------------------------------------

    def verdicts(self) -> list[tuple[str, str, str]]:
        rows = self._rows(inbound.inbound)
        return [(row["state"], row["reason"], row["detail"]) for row in rows]

    def orders(self) -> dict[str, Row]:
        found = {row["display_id"]: row for row in self._rows(orders.order)}
        assert len(found) == len(self._rows(orders.order)), "two orders go by the same id"
        return found

    def conversions(self) -> list[Row]:
        return [row for row in self._rows(conversions.conversion) if row["state"] != "replaced"]

    def planned(self) -> list[Row]:
        """Deliveries that go out or went out."""
        return [row for row in self._rows(deliveries.delivery) if row["state"] in ("waiting", "delivered")]

    def consents(self) -> dict[str, bool]:
        """By purpose: what the one person of these books said."""
        with self.store.read() as tx:
            found = contacts.consents_of(tx, {row["contact_id"] for row in self._rows(contacts.consent)})
        assert len({contact_id for contact_id, _ in found}) <= 1, "more than one person said something"
        return {purpose: granted for (_, purpose), granted in found.items()}

    def books(self) -> dict[str, Any]:
        """Everything that must not depend on the order of arrival, with ids of chance replaced by names."""
        people = {row["id"]: row for row in self._rows(contacts.contact)}
        keys = self._rows(contacts.identity)
        who = {row["contact_id"]: self._named(f"{row['type']}:{row['value']}") for row in keys if row["trust"] is None}
        sales = {row["id"]: row["display_id"] for row in self._rows(orders.order)}
        told = {row["id"]: self._conversion(row, sales, who) for row in self._rows(conversions.conversion)}
        counted = {row["id"] for row in self.conversions()}
        aims = {row["id"]: row["external_id"] for row in self._rows(campaigns.campaign)}
        return {
            "orders": _sorted(self._order(row, who) for row in self._rows(orders.order)),
            "ledger": self._ledger(sales, who),
            "conversions": _sorted(told[one] for one in counted),
            "contacts": _sorted((who[row["id"]], row["data"]) for row in people.values() if row["id"] in who),
            "merged": sum(row["merged_into"] is None for row in people.values()) == len(who),
            "identities": _sorted(
                (self._named(f"{row['type']}:{row['value']}"), who.get(row["contact_id"])) for row in keys
            ),
            "consents": _sorted(
                (who.get(row["contact_id"]), *(row[name] for name in ("purpose", "granted", "trust", "at")))
                for row in self._rows(contacts.consent)
            ),
            "credits": _sorted(
                (told[row["conversion_id"]], row["type"], aims.get(row["value"], row["value"]))
                for row in self._rows(campaigns.credit)
                if row["conversion_id"] in counted
            ),
            "sent": _sorted(told[row["conversion_id"]] for row in self.planned()),
            "strays": sum(row["conversion_id"] not in counted for row in self.planned()),
        }

    def _order(self, row: Row, who: dict[str, str]) -> tuple[Any, ...]:
        names = (
            "display_id",
            "subscription_id",
            "currency",
            "gross",
            "refunded",
            "disputed",
            "status",
            "test",
            "paid_at",
        )
        return (who.get(row["contact_id"]), *(row[name] for name in names))

    def _conversion(self, row: Row, sales: dict[str, str], who: dict[str, str]) -> tuple[Any, ...]:
        names = (
            "slot",
            "kind",
            "stage",
            "occurred_at",
            "value",
            "currency",
            "test",
            "trust",
            "identified_by",
            "state",
            "reason",
        )
        data = {name: value for name, value in row["data"].items() if value not in (None, "", [], {}, False)}
        return (
            sales.get(row["order_id"]),
            who.get(row["contact_id"]),
            *(row[name] for name in names),
            json.dumps(data, sort_keys=True),
        )

    def _ledger(self, sales: dict[str, str], who: dict[str, str]) -> list[Any]:
        sums: dict[tuple[Any, ...], Any] = {}
        for row in self._rows(orders.ledger):
            key = (
                sales.get(row["order_id"]),
                who.get(row["contact_id"]),
                row["kind"],
                row["currency"],
                row["occurred_at"],
            )
            sums[key] = sums.get(key, 0) + row["amount"]
        return _sorted((key, amount) for key, amount in sums.items() if amount)

    def _named(self, text: str) -> str:
        for slug, connection_id in self.sources.items():
            text = text.replace(connection_id, slug)
        return text

    def _rows(self, table: Any) -> list[Row]:
        if "workspace_id" not in table.c:
            raise LookupError(f"{table.name} does not say whose it is")
        with self.store.read() as tx:
            return list(tx.execute(select(table).where(table.c.workspace_id == self.workspace_id)).mappings())


def _sorted(rows: Any) -> list[Any]:
    return sorted(rows, key=repr)

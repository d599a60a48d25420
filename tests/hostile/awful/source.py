"""Sends ``{"id": …, "email": …}``. Whatever it does can be made to go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hostile import or_wrong
from hub.contract import Call, Category, Conversion, Inbound, Kind, Recipe, Reply, Source, Stage
from hub.contract.conversion import Contact


class Awful(Source):
    slug = "awful"
    name = "Awful"
    category = Category.SHOP
    stages = frozenset({Stage.PURCHASE})

    def upgrade_settings(self, settings: dict[str, Any], from_version: int) -> dict[str, Any]:
        return or_wrong("upgrade_settings", lambda: settings)  # type: ignore[no-any-return]

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return or_wrong("check", lambda: None)  # type: ignore[no-any-return]

    def handshake(self, inbound: Inbound, settings: Mapping[str, Any]) -> Reply | None:
        return or_wrong("handshake", lambda: None)  # type: ignore[no-any-return]

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe | None:
        return or_wrong("verify", lambda: None)  # type: ignore[no-any-return]

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return or_wrong("needs_fetch", lambda: bool(inbound.json().get("ask")))  # type: ignore[no-any-return]

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        return or_wrong("fetch", lambda: _ask(inbound.json()["ask"]))  # type: ignore[no-any-return]

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        return or_wrong("normalize", lambda: [sale(inbound)])  # type: ignore[no-any-return]


def _ask(url: str) -> Recipe:
    reply = yield Call.get(url)
    return {"said": reply.json()}


def sale(inbound: Inbound, **fields: Any) -> Conversion:
    order = inbound.json()["id"]
    told = {
        "event_id": f"sale:{order}",
        "kind": Kind.CONVERSION,
        "stage": Stage.PURCHASE,
        "occurred_at": inbound.received_at,
        "order_id": order,
        "contact": Contact(email=f"{order}@example.com"),
    }
    return Conversion(**{**told, **fields})

"""A source for tests that says little by itself: the e-mail has to be asked for, with access that people grant."""

from collections.abc import Iterable, Mapping
from typing import Any

from granted.cloud import destination
from hub.contract import Call, Category, Contact, Conversion, Inbound, Kind, Recipe, Source, Stage, Unsigned


class CloudEvents(Source):
    """``{"id": …, "email": …}``; without the e-mail it is fetched."""

    slug = "cloud"
    name = "Cloud"
    category = Category.GENERIC
    Settings = destination.CloudSettings
    auth = destination.Cloud.auth
    stages = frozenset({Stage.COMPLETE_REGISTRATION})

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe | None:
        raise Unsigned

    def needs_fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> bool:
        return "email" not in inbound.json()

    def fetch(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        yield Call.get(f"{settings['login']}/api")
        return {"email": "asked@example.com"}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        told = {**inbound.fetched, **inbound.json()}
        return [
            Conversion(
                event_id=told["id"],
                kind=Kind.CONVERSION,
                stage=Stage.COMPLETE_REGISTRATION,
                occurred_at=inbound.received_at,
                contact=Contact(email=told["email"]),
            )
        ]

"""Posts to ``url``. Whatever it does can be made to go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from hostile import or_wrong
from hub.contract import Call, Category, Destination, Outcome, Recipe, Record, Reply, SettingsSchema


class Given(SettingsSchema):
    url = fields.String(required=True)


class Awful(Destination):
    slug = "awful"
    name = "Awful"
    category = Category.CRM
    Settings = Given
    default_mapping = {"email": {"from": "contact.email"}}  # noqa: RUF012 - as connectors write it

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return or_wrong("check", lambda: None)  # type: ignore[no-any-return]

    def discover(self, settings: Mapping[str, Any]) -> Recipe | None:
        return or_wrong("discover", lambda: None)  # type: ignore[no-any-return]

    def prepare(self, settings: Mapping[str, Any]) -> Recipe | None:
        return or_wrong("prepare", lambda: None)  # type: ignore[no-any-return]

    def judge(self, reply: Reply) -> Outcome | None:
        return or_wrong("judge", lambda: None)  # type: ignore[no-any-return]

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        return or_wrong("deliver", lambda: _post(record, settings))  # type: ignore[no-any-return]


def _post(record: Record, settings: Mapping[str, Any]) -> Recipe:
    yield Call.post(settings["url"], json=record.values)

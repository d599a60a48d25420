"""A destination for tests that people grant access to. Its address is a setting, as with platforms of many data centers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import Call, Category, Destination, OAuth2, Recipe, Secret, SettingsSchema, Text, Words


class CloudSettings(SettingsSchema):
    login = Words(Text("Address", "Adresse"), required=True)
    client_id = Words(Text("Client id", "Identifiant client"), load_default="")
    client_secret = Secret(Text("Client secret", "Secret client"), load_default="")
    account = Words(Text("Account", "Compte"), load_default="", validate=validate.Length(max=40))


class Cloud(Destination):
    """Takes each record as a POST to its one address."""

    slug = "cloud"
    name = "Cloud"
    category = Category.GENERIC
    Settings = CloudSettings
    auth = OAuth2(
        authorize_url="{login}/authorize",
        token_url="{login}/token",
        scopes=("events", "contacts"),
        parameters={"access_type": "offline"},
        keeps=("account",),
    )
    default_mapping: ClassVar = {"email": {"from": "contact.email"}}

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        yield Call.get(f"{settings['login']}/api")
        return f"Connected to {settings['account']}."

    def deliver(self, record: Any, settings: Mapping[str, Any]) -> Recipe:
        yield Call.post(f"{settings['login']}/api", json=record.values)

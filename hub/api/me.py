"""Who am I: the workspace that the key belongs to."""

from __future__ import annotations

from marshmallow import Schema, fields

from hub.api.frame import Calls, store, workspace_id
from hub.store import accounts
from hub.store.base import Row

calls = Calls("me", "The workspace behind the API key")


class Me(Schema):
    id = fields.String()
    name = fields.String()
    time_zone = fields.String()
    currency = fields.String()
    language = fields.String()


@calls("GET", "/me", answer=Me)
def show_me() -> Row | None:
    """The workspace that the key belongs to."""
    with store().read() as tx:
        return accounts.get_workspace(tx, workspace_id())

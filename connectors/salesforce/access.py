"""A permission set that shows the hub's fields: a field made through the Tooling API is hidden until one does.

Source: developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference (FieldPermissions,
PermissionSetAssignment); help.salesforce.com, "User Info for OpenID Connect".
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from hub.contract import Call, Refused, Reply
from hub.toolkit.paths import dig, text

NAME = "Conversion_Hub"


def grant_access(base: str, instance_url: str, fields: Sequence[str]) -> Generator[Call, Reply, None]:
    """Find or create the permission set, let it read and edit ``fields``, and give it to the hub's own user."""
    query = f"SELECT Id FROM PermissionSet WHERE Name = '{NAME}'"  # noqa: S608 - a constant
    reply = yield Call.get(f"{base}/query", params={"q": query})
    known = text(dig(reply.json(), "records[0].Id"))
    if known is None:
        made = yield Call.post(f"{base}/sobjects/PermissionSet", json={"Name": NAME, "Label": "Conversion Hub"})
        known = text(dig(made.json(), "id")) or ""
    rows = [
        {
            "attributes": {"type": "FieldPermissions"},
            "ParentId": known,
            "SobjectType": "Contact",
            "Field": name,
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        for name in fields
    ]
    yield Call.post(f"{base}/composite/sobjects", json={"allOrNone": False, "records": rows})
    reply = yield Call.get(f"{instance_url}/services/oauth2/userinfo")
    assignment = {"AssigneeId": text(dig(reply.json(), "user_id")), "PermissionSetId": known}
    try:
        yield Call.post(f"{base}/sobjects/PermissionSetAssignment", json=assignment)
    except Refused as error:
        if error.status != 409:  # assigned already
            raise

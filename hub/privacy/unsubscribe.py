"""One click and no more e-mails: the address that goes into each, and what happens when it is called.

The address is signed and holds no e-mail address, only the keyed hash under which the person is left alone from then on.
Source: RFC 8058 (one click is a POST, without a login, a cookie or a question).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.connecting.vault import derived_key, suppression_hash
from hub.settings import settings
from hub.store import accounts, contacts

PATH = "/u"
_ID, _HASH, _SIGNATURE = 16, 32, 16  # bytes


def address(workspace_id: str, email: str) -> str:
    """Where this person's e-mails from this workspace are stopped."""
    said = UUID(workspace_id).bytes + bytes.fromhex(suppression_hash(email))
    token = urlsafe_b64encode(said + _signature(said)).decode().rstrip("=")
    return f"{settings().base_url}{PATH}/{token}"


def person_of(token: str) -> tuple[str, str] | None:
    """(workspace id, keyed hash of the e-mail address); None when the token is not one of ours."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    said, signature = raw[: _ID + _HASH], raw[_ID + _HASH :]
    if len(raw) != _ID + _HASH + _SIGNATURE or not hmac.compare_digest(_signature(said), signature):
        return None
    return str(UUID(bytes=said[:_ID])), said[_ID:].hex()


def unsubscribe(tx: Connection, at: datetime, token: str) -> bool:
    """Send this person no e-mails any more. False: the token is not one of ours. Told again, nothing changes."""
    person = person_of(token)
    if person is None:
        return False
    workspace_id, email_hash = person
    if contacts.suppress(tx, workspace_id, email_hash, contacts.UNSUBSCRIBED, at):
        accounts.record_audit(tx, at, workspace_id, None, "person.unsubscribed")
    return True


def _signature(said: bytes) -> bytes:
    return hmac.digest(derived_key("unsubscribe"), said, "sha256")[:_SIGNATURE]

"""Rows as the database would give them, for tests that need none."""

from __future__ import annotations

from typing import Any

from hub.store import now
from hub.store.connections import ACTIVE, ConnectionRow


def connection_row(connection_id: str, **columns: Any) -> ConnectionRow:
    """An active destination; ``columns`` says what is otherwise."""
    usual: dict[str, Any] = {
        "workspace_id": "w",
        "connector": "",
        "role": "destination",
        "name": connection_id,
        "address": f"address-{connection_id}",
        "number": 1,
        "settings": {},
        "secrets": b"",
        "settings_version": 1,
        "order_scope": "",
        "state": ACTIVE,
        "state_reason": "",
        "state_detail": "",
        "breaker": {},
        "throttled_until": None,
        "prepared_at": None,
        "created_at": now(),
        "updated_at": now(),
    }
    return ConnectionRow(id=connection_id, **usual | columns)

"""``/healthz``: for load balancers and ``hub up``."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.doors.intake import hub

door = Blueprint("health_door", __name__)


@door.get("/healthz")
def health() -> tuple[Response, int]:
    """200 when messages can be kept."""
    try:
        with hub().store.read() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return jsonify({"ok": False, "say": "The database does not answer."}), 503
    return jsonify({"ok": True}), 200

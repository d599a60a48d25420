"""People in front of the pages, for tests: browsers without scripts, logged in or not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.steer.accounts import hash_password
from hub.store import Store, accounts, now

PASSWORD = "a long enough password"
HASH = hash_password(PASSWORD)


@dataclass
class TinyHub:
    """What the pages need of the application; wake-ups are noted."""

    store: Store
    woken: list[tuple[str, str, str]] = field(default_factory=list)

    def wake(self, queue: str, job: str, argument: str) -> None:
        self.woken.append((queue, job, argument))


class Visitor:
    """A browser without scripts: keeps cookies, and sends each form with the token of the page it stands on."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def get(self, path: str, **rest: Any) -> TestResponse:
        answer = self.client.get(path, **rest)
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **rest: Any) -> TestResponse:
        if not self.token:
            self.get("/login")
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **rest)

    def log_in(self, email: str, password: str = PASSWORD, **rest: Any) -> TestResponse:
        self.get("/login")
        answer = self.post("/login", {"email": email, "password": password}, **rest)
        self.get("/connections")  # the token of the new session
        return answer


def member(app: Flask, workspace_id: str, role: str = "owner", email: str = "owner@example.com") -> Visitor:
    """Somebody with that role, logged in."""
    hub: TinyHub = app.extensions["hub"]
    with hub.store.write() as tx:
        accounts.add_user(tx, now(), email=email, password_hash=HASH, workspace_id=workspace_id, role=role)
    visitor = Visitor(app)
    assert visitor.log_in(email).status_code == 302
    return visitor

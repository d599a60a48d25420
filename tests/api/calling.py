"""A shop whose owner calls the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from shop import Shop
from werkzeug.test import TestResponse

from hub.steer import api_keys
from hub.store import Store, now


@dataclass
class TinyHub:
    """What the API needs of the application; wake-ups are noted."""

    store: Store
    woken: list[tuple[str, str, str]] = field(default_factory=list)

    def wake(self, queue: str, job: str, argument: str) -> None:
        self.woken.append((queue, job, argument))


class Caller(Shop):
    """A shop, called through the API with a key of its own."""

    def __init__(self, app: Flask, name: str = "Shop") -> None:
        self.app = app
        self.hub: TinyHub = app.extensions["hub"]
        super().__init__(self.hub.store, name)
        with self.store.write() as tx:
            self.key_id, self.key = api_keys.make(tx, now(), self.workspace_id, name="test")

    def __call__(self, method: str, path: str, body: Any = None, **rest: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", **rest.pop("headers", {})}
        given = {} if body is None else {"json": body}
        return self.app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **given, **rest)

    def get(self, path: str) -> Any:
        """The JSON of a call that must succeed."""
        answer = self("GET", path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

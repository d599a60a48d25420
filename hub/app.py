"""create_app(): hangs doors, API and pages on one Flask app."""

from __future__ import annotations

import logging

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from hub import api, doors, web
from hub.connecting.vault import derived_key
from hub.doors.intake import Hub
from hub.receive import Receiver
from hub.run.queue import READING, Waker
from hub.settings import settings
from hub.store import Store


class PageSessions(SecureCookieSessionInterface):
    """Sessions are for pages: opening one costs a machine's call as much as everything else about it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(("/in/", "/v1/", "/api/", "/healthz", "/u/")):
            return self.make_null_session(app)
        return super().open_session(app, request)


def create_app(store: Store | None = None) -> Flask:
    """The hub's WSGI application. ``store`` defaults to the one named by DATABASE_URL."""
    app = Flask("hub", static_folder=None, template_folder=None)
    app.config.update(SECRET_KEY=derived_key("sessions"), MAX_FORM_MEMORY_SIZE=2_000_000)
    app.session_interface = PageSessions()
    store = store or Store(settings().database_url, pool_size=8)
    waker = Waker()

    def committed(workspaces: set[str]) -> None:
        for workspace_id in workspaces:
            waker(READING, "read_messages", workspace_id)

    receiver = Receiver(store, committed, most_waiting=settings().max_waiting)
    app.extensions["hub"] = Hub(store, receiver, waker)
    doors.register(app)
    api.register(app)
    web.register(app)
    if settings().proxies:
        count = settings().proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # the way Flask's documentation puts a middleware in front
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its access log would hold personal data from queries
    return app

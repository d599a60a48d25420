"""Where machines come in. A door keeps the raw request and answers; it reads nothing but what proves the sender."""

from flask import Flask

from hub.doors import health, pixel, unsubscribe, webhook
from hub.doors.front import Front


def register(app: Flask) -> None:
    """Hang the doors on the app, which has its Hub already."""
    app.register_blueprint(health.door)
    app.register_blueprint(unsubscribe.door)
    app.wsgi_app = Front(app.extensions["hub"], pixel.DOORS | webhook.DOORS, app.wsgi_app)  # type: ignore[method-assign]  # the way Flask's documentation puts a middleware in front


__all__ = ["register"]

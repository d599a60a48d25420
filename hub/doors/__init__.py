"""Where machines come in. A door keeps the raw request and answers; it reads nothing but what proves the sender."""

from flask import Flask

from hub.doors import health, pixel, webhook


def register(app: Flask) -> None:
    """Hang the doors on the app."""
    app.register_blueprint(webhook.door)
    app.register_blueprint(pixel.door)
    app.register_blueprint(health.door)


__all__ = ["register"]

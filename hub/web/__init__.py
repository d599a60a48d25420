"""The pages people work with. One file a menu entry.

What people do there is in :mod:`hub.steer`, what they see in :mod:`hub.report`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask

from hub.settings import settings
from hub.web import (
    connect,
    connections,
    demo,
    errors,
    first_run,
    grants,
    home,
    imports,
    language,
    live,
    login,
    routes,
    security,
    throttle,
    timeline,
    words,
)
from hub.web.menu import entries
from hub.web.session import current, guard

PAGES = (
    home.pages,
    live.pages,
    timeline.pages,
    connections.pages,
    connect.pages,
    imports.pages,
    grants.pages,
    routes.pages,
    login.pages,
    first_run.pages,
    language.pages,
    demo.pages,
)


def register(app: Flask) -> None:
    """Hang the pages on ``app``. Needs ``app.extensions["hub"]`` (see :class:`hub.web.session.Hub`) and SECRET_KEY."""
    security.configure(app, https=settings().base_url.startswith("https://"))
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(Path(__file__).parent / "translations"))
    language.babel.init_app(app, locale_selector=language.choose)
    words.register(app)
    errors.register(app)
    throttle.register(app)
    site = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/static")
    site.before_request(_protect)
    site.before_request(guard)
    site.after_request(security.add_headers)
    site.context_processor(_everywhere)
    for pages in PAGES:
        site.register_blueprint(pages)
    app.register_blueprint(site)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _protect() -> None:
    security.csrf.protect()


def _everywhere() -> dict[str, object]:
    return {
        "person": current(),
        "language": language.language(),
        "languages": language.LANGUAGES,
        "menu": entries() if current() else [],
    }

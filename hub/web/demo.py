"""The guided demo: real sample messages that went through the hub's own doors, and what a local receiver got of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template

from hub.demo import guided as demo
from hub.settings import settings
from hub.web.session import person, the_store

pages = Blueprint("demo", __name__)


@pages.get("/demo")
def page() -> Any:
    """The demo's story, message by message. There is none unless the hub was started with it."""
    person()
    return render_template("demo.html", **_content())


@pages.get("/demo/rows")
def rows() -> Any:
    """Only the messages, for the page to fetch while some are on their way."""
    person()
    return render_template("demo_rows.html", **_content())


def was_run() -> bool:
    """Whether this installation was started with the demo."""
    return (settings().data_dir / demo.PLAN).exists()


def _content() -> dict[str, Any]:
    steps = demo.steps(the_store(), settings())
    if not steps:
        abort(404)
    return {"steps": steps, "arrived": sum(step.arrived for step in steps)}

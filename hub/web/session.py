"""Who is looking at the page, and on whose behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, session, url_for

from hub.connecting import vault
from hub.store import Store, accounts
from hub.store.accounts import MemberWorkspace, UserRow

OPEN_PAGES = frozenset(
    {
        "web.login.page",
        "web.login.enter",
        "web.first_run.page",
        "web.first_run.create",
        "web.language.switch",
        "web.static",
    }
)
"""Endpoints that need no login."""


class Hub(Protocol):
    """What the application hangs at ``app.extensions["hub"]`` for the pages."""

    store: Store

    def wake(self, queue: str, job: str, *arguments: str) -> None:
        """Ask the workers to look, after the commit that gave them something to do."""


@dataclass(frozen=True, slots=True)
class Person:
    """A logged-in user in one workspace. ``workspace`` is its row."""

    user_id: str
    email: str
    name: str
    language: str
    role: str
    workspace: MemberWorkspace

    @property
    def workspace_id(self) -> str:
        return str(self.workspace.id)

    @property
    def may_change(self) -> bool:
        """Whether they may connect, pause, replay; everyone may look."""
        return self.role in ("owner", "editor")

    @property
    def sees_addresses(self) -> bool:
        """Whether e-mail addresses are shown to them in full."""
        return self.role in ("owner", "editor")


def the_hub() -> Hub:
    hub: Hub = current_app.extensions["hub"]
    return hub


def the_store() -> Store:
    return the_hub().store


def current() -> Person | None:
    """Who is logged in, or None. Looked up once a request."""
    if "person" not in g:
        g.person = _look_up()
    found: Person | None = g.person
    return found


def person() -> Person:
    """Who is logged in, on pages that only those who are can reach."""
    found = current()
    assert found is not None  # noqa: S101 - the guard below has answered everyone else
    return found


def enter(user: UserRow) -> None:
    """Log ``user`` in. Whatever the session held before is dropped, so nobody can have prepared it."""
    chosen = session.get("language")
    session.clear()
    session.permanent = True
    session["user"] = user.id
    session["proof"] = _proof(user)
    if chosen:
        session["language"] = chosen
    g.pop("person", None)


def leave() -> None:
    """Log out; only the language stays."""
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
    g.pop("person", None)


def guard() -> Any:
    """Before each page: an empty installation is set up first, and strangers go to the login."""
    if request.endpoint in OPEN_PAGES or current() is not None:
        return None
    with the_store().read() as tx:
        anyone = accounts.users_exist(tx)
    if not anyone:
        return redirect(url_for("web.first_run.page"))
    target = url_for("web.login.page", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if request.headers.get("HX-Request"):  # a fragment must not be filled with the login page
        return Response(status=401, headers={"HX-Redirect": url_for("web.login.page")})
    return redirect(target)


def safe_path(path: str | None, default: str = "/") -> str:
    """``path`` if it stays on this site, else ``default``: a login must not send people elsewhere."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(char < " " for char in path):
        return default
    try:
        parts = urlsplit(path)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else path


def _look_up() -> Person | None:
    user_id = session.get("user")
    if not user_id:
        return None
    with the_store().read() as tx:
        user = accounts.user_by_id(tx, user_id)
        if user is None or session.get("proof") != _proof(user):
            return None
        spaces = accounts.workspaces_of(tx, user_id)
    if not spaces:
        return None
    space = next((each for each in spaces if each.id == session.get("workspace")), spaces[0])
    return Person(user.id, user.email, user.name, user.language, space.role, space)


def _proof(user: UserRow) -> str:
    # Tied to the password: changing it ends every session that was opened with the old one.
    return vault.keyed_hash("web session", f"{user.id} {user.password_hash}")[:32]

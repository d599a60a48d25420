"""A hub served on this machine, and a Chromium to look at it. Without a Chromium these tests are skipped, and say so."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from shop import Shop
from werkzeug.serving import make_server

from hub import web
from hub.settings import settings
from hub.steer.accounts import hash_password
from hub.store import Store, accounts, metadata, now

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EMAIL, PASSWORD = "owner@example.com", "a long enough password"


@dataclass
class QuietHub:
    """What the pages need of the application; nobody is woken."""

    store: Store
    woken: list[tuple[str, str, str]] = field(default_factory=list)

    def wake(self, queue: str, job: str, argument: str) -> None:
        self.woken.append((queue, job, argument))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on the PATH: install Debian's package chromium to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def hub_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "data").mkdir(exist_ok=True)
    url = f"sqlite:///{tmp_path / 'data' / 'hub.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    opened = Store(url)
    with opened.write() as tx:
        metadata.create_all(tx)
    yield opened
    opened.close()


@pytest.fixture
def address(hub_store: Store) -> Iterator[str]:
    """Where the hub is served."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config["SECRET_KEY"] = "for tests"
    app.extensions["hub"] = QuietHub(hub_store)
    web.register(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(hub_store: Store) -> Shop:
    """A shop with an owner, whose name is long and whose sales are one, refused, set aside, and a test."""
    made = Shop(hub_store, "Atelier Martin, formations en ligne et librairie du Vieux-Port")
    with hub_store.write() as tx:
        accounts.add_user(
            tx, now(), email=EMAIL, password_hash=hash_password(PASSWORD), workspace_id=made.workspace_id, role="owner"
        )
    return made


@dataclass
class Looker:
    """One browser window. ``complaints`` are what the browser's console said in anger."""

    page: Page
    address: str
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def log_in(self, language: str) -> None:
        self.open("/login")
        self.page.fill("#email", EMAIL)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.address}/")
        if self.page.locator("html").get_attribute("lang") != language:
            menu = self.page.locator("[popovertarget=menu]")
            if menu.is_visible():
                menu.click()
            with self.page.expect_navigation():
                self.page.locator(f"button[value={language}]").click()

    def spills(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def window(chromium: Browser, address: str) -> Iterator[Windows]:
    opened = Windows(chromium, address)
    yield opened
    opened.close()


class Windows:
    """Opens windows of a size, in a language; closes them after the test."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address
        self._contexts: list[BrowserContext] = []

    def __call__(self, width: int = 1280, language: str = "en", *, scripts: bool = True, dark: bool = False) -> Looker:
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            locale=language,
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )
        self._contexts.append(context)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return Looker(page, self._address, complaints)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

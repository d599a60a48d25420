import hashlib
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from shop import Shop
from visitors import TinyHub, Visitor

from hub import web
from hub.settings import settings
from hub.store import Store

WEB = Path(web.__file__).parent
VENDOR = WEB / "static" / "vendor"


@pytest.mark.parametrize("path", ["/", "/live", "/connections", "/login", "/nowhere", "/static/hub.css"])
def test_every_page_tells_the_browser_to_trust_only_us(owner: Visitor, path: str) -> None:
    answer = owner.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    answer.close()


def test_no_page_needs_inline_scripts_or_styles(owner: Visitor, shop: Shop) -> None:
    message_id = shop.hit()
    paths = ["/", "/live", f"/live/{message_id}", "/connections", f"/connections/{shop.source_id}", "/login"]
    for path in paths:
        page = owner.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        assert not re.search(r'(src|href|action)="(https?:)?//', page), path


def test_pages_about_people_are_kept_by_no_cache(owner: Visitor) -> None:
    assert owner.get("/live").headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(owner: Visitor) -> None:
    cookie = Visitor(owner.client.application).get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_on_https_the_session_cookie_never_travels_in_clear(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_BASE_URL", "https://hub.example.com")
    settings.cache_clear()
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "for tests"
    app.extensions["hub"] = TinyHub(store)
    web.register(app)
    assert "Secure" in Visitor(app).get("/setup").headers["Set-Cookie"]


def test_machines_need_no_form_token(app: Flask) -> None:
    @app.post("/in/address")
    def door() -> str:
        return "taken"

    assert app.test_client().post("/in/address", data=b"{}").text == "taken"


def test_machines_are_answered_in_json_people_with_a_page(owner: Visitor) -> None:
    assert owner.get("/api/v1/nothing").get_json()["code"] == 404
    page = owner.get("/nothing", headers={"Accept-Language": "fr"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    owner.post("/language", {"language": "fr"})
    assert "Il n&#39;y a rien à cette adresse." in owner.get("/nothing").text


def test_a_failure_of_ours_is_a_page_with_a_reference_and_no_trace(app: Flask, anyone: Visitor) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("a secret detail")

    answer = anyone.get("/broken", headers={"Accept-Language": "fr"})
    assert answer.status_code == 500
    assert "Référence pour le journal" in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_vendored_files_are_what_their_packages_published() -> None:
    listed = json.loads((VENDOR / "vendor.json").read_text())
    wanted = json.loads((VENDOR / "package.json").read_text())["dependencies"]
    present = {path.name for path in VENDOR.iterdir()} - {"vendor.json", "package.json"}
    assert present == set(listed)
    for name, facts in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == facts["sha256"], name
        assert wanted[facts["package"]] == facts["version"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())

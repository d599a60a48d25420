import pytest
from flask import Flask
from shop import Shop
from visitors import PASSWORD, Visitor, member

from hub.steer.accounts import set_password
from hub.store import Store, accounts
from hub.web.session import safe_path


def test_strangers_are_sent_to_the_login_and_then_to_where_they_wanted(app: Flask, owner: Visitor) -> None:
    stranger = Visitor(app)
    answer = stranger.get("/live?state=parked")
    assert answer.headers["Location"] == "/login?next=/live?state%3Dparked"
    stranger.get(answer.headers["Location"])
    credentials = {"email": "OWNER@example.com ", "password": PASSWORD, "next": "/live?state=parked"}
    assert stranger.post("/login", credentials).headers["Location"] == "/live?state=parked"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(app: Flask, owner: Visitor) -> None:
    wrong = Visitor(app).log_in("owner@example.com", "not the password")
    unknown = Visitor(app).log_in("nobody@example.com", "not the password")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    said = "This e-mail and password do not belong together."
    assert said in wrong.text
    assert said in unknown.text


def test_logging_out_closes_the_pages(owner: Visitor) -> None:
    assert owner.post("/logout").headers["Location"] == "/login"
    assert owner.get("/").headers["Location"].startswith("/login")


def test_a_session_prepared_by_somebody_else_does_not_survive_the_login(app: Flask, owner: Visitor) -> None:
    victim = Visitor(app)
    with victim.client.session_transaction() as session:
        session["planted"] = "by an attacker"
    before = victim.get("/login") and victim.token
    victim.log_in("owner@example.com")
    with victim.client.session_transaction() as session:
        assert "planted" not in session
    assert victim.token != before


def test_a_new_password_ends_the_sessions_opened_with_the_old_one(owner: Visitor, store: Store) -> None:
    with store.write() as tx:
        user = accounts.user_by_email(tx, "owner@example.com")
        assert user is not None
        set_password(tx, user["id"], "quite another password")
    assert owner.get("/").headers["Location"].startswith("/login")


def test_a_form_without_its_token_changes_nothing(owner: Visitor, shop: Shop) -> None:
    owner.token = "made up"
    answer = owner.post(f"/connections/{shop.source_id}/pause")
    assert answer.status_code == 400
    assert "older visit" in answer.text
    assert "Working" in owner.get(f"/connections/{shop.source_id}").text


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "\\evil", "evil", "/\n/evil", "", None]
)
def test_a_login_never_leads_to_another_site(path: str | None) -> None:
    assert safe_path(path) == "/"


def test_who_may_only_look_cannot_change_anything(app: Flask, shop: Shop) -> None:
    viewer = member(app, shop.workspace_id, role="viewer", email="viewer@example.com")
    page = viewer.get(f"/connections/{shop.source_id}")
    assert page.status_code == 200
    assert "Pause" not in page.text
    assert viewer.post(f"/connections/{shop.source_id}/pause").status_code == 403
    assert viewer.get("/connections/new/source").status_code == 403


def test_who_may_only_look_sees_addresses_masked(app: Flask, shop: Shop) -> None:
    message_id = shop.hit()
    viewer = member(app, shop.workspace_id, role="viewer", email="viewer@example.com")
    for path in ("/live", f"/live/{message_id}"):
        shown = viewer.get(path).text
        assert "a•••@e•••.com" in shown
        assert "anna@example.com" not in shown
        assert "anna%40example.com" not in shown

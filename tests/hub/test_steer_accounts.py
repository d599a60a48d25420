"""People, passwords and API keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from hub.steer import accounts as steer
from hub.steer import api_keys
from hub.steer.errors import Invalid, NotFound
from hub.store import Store, accounts, now

PASSWORD = "correct horse battery"


def owner(store: Store) -> tuple[str, str]:
    with store.write() as tx:
        return steer.first_owner(tx, now(), email="Anna@Example.com", password=PASSWORD, time_zone="Europe/Paris")


def test_the_first_owner_can_log_in_and_owns_the_workspace(store: Store) -> None:
    user_id, workspace_id = owner(store)
    with store.read() as tx:
        user = steer.recognize(tx, email=" anna@example.com", password=PASSWORD)
        assert user is not None
        assert [(row["id"], row["role"]) for row in accounts.workspaces_of(tx, user_id)] == [(workspace_id, "owner")]
    assert PASSWORD not in str(user)


def test_there_is_only_one_first_owner(store: Store) -> None:
    owner(store)
    with pytest.raises(Invalid):
        owner(store)


def test_everything_wrong_with_the_first_owner_is_said_at_once(store: Store) -> None:
    with pytest.raises(Invalid) as raised, store.write() as tx:
        steer.first_owner(
            tx, now(), email="anna", password="short", time_zone="Europe/../etc", currency="EURO", language="de"
        )
    assert set(raised.value.messages) == {"email", "password", "time_zone", "currency", "language"}
    with store.read() as tx:
        assert not accounts.users_exist(tx)


@pytest.mark.parametrize(
    ("email", "password"), [("anna@example.com", "wrong"), ("bob@example.com", PASSWORD), ("", "")]
)
def test_a_wrong_login_is_refused(store: Store, email: str, password: str) -> None:
    owner(store)
    with store.read() as tx:
        assert steer.recognize(tx, email=email, password=password) is None


def test_an_old_hash_is_replaced_at_the_next_login(store: Store) -> None:
    user_id, _ = owner(store)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with store.write() as tx:
        accounts.change_user(tx, user_id, password_hash=weak)
        user = steer.recognize(tx, email="anna@example.com", password=PASSWORD)
        assert user is not None
        steer.note_login(tx, now(), user, PASSWORD)
        after = accounts.user_by_id(tx, user_id)
    assert after is not None
    assert after["password_hash"] != weak
    assert steer.matches(after["password_hash"], PASSWORD)
    assert after["last_login_at"] is not None


def test_a_password_is_changed_by_who_knows_the_old_one(store: Store) -> None:
    user_id, _ = owner(store)
    with store.write() as tx:
        with pytest.raises(Invalid) as wrong:
            steer.change_password(tx, user_id, old="guess", new="another long one")
        with pytest.raises(Invalid) as short:
            steer.change_password(tx, user_id, old=PASSWORD, new="short")
        steer.change_password(tx, user_id, old=PASSWORD, new="another long one")
        assert steer.recognize(tx, email="anna@example.com", password="another long one")
    assert list(wrong.value.messages) == ["old"]
    assert list(short.value.messages) == ["new"]


def test_a_key_is_shown_once_and_stored_as_a_hash(store: Store) -> None:
    _, workspace_id = owner(store)
    with store.write() as tx:
        key_id, key = api_keys.make(tx, now(), workspace_id, name="Zapier")
        (stored,) = api_keys.all_of(tx, workspace_id)
        found = api_keys.find(tx, key)
        assert found is not None
        assert found["id"] == key_id
        assert api_keys.find(tx, key + "x") is None
        assert api_keys.find(tx, "") is None
    assert key.startswith("hub_")
    assert key.startswith(stored["prefix"])
    assert key not in str(stored)


def test_a_revoked_key_opens_nothing(store: Store) -> None:
    _, workspace_id = owner(store)
    with store.write() as tx:
        key_id, key = api_keys.make(tx, now(), workspace_id, name="Zapier")
        with pytest.raises(NotFound):
            api_keys.revoke(tx, now(), "another workspace", key_id)
        assert api_keys.find(tx, key) is not None
        api_keys.revoke(tx, now(), workspace_id, key_id)
        assert api_keys.find(tx, key) is None


def test_the_use_of_a_key_is_written_down_once_a_minute(store: Store) -> None:
    _, workspace_id = owner(store)
    at = now()
    with store.write() as tx:
        key_id, key = api_keys.make(tx, at, workspace_id, name="Zapier")
        fresh = api_keys.find(tx, key)
        assert fresh is not None
        assert api_keys.is_news(fresh, at)
        api_keys.note_use(tx, at, key_id)
        used = api_keys.find(tx, key)
    assert used is not None
    assert not api_keys.is_news(used, at + timedelta(seconds=59))
    assert api_keys.is_news(used, at + timedelta(seconds=60))

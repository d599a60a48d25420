"""How many wrong logins are borne, seen through the page: with the hub's Redis, and while it is away."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from visitors import PASSWORD, Visitor

from hub.run.queue import connect
from hub.settings import settings

WINDOW, PER_EMAIL, PER_ADDRESS = 15 * 60, 8, 30
OWNER = "owner@example.com"
HERE, THERE = {"REMOTE_ADDR": "203.0.113.9"}, {"REMOTE_ADDR": "203.0.113.10"}


@pytest.fixture(params=["redis", "redis away"], autouse=True)
def _redis(request: pytest.FixtureRequest) -> None:
    if request.param == "redis":
        request.getfixturevalue("redis")


needs_redis = pytest.mark.parametrize("_redis", ["redis"], indirect=True)
without_redis = pytest.mark.parametrize("_redis", ["redis away"], indirect=True)


def guess(app: Flask, *emails: str, **rest: Any) -> None:
    """Wrong tries, each of which is heard."""
    stranger = Visitor(app)
    for email in emails:
        assert stranger.post("/login", {"email": email, "password": "guess"}, **rest).status_code == 401


def log_in(app: Flask, email: str = OWNER, **rest: Any) -> int:
    """The answer to the right password."""
    return Visitor(app).log_in(email, **rest).status_code


@pytest.mark.parametrize(("language", "said"), [("en", "Wait 15 minutes"), ("fr", "Attendez 15 minutes")])
def test_after_too_many_wrong_tries_even_the_right_password_waits(
    app: Flask, owner: Visitor, language: str, said: str
) -> None:
    guess(app, *[OWNER] * PER_EMAIL)
    refused = Visitor(app).log_in(f" {OWNER.upper()} ", headers={"Accept-Language": language})
    assert refused.status_code == 429
    assert said in refused.text
    assert f'value="{OWNER}"' in refused.text
    assert WINDOW - 60 < int(refused.headers["Retry-After"]) <= WINDOW
    assert "Content-Security-Policy" in refused.headers


def test_one_address_cannot_try_many_people(app: Flask, owner: Visitor) -> None:
    guess(app, *(f"p{number}@example.com" for number in range(PER_ADDRESS)), environ_base=HERE)
    assert log_in(app, environ_base=HERE) == 429
    assert log_in(app, environ_base=THERE) == 302


def test_a_login_is_heard_again_when_the_time_has_passed(
    app: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(app, *[OWNER] * PER_EMAIL)
    begun, clock = time.time(), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + WINDOW - 30)
    refused = Visitor(app).log_in(OWNER)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 30
    assert "Wait 1 minute," in refused.text
    monkeypatch.setattr(time, "time", lambda: clock() + WINDOW + 1)
    assert log_in(app) == 302
    assert clock() - begun < 30


def test_the_right_password_clears_the_count_of_its_own_wrong_ones(app: Flask, owner: Visitor) -> None:
    for _ in range(3):  # 21 of the address's 30
        guess(app, *[OWNER] * (PER_EMAIL - 1), environ_base=HERE)
        assert log_in(app, environ_base=HERE) == 302
    guess(app, *(f"p{number}@example.com" for number in range(9)), environ_base=HERE)
    assert log_in(app, environ_base=HERE) == 429


def test_right_passwords_and_forms_without_their_token_do_not_count(app: Flask, owner: Visitor) -> None:
    for _ in range(PER_EMAIL + 1):
        assert log_in(app) == 302
    stranger = Visitor(app)
    stranger.token = "made up"
    for _ in range(PER_EMAIL + 1):
        assert stranger.post("/login", {"email": OWNER, "password": "guess"}).status_code == 400
    assert log_in(app) == 302


ELSEWHERE = """
import os, sys
from visitors import Visitor
from hub.app import create_app
stranger = Visitor(create_app())
print(*(stranger.log_in(sys.argv[1], "guess").status_code for _ in range(int(sys.argv[2]))), flush=True)
os._exit(0)
"""


def guess_elsewhere(times: int) -> str:
    """Wrong tries at a web process of its own, which ends after them. What it answered."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    words = [sys.executable, "-c", ELSEWHERE, OWNER, str(times)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


@needs_redis
def test_web_processes_count_together_and_one_that_starts_anew_forgives_nobody(app: Flask, owner: Visitor) -> None:
    guess(app, OWNER, OWNER)
    assert guess_elsewhere(3) == "401 401 401"
    assert guess_elsewhere(4) == "401 401 401 429"
    assert log_in(app) == 429


@needs_redis
def test_redis_never_learns_who_tried(app: Flask, owner: Visitor) -> None:
    guess(app, OWNER, environ_base=HERE)
    with connect() as client:
        kept = sorted(client.keys("*"))
    assert len(kept) == 2
    assert all(key.startswith(b"hub:") for key in kept)
    assert not any(known in key for key in kept for known in (b"owner", b"example", b"203.0.113.9"))


@needs_redis
def test_when_redis_goes_away_people_log_in_and_guessing_has_its_limit(
    app: Flask, owner: Visitor, redis: subprocess.Popen[bytes]
) -> None:
    guess(app, OWNER)
    redis.kill()
    redis.wait()
    assert log_in(app) == 302
    guess(app, *[OWNER] * PER_EMAIL)
    assert log_in(app) == 429


@without_redis
def test_no_page_but_the_login_waits_for_a_redis_that_hangs(
    app: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, clock = Visitor(app), time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 2 * WINDOW)  # by now it is asked for again
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(settings().redis_socket))
        hanging.listen()
        hanging.setblocking(False)
        assert owner.get("/connections").status_code == 200
        assert stranger.get("/login").status_code == 200
        with pytest.raises(BlockingIOError):
            hanging.accept()
        begun = time.monotonic()
        assert stranger.post("/login", {"email": OWNER, "password": PASSWORD}).status_code == 302
        assert time.monotonic() - begun < 10
        hanging.accept()[0].close()

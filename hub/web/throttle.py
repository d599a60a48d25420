"""How many wrong logins are borne, per e-mail and per network address. flask-limiter counts them in the hub's Redis.

All web processes count together, and a web process that starts anew forgives nobody. While Redis is away each process
counts in its own memory, so people can log in and guessing has its limit then too. Redis never learns who it is about: its
keys hold hashes that only this installation can make.
"""

from __future__ import annotations

import logging
import math
import time

from flask import Flask, Response, request
from flask_limiter import Limiter
from redis.exceptions import RedisError

from hub.connecting.vault import keyed_hash
from hub.run.queue import connect

log = logging.getLogger(__name__)

PER_EMAIL = "8 per 15 minutes"
PER_ADDRESS = "30 per 15 minutes"


def typed_email() -> str:
    """Who wants to log in, as they are known here."""
    return request.form.get("email", "").strip().lower()[:320]


def by_email() -> str:
    """Under which the wrong tries for this e-mail are counted."""
    return keyed_hash("wrong logins of an e-mail", typed_email())


def by_address() -> str:
    """Under which the wrong tries from this network address are counted."""
    return keyed_hash("wrong logins from an address", request.remote_addr or "")


limiter = Limiter(
    by_address,
    strategy="moving-window",
    storage_uri="redis://",  # which one says the pool of connections that register() gives
    in_memory_fallback_enabled=True,
    swallow_errors=True,  # a Redis that goes away between two questions must not fail the login
    fail_on_first_breach=False,  # the longest wait is told
)


def register(app: Flask) -> None:
    """Count for ``app`` in the Redis of the settings."""
    pool = connect().connection_pool
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"connection_pool": pool, "key_prefix": "hub:wrong-logins"}
    limiter.init_app(app)


def was_wrong(answer: Response) -> bool:
    """Only what was answered 401 counts: an e-mail and a password that do not belong together."""
    return answer.status_code == 401


def seconds_to_wait() -> int:
    """Until another try is heard; for a request that was over a limit."""
    ends = [each.window.reset_time for each in limiter.current_limits if each.breached]
    return max(1, math.ceil(max(ends) - time.time()))


def forgive_email() -> None:
    """The right password clears its own e-mail's count, never the address's."""
    for each in limiter.current_limits:
        if by_email() in each.request_args:
            try:
                limiter.limiter.clear(each.limit, *each.request_args)
            except RedisError as error:
                log.warning("Redis does not answer (%s): older wrong logins of somebody go on counting", error)


@limiter.request_filter
def _is_no_login() -> bool:
    # While Redis is away flask-limiter asks for it from time to time, before any request: only a login may wait for that.
    return request.endpoint != "web.login.enter"

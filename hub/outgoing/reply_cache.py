"""Answers that are kept for some minutes, where all workers see them: field lists, certificates.

They lie in Redis, because a worker forks for every turn. It is only a cache: without Redis the question is asked again.
An answer may hold what belongs to one account, so it is encrypted, lives ten minutes at most (a day, when it was asked for
without credentials), and is found again only by the same call of the same connection with the same settings. What is found
is remembered here for a few seconds more.
"""

from __future__ import annotations

import base64
import logging
import os
import time
import zlib
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec
from cryptography.fernet import InvalidToken
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from hub.connecting import vault
from hub.connecting.connected import Connected
from hub.contract.calls import Call, Reply
from hub.contract.errors import ConfigError
from hub.contract.inbound import Headers
from hub.settings import settings

log = logging.getLogger(__name__)

LONGEST, LONGEST_PUBLIC = 600.0, 86_400.0  # seconds an answer is kept at most; one asked for without credentials
FRESH = 5.0  # seconds for which this process does not ask Redis again
MOST_ANSWERS = 32  # of one connection
LARGEST = 64 * 1024  # bytes of an answer, packed and encrypted; longer ones are not kept
AWAY = 5.0  # seconds for which a Redis that did not answer is not asked


class Place(NamedTuple):
    """Where an answer is kept: in which hash, under which field, how long at most (seconds)."""

    name: str
    field: str
    longest: float


def place_of(call: Call, body: bytes, connected: Connected) -> Place:
    """Where the answer to ``call`` is kept: by all that it is asked with. Nothing can be read from it."""
    asked = (
        connected.connector.slug,
        call.method,
        call.url,
        sorted((call.params or {}).items()),
        sorted((name.lower(), value) for name, value in call.headers.items()),
        call.authenticate,
        base64.b64encode(body).decode(),
        dict(connected.settings),
    )
    text = msgspec.json.encode(asked, enc_hook=str, order="sorted").decode()
    name = _name(connected.id) if call.authenticate else f"{_name(connected.id)}:public"
    return Place(name, vault.keyed_hash("kept answers", text), LONGEST if call.authenticate else LONGEST_PUBLIC)


def find(place: Place) -> Reply | None:
    """The kept answer, if there is one."""
    known = _here.get(place)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    if not _is_there():
        return None
    try:
        found = _unpacked(cast(bytes | None, _redis().hget(place.name, place.field)))
    except RedisError as error:
        _note_away(error)
        return None
    if found is None or found[0] <= time.time():
        return None
    _remember(place, found[1], found[0] - time.time())
    return found[1]


def keep(place: Place, reply: Reply, seconds: float) -> None:
    """Keep ``reply`` for ``seconds``, or as long as its place allows; not if it is too large."""
    seconds = min(seconds, place.longest)
    packed = _packed(reply, time.time() + seconds)
    if len(packed) > LARGEST:
        return
    _remember(place, reply, seconds)
    if not _is_there():
        return
    try:
        if _redis().hlen(place.name) >= MOST_ANSWERS:
            _redis().delete(place.name)
        with _redis().pipeline() as together:
            together.hset(place.name, place.field, cast(Any, packed))
            together.expire(place.name, int(place.longest))
            together.execute()
    except RedisError as error:
        _note_away(error)


def forget(connection_id: str) -> None:
    """Drop what is kept for this connection: access was granted anew, perhaps to another account.

    Other processes may answer from what they have found for FRESH seconds more.
    """
    for one in [one for one in _here if one.name == _name(connection_id)]:
        _here.pop(one, None)
    if not _is_there():
        return
    try:
        _redis().delete(_name(connection_id))
    except RedisError as error:
        _note_away(error)


def forget_here() -> None:
    """Drop what this process remembers: Redis is asked again."""
    _here.clear()
    _away_until.clear()


_here: dict[Place, tuple[float, Reply]] = {}
_away_until: dict[str, float] = {}


def _remember(place: Place, reply: Reply, seconds: float) -> None:
    if len(_here) >= 256:
        _here.clear()
    _here[place] = (time.monotonic() + min(seconds, FRESH), reply)


def _packed(reply: Reply, until: float) -> bytes:
    body = base64.b64encode(zlib.compress(reply.body, 1)).decode()
    return vault.seal({"until": until, "status": reply.status, "headers": dict(reply.headers), "body": body})


def _unpacked(packed: bytes | None) -> tuple[float, Reply] | None:
    try:
        told = vault.unseal(packed or b"")
        body = zlib.decompress(base64.b64decode(told["body"]))
        return told["until"], Reply(told["status"], Headers(told["headers"]), body)
    except (ConfigError, InvalidToken, KeyError, TypeError, ValueError, zlib.error):
        return None  # of another version, or another installation's


def _name(connection_id: str) -> str:
    return f"hub:answers:{connection_id}"


def _redis() -> Redis:
    return _client(settings().redis_url, os.getpid())


@lru_cache(maxsize=2)
def _client(url: str, _pid: int) -> Redis:
    """Gives up quickly: asking the other system again is not dear."""
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))


def _is_there() -> bool:
    return _away_until.get(settings().redis_url, 0.0) < time.monotonic()


def _note_away(error: RedisError) -> None:
    log.debug("Redis does not answer (%s): answers are not kept", error)
    _away_until[settings().redis_url] = time.monotonic() + AWAY

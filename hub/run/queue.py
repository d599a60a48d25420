"""Redis and RQ: they only wake. Jobs carry ids, may run twice, may vanish; the database knows what is to be done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import cast
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from hub.settings import settings

log = logging.getLogger(__name__)

READING, ASKING, LANES, SLOW, CLOCK = "reading", "asking", "lanes", "slow", "clock"
QUEUES = (CLOCK, READING, ASKING, LANES, SLOW)
"""In the order a worker looks at them. A lane that turned out slow goes to its own queue, behind the quick ones."""

LONGEST_JOB = 80
"""Seconds after which RQ ends a job. Turns are far shorter, but the last call of one may be slow."""


def connect(url: str | None = None, *, timeout: float = 2.0) -> Redis:
    """A client that gives up quickly: nobody may wait for Redis while a customer waits for us."""
    return Redis.from_url(
        url or settings().redis_url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


def connect_worker(url: str | None = None) -> Redis:
    """A client for RQ's workers, which wait on Redis for seconds on purpose."""
    return Redis.from_url(url or settings().redis_url, socket_connect_timeout=5, health_check_interval=10)


@lru_cache(maxsize=8)
def queue(name: str) -> Queue:
    return Queue(name, connection=connect(), serializer=JSONSerializer, default_timeout=LONGEST_JOB)


def wake(name: str, job: str, argument: str) -> bool:
    """Ask a worker to run ``hub.run.jobs.<job>(argument)`` unless somebody was asked, or is at it. False when Redis is away.

    What says so lives three seconds at the most: should that worker die, the next to ask gets through.
    """
    job_id = uuid4().hex
    try:
        target = queue(name)
        if target.connection.set(_flag(job, argument), f"{name}:{job_id}", nx=True, px=ASKED):
            target.enqueue_call(
                f"hub.run.jobs.{job}", args=(argument,), job_id=job_id, result_ttl=0, failure_ttl=3600, ttl=60
            )
    except RedisError as error:
        if not _away.is_set():  # said once, not for every message
            log.warning("Redis does not answer (%s): the sweep will find the work", error)
        _away.set()
        return False
    _away.clear()
    return True


class Turn:
    """A worker's time for one kind of job. A fork costs more than many messages, so it stays while there is work.

    While it is on something nobody else is asked for the same, and who was asked before need not come.
    """

    REST, LINGER = 0.2, 0.5  # seconds: between two looks for more work; without any

    def __init__(self, job: str, seconds: float) -> None:
        self._job = job
        self._until = time.monotonic() + seconds
        self._idle_until = 0.0

    @property
    def left(self) -> float:
        """Seconds that it still lasts."""
        return self._until - time.monotonic()

    def is_on(self, argument: str) -> bool:
        """Whether a worker is on it already; asked as a job begins."""
        try:
            return queue(READING).connection.get(_flag(self._job, argument)) == _ON
        except RedisError:
            return False

    def on(self, argument: str) -> None:
        """This worker does it from here on; to be said again within three seconds while it lasts."""
        self._idle_until = time.monotonic() + self.LINGER
        self._say_on(argument)

    def _say_on(self, argument: str) -> None:
        try:
            asked = cast(
                bytes | None, queue(READING).connection.set(_flag(self._job, argument), _ON, px=ASKED, get=True)
            )
            if asked and asked != _ON:
                name, _, job_id = asked.decode().partition(":")
                queue(name).remove(job_id)
        except RedisError:
            log.debug("Redis does not answer; nobody can be asked either")

    @contextmanager
    def minding(self, arguments: Collection[str]) -> Iterator[None]:
        """During the block, whoever has news for one of ``arguments`` leaves it to this worker, who looks after it."""
        for each in arguments:
            self._say_on(each)
        try:
            yield
        finally:
            for each in arguments:
                self.off(each)

    def off(self, argument: str) -> None:
        """From here on a new wake-up counts again. Look for work once more after it: somebody may have asked in vain."""
        try:
            queue(READING).connection.delete(_flag(self._job, argument))
        except RedisError:
            log.debug("Redis does not answer; the flag ends by itself")

    def stay(self) -> bool:
        """Rest for a moment. True: look again. False: nothing came, the time is up, or others wait for a worker."""
        if time.monotonic() > min(self._idle_until, self._until):
            return False
        try:
            had_waited = _somebody_waits()
            time.sleep(self.REST)
            return not (had_waited and _somebody_waits())
        except RedisError:
            return False


def _somebody_waits() -> bool:
    return any(queue(name).count for name in QUEUES)


class Waker:
    """Wakes from a thread of its own, so that a slow Redis never delays an answer. Many wake-ups become one.

    After each it rests for a moment: whoever was woken finds all that came meanwhile.
    """

    REST = 0.05  # seconds

    def __init__(self) -> None:
        self._wanted: set[tuple[str, str, str]] = set()
        self._something = threading.Condition()
        threading.Thread(target=self._run, name="waker", daemon=True).start()

    def __call__(self, name: str, job: str, argument: str) -> None:
        with self._something:
            self._wanted.add((name, job, argument))
            self._something.notify()

    def _run(self) -> None:
        while True:
            with self._something:
                while not self._wanted:
                    self._something.wait()
                wanted, self._wanted = self._wanted, set()
            for one in wanted:
                wake(*one)
            time.sleep(self.REST)


_away = threading.Event()


ASKED = 3000  # milliseconds that a wake-up, or a worker's word that it is at it, counts
_ON = b"on"


def _flag(job: str, argument: str) -> str:
    return f"hub:asked:{job}:{argument}"

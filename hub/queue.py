"""Redis and RQ: they only wake. Jobs carry ids, may run twice, may vanish; the database knows what is to be done."""

from __future__ import annotations

import logging
import threading
import time
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from hub.settings import settings

log = logging.getLogger(__name__)

READING, LANES, SLOW, CLOCK = "reading", "lanes", "slow", "clock"
QUEUES = (CLOCK, READING, LANES, SLOW)
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
    """Ask a worker to run ``hub.jobs.<job>(argument)`` unless somebody asked already. False when Redis is away.

    The flag lives three seconds at the most: should the asked worker die, the next to ask gets through.
    """
    try:
        target = queue(name)
        if target.connection.set(_flag(job, argument), 1, nx=True, px=3000):
            target.enqueue_call(f"hub.jobs.{job}", args=(argument,), result_ttl=0, failure_ttl=3600, ttl=60)
    except RedisError as error:
        if not _away.is_set():  # said once, not for every message
            log.warning("Redis does not answer (%s): the sweep will find the work", error)
        _away.set()
        return False
    _away.clear()
    return True


def woken(job: str, argument: str) -> None:
    """Called by the job as it starts: from here on a new wake-up counts again."""
    try:
        queue(READING).connection.delete(_flag(job, argument))
    except RedisError:
        log.debug("Redis does not answer; the flag ends by itself")


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


def _flag(job: str, argument: str) -> str:
    return f"hub:asked:{job}:{argument}"

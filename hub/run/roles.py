"""The three roles a machine can play: web, worker, clock. ``hub up`` runs all of them; the Procfile runs them apart.

Each role imports what it needs and no more: idle processes should cost little memory.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any, cast

from redis.exceptions import RedisError

from hub.run.embedded import die_with_parent
from hub.run.queue import CLOCK, QUEUES, connect, connect_worker
from hub.settings import settings

log = logging.getLogger(__name__)


def run_worker() -> None:
    """Work on the queues with a pool of workers until told to stop."""
    from rq.serializers import JSONSerializer
    from rq.worker_pool import WorkerPool
    from sqlalchemy.exc import SQLAlchemyError

    from hub.run import jobs

    wait_for_redis()
    os.nice(BEHIND)
    jobs.preload()
    try:
        jobs.sweep()
    except SQLAlchemyError as error:
        log.warning("The database does not answer (%s): the next sweep will find the work", error)
    jobs.close()  # workers fork from this process and open their own
    pool = WorkerPool(
        QUEUES,
        connection=connect_worker(),
        num_workers=settings().workers,
        worker_class=_worker_class(),
        serializer=JSONSerializer,
    )
    pool.start(logging_level="WARNING")


BEHIND = 5
"""How much nicer workers are than the web: a sender waits for its answer, a delivery can wait for the processor."""


def run_clock() -> None:
    """Ask for a sweep every few seconds (RQ's cron) until told to stop."""
    from rq.cron import CronScheduler

    from hub.run import jobs

    wait_for_redis()
    scheduler: Any = CronScheduler(connection=connect(timeout=5), logging_level="WARNING")
    seconds = settings().sweep_seconds
    sweep = _cron_job_class()(
        func=jobs.sweep, queue_name=CLOCK, interval=seconds, ttl=2 * seconds, result_ttl=0, failure_ttl=60
    )
    scheduler.get_jobs().append(sweep)  # register() would make a job of RQ's own class
    scheduler.start()


def wait_for_redis() -> None:
    """Return when Redis answers. Says once what is missing, and goes on waiting: it may be starting, or on its way back."""
    told = False
    while True:
        try:
            connect(timeout=5).ping()
        except RedisError as error:
            if not told and time.monotonic() - _STARTED > QUIET:
                log.warning(
                    "Redis does not answer at %s (%s): start it, or correct REDIS_URL", settings().redis_url, error
                )
                told = True
            time.sleep(0.1)
        else:
            return


QUIET = 5.0
"""Seconds in which a Redis that is not there yet is no news."""

_STARTED = time.monotonic()


def _worker_class() -> Any:
    from rq import Worker
    from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

    from hub.connecting.seams import TimeLimit

    pool = os.getpid()

    class JobLimit(UnixSignalDeathPenalty):
        """RQ's time limit, but a job is ended by what no ``except Exception`` takes for a fault of its work."""

        def __init__(self, timeout: int, exception: type[BaseException] = JobTimeoutException, **options: Any) -> None:
            ends_a_job = issubclass(exception, JobTimeoutException)
            super().__init__(timeout, TimeLimit if ends_a_job else exception, **options)  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    class HubWorker(Worker):
        """RQ's worker, forking for each job. Does not give up on Redis, and takes its children with it."""

        # Seconds. RQ's own, 60 and 405, would delay recovery: from a Redis that was away, and from one that hangs.
        max_connection_wait_time = 2.0
        dequeue_timeout = 5
        death_penalty_class = JobLimit
        log_job_description = False
        log_result_lifespan = False

        def work(self, *args: Any, **options: Any) -> bool:
            die_with_parent(pool)
            # Nothing is scheduled inside RQ: due times are in the database, and the clock sweeps them up.
            return super().work(*args, **{**options, "with_scheduler": False, "logging_level": "WARNING"})

        def main_work_horse(self, *args: Any, **options: Any) -> None:
            die_with_parent(self.pid or 0, signal.SIGKILL)  # a turn whose worker is gone would not be recorded anyway
            super().main_work_horse(*args, **options)

    return HubWorker


def _cron_job_class() -> Any:
    from rq import Queue
    from rq.cron import CronJob
    from rq.job import Job
    from rq.serializers import JSONSerializer

    class HubCronJob(CronJob):
        """RQ's cron job, in the queue's own serializer: only names and ids travel through Redis."""

        def enqueue(self, connection: Any) -> Job:
            queue = Queue(self.queue_name, connection=connection, serializer=JSONSerializer)
            return queue.enqueue(
                cast(Callable[..., Any], self.func), args=self.args, kwargs=self.kwargs, **self.job_options
            )

    return HubCronJob

"""The web role: granian serves the app, one process on SQLite, as many as wanted on PostgreSQL."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from hub.run.embedded import die_with_parent
from hub.settings import settings


def serve(application: str = "hub.serve:application") -> None:
    """Serve the doors, pages and API until told to stop. This process only watches over the ones that do it.

    ``application`` is the place of another factory to serve in the same way (the benchmarks' yardstick).
    """
    chosen = settings()
    Server(
        application,
        factory=True,
        interface=Interfaces.WSGI,
        address=chosen.host,
        port=chosen.port,
        workers=chosen.web_processes,
        blocking_threads=chosen.web_threads,
        backlog=1024,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=20,
        log_level=LogLevels.error,
    ).serve()


def application() -> Any:
    """The WSGI application, made in granian's worker process."""
    from hub.app import create_app

    # granian puts the environment of the process into each request's: there HTTP_PROXY would be a header "proxy" of it,
    # kept with every message, and its password with it.
    for name in [name for name in os.environ if name.startswith("HTTP_")]:
        del os.environ[name]
    watcher = parent_process()
    if watcher is not None and watcher.pid is not None:
        die_with_parent(watcher.pid)
    return create_app()

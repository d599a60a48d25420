"""The real hub: ``hub up`` with all its processes, found again through a mark in their environments.

Linux only: processes are read from /proc.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARK = "HUB_OF_A_TEST"  # environment variable of a hub's processes, and of no other
START = 60.0  # seconds until a hub that does not answer is given up
STOP = 25.0  # seconds in which the hub promises to stop


@dataclass(frozen=True)
class Process:
    """One process of a hub."""

    pid: int
    parent: int
    words: tuple[str, ...]

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        try:
            os.kill(self.pid, how)
        except ProcessLookupError:
            return


class RunningHub:
    """``hub up`` on a free port. ``environment`` is added to this process's."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "hub.log"
        self.started_in = 0.0  # seconds its latest start took
        self._environment = {**os.environ, "HUB_DATA_DIR": str(data), "HUB_BASE_URL": self.url, **environment}
        self._environment[MARK] = str(data)
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> None:
        """Start it; return when it takes messages."""
        self.data.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "hub", "up", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self._supervisor = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        if ready:
            self.started_in = until(self.answers, START, lambda: f"The hub does not answer.\n{self.said()}")

    def soon(self, seconds: float) -> float:
        """``seconds``, or longer on a machine so busy that starting took most of them already."""
        return max(seconds, 2 * self.started_in)

    def answers(self) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", "/healthz")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self._supervisor is not None
        self._supervisor.send_signal(signal.SIGTERM)
        return self._supervisor.wait(timeout=2 * STOP)

    def kill_supervisor(self) -> None:
        assert self._supervisor is not None
        self._supervisor.kill()
        self._supervisor.wait()

    def processes(self) -> list[Process]:
        """Every process of this hub, orphans included."""
        marker = f"{MARK}={self.data}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                # A Redis server writes its socket over its command line and environment.
                ours = (
                    marker in (entry / "environ").read_bytes().split(b"\0") or str(self.data / "redis.sock") in words[0]
                )
                if not ours:
                    continue
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue  # it ended meanwhile, or is not ours
            if after_name[0] != "Z":
                found.append(Process(int(entry.name), int(after_name[1]), tuple(words)))
        return found

    def children(self) -> list[Process]:
        """What the supervisor started."""
        assert self._supervisor is not None
        return [process for process in self.processes() if process.parent == self._supervisor.pid]

    def master(self, role: str) -> Process:
        """The process that the supervisor started for ``role``: web, worker, clock or redis."""
        names = {"redis": ("redis-server", "valkey-server")}.get(role, (role,))

        def found() -> list[Process]:
            return [
                one for one in self.children() if any(Path(word.partition(" ")[0]).name in names for word in one.words)
            ]

        until(lambda: bool(found()), START, lambda: f"There is no {role}.\n{self.said()}")
        return found()[0]

    def below(self, process: Process) -> list[Process]:
        """Its children, and theirs."""
        everything = self.processes()
        found, parents = list[Process](), {process.pid}
        while parents:
            generation = [one for one in everything if one.parent in parents]
            found += generation
            parents = {one.pid for one in generation}
        return found

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-6000:] if self.log.exists() else ""

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.kill()
            self._supervisor.wait()
        for process in self.processes():
            process.kill()


@contextmanager
def running_hub(data: Path, **environment: str) -> Iterator[RunningHub]:
    """A hub that is up, and is gone afterwards."""
    hub = RunningHub(data, **environment)
    try:
        hub.start()
        yield hub
    finally:
        hub.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(
    holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str] = lambda: "It did not come to pass."
) -> float:
    """Wait until ``holds()``; the seconds it took. Fails with ``otherwise()`` after ``seconds``."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, otherwise()
        time.sleep(0.05)
    return time.monotonic() - began

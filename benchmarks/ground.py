"""What every benchmark stands on: an installation of its own, processes tied to a core, what they cost, the report."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.messages import SECRET

CORES = sorted(os.sched_getaffinity(0))
MEASURED, OTHER = CORES[0], CORES[-1]
"""The core of what is measured, and the core of what calls it or is called by it."""

ROUNDS = 3
CONNECTIONS = 32
THREADS = 32  # of the web process, its default


class Installation:
    """A hub's data folder with one workspace, a Stripe source, a pixel and destinations that send to a local receiver."""

    def __init__(self, folder: Path, receiver: int) -> None:
        self.receiver = receiver
        self.port = free_port()
        self.environment = _CLEAN | {
            "HUB_DATA_DIR": str(folder),
            "HUB_PORT": str(self.port),
            "HUB_ALLOW_ADDRESSES": f"127.0.0.1:{receiver}",
            "HUB_WEB_THREADS": str(THREADS),
            "HUB_LOG_LEVEL": "ERROR",
        }
        self.folder = folder
        os.environ.update(self.environment)
        from hub.settings import settings

        settings.cache_clear()
        self._set_up()

    def destination(self, connector: str, **settings: Any) -> str:
        """Connect a destination, with its first route; returns its id."""
        return str(self._connect(connector, "destination", settings)["id"])

    def webhook(self) -> str:
        return self.destination("webhook", url=f"http://127.0.0.1:{self.receiver}/hook")

    @contextmanager
    def store(self) -> Iterator[Any]:
        from hub.settings import settings
        from hub.store import Store

        store = Store(settings().database_url)
        try:
            yield store
        finally:
            store.close()

    def count(self, sql: str) -> int:
        """The number that ``sql`` selects."""
        from sqlalchemy import text

        with self.store() as store, store.read() as tx:
            return int(tx.execute(text(sql)).scalar_one())

    def role(self, *arguments: str, core: int | None = None) -> subprocess.Popen[bytes]:
        return start(["-m", "hub", *arguments], core=core, environment=self.environment)

    def _set_up(self) -> None:
        from hub.store import accounts, now
        from hub.store.upgrade import upgrade

        with self.store() as store:
            upgrade(store, self.folder / "backups")
            with store.write() as tx:
                self.workspace_id = accounts.add_workspace(tx, now(), name="Benchmark", consent_rule={"ads": True})
                accounts.add_user(
                    tx,
                    now(),
                    email="owner@hub.example",
                    password_hash="-",
                    workspace_id=self.workspace_id,
                    role="owner",
                )
        self.address = f"/in/{self._connect('stripe', 'source', {'secret': [SECRET]})['address']}"
        self.source_id = self._connected["id"]
        self.pixel = f"/v1/conversion/pixel/{self._connect('pixel', 'source', {})['number']}"

    def _connect(self, connector: str, role: str, settings: dict[str, Any]) -> Any:
        from hub.steer import connections as steer
        from hub.store import connections, now

        with self.store() as store, store.write() as tx:
            made = steer.connect(
                tx, now(), self.workspace_id, connector=connector, role=role, name=connector, settings=settings
            )
            self._connected = connections.get_connection(tx, made)
        return self._connected


_CLEAN = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "HUB_BASE_URL", "HUB_SECRET_KEY", "HUB_PROXIES"), "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    arguments: Sequence[str], *, core: int | None = None, environment: dict[str, str] | None = None, **options: Any
) -> subprocess.Popen[Any]:
    """Start Python with ``arguments``, on ``core`` only if one is given."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    return subprocess.Popen(
        [sys.executable, *arguments], preexec_fn=pin, env=os.environ | (environment or {}), **options
    )


def ask(arguments: Sequence[str], *, core: int | None, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run Python with ``arguments`` to its end; the JSON object it prints."""
    running = start(arguments, core=core, environment=environment, stdout=subprocess.PIPE, text=True)
    said, _ = running.communicate()
    if running.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed")
    found: dict[str, Any] = json.loads(said)
    return found


@contextmanager
def running(*started: subprocess.Popen[Any]) -> Iterator[None]:
    """Stop what was started, whatever happens."""
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(timeout=40)


def load(
    kind: str, port: int, path: str, *, first: int, count: int, seconds: float, core: int | None
) -> dict[str, Any]:
    """Send requests (:mod:`benchmarks.client`); SystemExit when one was not answered with a 2xx."""
    words = [kind, port, path, first, count, seconds, CONNECTIONS]
    result = ask(["-m", "benchmarks.client", *map(str, words)], core=core)
    if any(not status.startswith("2") for status in result["statuses"]):
        raise SystemExit(f"Not all requests were taken: {result['statuses']}")
    return result | {"rate": result["requests"] / result["seconds"]}


def wait_for(port: int, path: str = "/") -> None:
    """Return when something answers on ``port``."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            get(port, path)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"Nothing answers on port {port}.")


def get(port: int, path: str = "/") -> bytes:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        return line.getresponse().read()
    finally:
        line.close()


def family(root: int) -> list[int]:
    """``root`` and all its descendants that live."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(_after_name(place)[1])
        except OSError:
            continue
    found = [root]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_seconds(root: int) -> float:
    """The processor time of ``root`` and its descendants so far, those that have ended included."""
    ticks = 0
    for one in family(root):
        try:
            ticks += sum(
                map(int, _after_name(Path(f"/proc/{one}/stat"))[11:15])
            )  # user, system, and waited-for children
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(root: int) -> tuple[float, float]:
    """(RSS, PSS) of ``root`` and its descendants, in MB. PSS counts a page that several share once in all."""
    rss = pss = 0
    for one in family(root):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            continue
        for line in lines:
            name, _, rest = line.partition(":")
            rss += int(rest.split()[0]) if name == "Rss" else 0
            pss += int(rest.split()[0]) if name == "Pss" else 0
    return rss / 1024, pss / 1024


def _after_name(place: Path) -> list[str]:
    # The name stands in parentheses and may hold spaces. The first of the rest is the state, field 3 of proc(5).
    return place.read_text().rpartition(")")[2].split()


class Report:
    """One line a goal."""

    def __init__(self) -> None:
        self.missed = 0
        print(f"{'what':44} {'hub':>12} {'yardstick':>12} {'ratio':>7} {'goal':>9}", flush=True)

    def line(
        self,
        what: str,
        hub: float,
        yardstick: float | None,
        ratio: float,
        goal: float,
        *,
        at_most: bool = False,
        unit: str = "",
    ) -> None:
        good = ratio <= goal if at_most else ratio >= goal
        self.missed += not good
        sign = "<=" if at_most else ">="
        beside = f"{yardstick:12,.1f}" if yardstick is not None else f"{'-':>12}"
        told = f"{ratio:7.2f}" if yardstick is not None else f"{unit:>7}"
        print(f"{what:44} {hub:12,.1f} {beside} {told} {sign:>4} {goal:4g} {'ok' if good else 'MISSED'}", flush=True)

    def note(self, what: str) -> None:
        print(f"    {what}", flush=True)


def middle(rounds: Sequence[dict[str, Any]], what: str | Callable[[dict[str, Any]], float]) -> float:
    """The median over ``rounds`` of one of their figures."""
    return median(each[what] if isinstance(what, str) else what(each) for each in rounds)


def ratios(hub: Sequence[float], yardstick: Sequence[float]) -> list[float]:
    """Round by round, so that the machine's moods hit both sides."""
    return [one / other for one, other in zip(hub, yardstick, strict=True)]


def spread(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)

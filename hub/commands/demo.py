"""``hub demo``: the guided demo without a browser. ``welcome`` and ``receiver`` are its parts under ``hub up``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress

import click

from hub.commands.sentences import in_words
from hub.outgoing import local
from hub.settings import Settings, settings

START = 60  # seconds until a hub that does not answer is given up


@click.command()
@in_words
def demo() -> None:
    """Run the demo on a hub of its own, print what arrived, became and went where. Exit 0 if all of it did."""
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as folder:
        own = {"HUB_DATA_DIR": folder, "HUB_HOST": "127.0.0.1", "HUB_PORT": str(_free_ports())}
        os.environ.update(own | dict.fromkeys(("HUB_BASE_URL", "DATABASE_URL", "REDIS_URL", "HUB_SECRET_KEY"), ""))
        settings.cache_clear()
        chosen = settings()
        hub = subprocess.Popen([sys.executable, "-m", "hub", "up", "--demo"], stdout=subprocess.DEVNULL)
        try:
            arrived = _report(chosen, hub)
        finally:
            hub.terminate()
            hub.wait(timeout=40)
    if not arrived:
        raise SystemExit(1)


@click.command(hidden=True)
@click.option("--demo", "with_demo", is_flag=True)
@in_words
def welcome(with_demo: bool) -> None:
    """Wait until the hub answers, run the demo, print where to go (started by ``hub up``)."""
    chosen = settings()
    if not _answers(chosen):
        raise click.ClickException("The hub does not answer. The lines above say why.")
    if with_demo:
        from hub.demo import guided
        from hub.store import Store

        store = Store(chosen.database_url)
        guided.run(store, chosen)
        steps = guided.wait(store, chosen)
        store.close()
        click.echo(
            f"Demo: {sum(step.arrived for step in steps)} of {len(steps)} sample messages came out at the receiver."
        )
    login = chosen.data_dir / "first-login.txt"
    click.echo(f"\n  Conversion Hub is ready:  {chosen.base_url}{'/demo' if with_demo else ''}")
    if login.exists():
        email, password = login.read_text().split()
        click.echo(f"  First login:              {email}  {password}\n  (change it, then delete {login})")
    click.echo("  Ctrl-C stops it.\n")


@click.command(hidden=True)
@in_words
def receiver() -> None:
    """The demo's local receiver (started by ``hub up --demo``)."""
    from hub.commands.run import tie_to_supervisor
    from hub.demo.guided import serve_receiver

    tie_to_supervisor()
    serve_receiver(settings())


def _report(chosen: Settings, hub: subprocess.Popen[bytes]) -> bool:
    from hub.demo import guided
    from hub.store import Store

    if not _answers(chosen, hub):
        raise click.ClickException("The demo's hub did not start.")
    while not (chosen.data_dir / guided.PLAN).exists() and hub.poll() is None:
        time.sleep(0.2)
    store = Store(chosen.database_url)
    steps = guided.wait(store, chosen)
    for step in steps:
        click.echo(f"{'✓' if step.arrived else '✗'} {step.source} · {step.message}: {step.state} ({step.reason})")
        for one in step.conversions:
            money = f" {one['value']} {one['currency']}" if one["value"] is not None else ""
            click.echo(
                f"    became {one['stage'] or one['kind']}{money}, order {one['order'] or '-'}, {one['email'] or '-'}"
            )
        for arrival in step.arrivals:
            click.echo(
                f"    → {arrival.destination}: {arrival.state}, {'received' if arrival.body else 'NOT received'}"
            )
    store.close()
    click.echo(
        f"\n{sum(step.arrived for step in steps)} of {len(steps)} messages arrived, were understood and came out."
    )
    return bool(steps) and all(step.arrived for step in steps)


def _answers(chosen: Settings, hub: subprocess.Popen[bytes] | None = None) -> bool:
    until = time.monotonic() + START
    while time.monotonic() < until and (hub is None or hub.poll() is None):
        with suppress(OSError):
            if local.call(chosen, "GET", "/healthz", seconds=2) == 200:
                return True
        time.sleep(0.1)
    return False


def _free_ports() -> int:
    """A port that is free, with the next one (the demo's receiver)."""
    for port in range(18000, 19000, 2):
        if local.is_free("127.0.0.1", port) and local.is_free("127.0.0.1", port + 1):
            return port
    raise click.ClickException("No free port was found for the demo.")

"""``hub up``, ``web``, ``worker``, ``clock``: everything on one machine, or one role."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from pathlib import Path

import click

from hub.commands.sentences import in_words
from hub.run.supervisor import SUPERVISOR, supervise
from hub.settings import Settings, settings


@click.command()
@click.option("--demo", is_flag=True, help="Open with a guided demo: real messages through the hub's own doors.")
@click.option("--host", help="Address to listen on (default 127.0.0.1; 0.0.0.0 for all).")
@click.option("--port", type=int, help="Port to listen on (default 8000).")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder for all that is kept.")
@in_words
def up(demo: bool, host: str | None, port: int | None, data: Path | None) -> None:
    """Start everything: web, workers, clock and, without REDIS_URL, a Redis of its own. Ctrl-C stops it."""
    for name, value in {"HUB_HOST": host, "HUB_PORT": port, "HUB_DATA_DIR": data}.items():
        if value is not None:
            os.environ[name] = str(value)
    settings.cache_clear()
    chosen = settings()
    if demo:  # its receiver is on this machine, and only it may be called here
        from hub.demo.guided import receiver_port

        allowed = [*chosen.allow_addresses, f"127.0.0.1:{receiver_port(chosen)}"]
        os.environ["HUB_ALLOW_ADDRESSES"] = ",".join(allowed)
    os.environ["HUB_DATA_DIR"] = str(chosen.data_dir)  # children must not depend on the folder they start in
    _check_port(chosen)
    prepare(chosen)
    supervise(chosen, demo=demo)


@click.command()
@in_words
def web() -> None:
    """Serve the doors, pages and API."""
    if not os.environ.get(SUPERVISOR):
        # In a process of its own: this one stays small, and lives as long as the hub.
        checked = subprocess.run([sys.executable, "-m", "hub", "db", "check"], stdout=subprocess.DEVNULL, check=False)
        if checked.returncode:
            raise SystemExit(checked.returncode)
    from hub.serve import serve

    tie_to_supervisor()
    serve()


@click.command()
@in_words
def worker() -> None:
    """Run the pool of RQ workers."""
    from hub.run import roles

    tie_to_supervisor()
    roles.run_worker()


@click.command()
@in_words
def clock() -> None:
    """Run RQ's cron, which asks for a sweep every few seconds."""
    from hub.run import roles

    tie_to_supervisor()
    roles.run_clock()


@click.command(hidden=True)
@in_words
def redis() -> None:
    """Become the embedded Redis (started by ``hub up``)."""
    from hub.run.embedded import server_command

    tie_to_supervisor()
    line = server_command(settings())
    os.execv(line[0], line)  # noqa: S606 - our own arguments, and the signal tie survives the exec


def prepare(chosen: Settings) -> None:
    """Migrate, and make the first owner of a fresh installation; the login is kept in a file only they can read."""
    from hub.run.embedded import check_socket_path
    from hub.steer.accounts import first_owner
    from hub.store import Store, accounts, now
    from hub.store.upgrade import upgrade

    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    if chosen.embedded_redis:
        check_socket_path(chosen.redis_socket)
    store = Store(chosen.database_url)
    said = upgrade(store, chosen.backups)
    if "up to date" not in said:
        click.echo(said)
    with store.write() as tx:
        if accounts.awaits_owner(tx):
            email, password = os.environ.get("HUB_OWNER_EMAIL", "owner@hub.example"), secrets.token_urlsafe(9)
            owner, _ = first_owner(tx, now(), email=email, password=password, workspace="My workspace")
            accounts.change_user(tx, owner, language="")  # nobody chose one: their browser's
            _keep_login(chosen.data_dir / "first-login.txt", email, password)
    store.close()


def _keep_login(file: Path, email: str, password: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{email}\n{password}\n")


def _check_port(chosen: Settings) -> None:
    from hub.outgoing.local import is_free

    if not is_free(chosen.host, chosen.port):
        raise click.ClickException(
            f"Port {chosen.port} on {chosen.host} is taken: stop what uses it, or choose another (hub up --port 8001)."
        )


def tie_to_supervisor() -> None:
    """Under ``hub up``, end when the supervisor does, even if it was killed."""
    from hub.run.embedded import die_with_parent

    supervisor = os.environ.get(SUPERVISOR)
    if supervisor:
        die_with_parent(int(supervisor))
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # stdout is a text stream here

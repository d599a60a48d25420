"""``hub doctor``: is this installation well, and what should be done if not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import click
from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy.exc import SQLAlchemyError

from hub.commands.sentences import in_words
from hub.connecting import vault
from hub.connecting.registry import registry
from hub.contract.errors import ConfigError
from hub.contract.reasons import REASONS
from hub.run.queue import connect
from hub.settings import Settings, settings
from hub.store import Store, connections, deliveries, inbound, now
from hub.store.upgrade import check

LEAST_DISK = 500 * 1024 * 1024

Finding = tuple[bool, str]


@click.command()
@in_words
def doctor() -> None:
    """Check the data folder, database, key, Redis, workers, connectors and the backlog. Exit 1 if anything is wrong."""
    chosen = settings()
    store = Store(chosen.database_url)
    well = True
    for look in (_disk, _database, _key, _redis, _connectors, _backlog):
        try:
            findings = list(look(chosen, store))
        except (ConfigError, SQLAlchemyError, RedisError, OSError) as error:
            findings = [(False, str(error).splitlines()[0])]
        for good, said in findings:
            click.echo(f"{'✓' if good else '✗'} {said}")
            well &= good
    if not well:
        raise SystemExit(1)


def _disk(chosen: Settings, _: Store) -> Iterator[Finding]:
    free = shutil.disk_usage(chosen.data_dir).free
    yield free > LEAST_DISK, f"{free // 1024**2} MB are free at {chosen.data_dir}"


def _database(_: Settings, store: Store) -> Iterator[Finding]:
    check(store)
    yield True, f"The database answers and is up to date ({'SQLite' if store.sqlite else 'PostgreSQL'})"


def _key(_: Settings, store: Store) -> Iterator[Finding]:
    with store.read() as tx:
        sealed = [row.secrets for row in connections.all_connections(tx)]
    for secrets in sealed:
        vault.unseal(secrets)
    yield True, f"The key opens the secrets of {len(sealed)} connections"


def _redis(chosen: Settings, _: Store) -> Iterator[Finding]:
    try:
        client = connect()
        client.ping()
    except RedisError as error:
        yield False, f"Redis does not answer at {chosen.redis_url} ({error}): start it, or correct REDIS_URL"
        return
    workers = Worker.count(connection=client)
    yield workers > 0, f"Redis answers, {workers} workers are there" + ("" if workers else ": start “hub worker”")


def _connectors(_: Settings, __: Store) -> Iterator[Finding]:
    entries = registry().all()
    for entry in entries:
        if entry.broken:
            yield False, f"The connector {entry.slug} is set aside: {entry.broken}"
    yield True, f"{sum(entry.broken is None for entry in entries)} connectors are ready"


def _backlog(_: Settings, store: Store) -> Iterator[Finding]:
    with store.read() as tx:
        lanes, workspaces = deliveries.connections_due(tx, now()), inbound.workspaces_waiting(tx, now())
        stopped = [row for row in connections.all_connections(tx) if row.state == connections.NEEDS_YOU]
    yield (
        True,
        f"{len(workspaces)} workspaces have messages to be read, {len(lanes)} destinations have something to be sent",
    )
    for row in stopped:
        known = REASONS.get(row.state_reason)
        why = row.state_detail or (f"{known.said.en}. {known.action.en}" if known else row.state_reason)
        yield False, f"“{row.name}” needs you: {why} {settings().base_url}/connections/{row.id}"

"""Sales pour in while the hub's processes are killed: nothing acknowledged is lost, everything is counted once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from receivers import amount, order_name
from redis import Redis
from redis.exceptions import RedisError
from running_hub import until
from scene import Scene
from sqlalchemy import func, select, text

from hub.store import deliveries, orders
from hub.store.base import Money

pytestmark = pytest.mark.faults

SALES, PER_SECOND = 182, 100  # reported around each of the blows, and before the last: 2,002 in all
RECOVERY = 15.0  # seconds from the last kill to the first delivery
DRAINED = 90.0  # seconds from the last kill to the last delivery


def test_kill_9_and_flush_lose_nothing_and_count_nothing_twice(scene: Scene) -> None:
    for blow in BLOWS:
        with scene.shop.reporting(SALES, PER_SECOND):
            time.sleep(SALES / PER_SECOND / 3)
            blow(scene)
    scene.wait_until_all_is_done(DRAINED)
    _stop_the_workers(scene)
    with scene.shop.reporting(SALES, PER_SECOND):
        pass
    waiting = scene.unfinished()
    scene.receivers.mark()
    _kill_all(scene)

    assert waiting >= SALES  # there is something to recover
    until(lambda: scene.receivers.since_mark is not None, scene.hub.soon(RECOVERY), scene.hub.said)
    scene.wait_until_all_is_done(DRAINED)
    _check(scene, SALES * (len(BLOWS) + 1))


def _check(scene: Scene, sales: int) -> None:
    """The shop's own ledger, the hub's books and the receivers' counts tell the same."""
    everything = range(sales)
    assert scene.shop.given_up == set()
    assert scene.shop.acknowledged == set(everything)
    assert scene.shop.calls_repeated > 0  # the blows were felt
    with scene.store.read() as tx:
        booked = dict(tx.execute(select(orders.order.c.display_id, orders.order.c.gross)).all())
        total = tx.scalar(select(func.sum(orders.ledger.c.amount, type_=Money)))
        by_state = select(deliveries.delivery.c.state, func.count()).group_by(deliveries.delivery.c.state)
        states = dict(tx.execute(by_state).all())
    assert booked == {order_name(number): amount(number) for number in everything}
    assert total == sum(map(amount, everything), Decimal(0))
    assert states == {deliveries.DELIVERED: 3 * len(everything)}
    for counts in scene.receivers.counts.values():
        assert set(counts) == {order_name(number) for number in everything}


# -- the blows -----------------------------------------------------------------------------------------------------


def _kill_master(role: str) -> Callable[[Scene], None]:
    return lambda scene: scene.hub.master(role).kill()


def _kill_below(role: str, which: int) -> Callable[[Scene], None]:
    """One of the processes below the master: 0 is its first child, -1 the deepest: the one that is doing a job."""

    def blow(scene: Scene) -> None:
        hub = scene.hub
        until(lambda: bool(hub.below(hub.master(role))), 30, hub.said)
        hub.below(hub.master(role))[which].kill()

    return blow


def _flush(scene: Scene) -> None:
    try:
        Redis(unix_socket_path=str(scene.hub.data / "redis.sock"), socket_timeout=2).flushall()
    except RedisError:
        return  # it is just coming back


def _cut_off_the_database(scene: Scene) -> None:
    """Every connection to PostgreSQL ends, in the middle of transactions too; SQLite has none."""
    if scene.store.sqlite:
        return
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with scene.store.read() as tx:
        tx.execute(text(f"{others} AND pid <> pg_backend_pid()"))


def _kill_all(scene: Scene) -> None:
    processes = [one for child in scene.hub.children() for one in [child, *scene.hub.below(child)]]
    for process in processes:
        process.kill()


def _stop_the_workers(scene: Scene) -> None:
    """They stand still until they are killed; not in the middle of a job, which might have the database locked."""
    master = scene.hub.master("worker")
    until(lambda: all(one.parent == master.pid for one in scene.hub.below(master)), 30, scene.hub.said)
    for process in [master, *scene.hub.below(master)]:
        process.kill(signal.SIGSTOP)


BLOWS = (
    _kill_below("web", 0),
    _kill_below("worker", 0),
    _kill_master("redis"),
    _flush,
    _kill_below("worker", -1),
    _cut_off_the_database,
    _kill_master("web"),
    _kill_master("worker"),
    _kill_master("clock"),
    _kill_all,
)

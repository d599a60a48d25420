"""The database: engine, column types, ids, transactions. SQLite (WAL, synchronous=FULL) or PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.pool import QueuePool
from sqlalchemy.types import TypeDecorator

from hub.store.bulk import Values, insert, insert_new, insert_or, run_many, upsert
from hub.store.holding import FileHold, share_session
from hub.store.in_any import in_any
from hub.store.row import Row, columns_of, fetch_all, fetch_first
from hub.store.write_turns import WriteTurns

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole microseconds since 1970: exact, ordered and alike on both databases."""

    impl = BigInteger
    cache_ok = True

    # The processors themselves, not the methods that each wrap one: a column's every value goes through them.
    def bind_processor(self, _dialect: Any) -> Callable[[datetime | None], int | None]:
        return lambda value: None if value is None else (value - EPOCH) // _MICROSECOND

    def result_processor(self, _dialect: Any, _coltype: Any) -> Callable[[int | None], datetime | None]:
        return lambda value: None if value is None else EPOCH + timedelta(microseconds=value)


class Money(TypeDecorator[Decimal]):
    """A Decimal in major units, stored as whole ten-thousandths, so that the database can add it up exactly."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, _dialect: Any) -> Callable[[Decimal | None], int | None]:
        return lambda value: None if value is None else int((value * _SCALE).to_integral_value(ROUND_HALF_EVEN))

    def result_processor(self, _dialect: Any, _coltype: Any) -> Callable[[int | None], Decimal | None]:
        return lambda value: None if value is None else _money_of(value)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SCALE = Decimal(10_000)
Id = String(36)


def _money_of(stored: int) -> Decimal:
    digits = 2 if stored % 100 == 0 else 3 if stored % 10 == 0 else 4
    return Decimal(stored // 10 ** (4 - digits)).scaleb(-digits)


def plain_money(value: Decimal) -> Decimal:
    """At least two decimals, no more than needed: 49 → 49.00, 1.2340 → 1.234."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and exponent <= -2 else short.quantize(Decimal("0.01"))


def id_column() -> Column[str]:
    return Column("id", Id, primary_key=True)


def new_id() -> str:
    """A UUIDv7 (RFC 9562): sorts by the time it was made, also within this process and millisecond."""
    global _last
    with _id_lock:
        now = time.time_ns() // 1_000_000 << 12
        _last = now if now > _last else _last + 1
        stamp = _last
    tail = f"{_random.getrandbits(62) | 1 << 63:016x}"
    head = f"{stamp >> 12:012x}"
    return f"{head[:8]}-{head[8:]}-7{stamp & 0xFFF:03x}-{tail[:4]}-{tail[4:]}"


_last = 0
_id_lock = threading.Lock()
_random = random.Random()  # noqa: S311 - ids are names, not secrets; a system call for each would cost more than the rest
os.register_at_fork(after_in_child=_random.seed)  # else a worker's children would all make the same ids


def now() -> datetime:
    """The current time. Steps take the time as an argument; this is what their callers pass."""
    return datetime.now(UTC)


class Store:
    """One database. Opened once a process; a fork must open its own.

    ``flush``: whether each commit waits until it is on the disk. Without it, what the latest commits wrote may be undone
    by a power cut (never by a crash of the process), and in order: what an earlier flushed commit wrote is never lost.
    That is enough for work that is done again under the same names, and keeps others waiting half as long. SQLite only.
    ``hold``: as long as it is open, no restore may replace the database (:mod:`hub.store.holding`).
    """

    def __init__(self, url: str, *, pool_size: int = 4, flush: bool = True, hold: bool = True) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.flush = flush
        self._hold = FileHold(make_url(url).database or "") if hold and self.sqlite else None
        self._is_held = hold
        self.engine = self._engine(pool_size)
        self._writing = self.engine.execution_options(hub_write=True)  # the same, seen by its transactions
        self._reading = self.engine if self.sqlite else self.engine.execution_options(**_ONE_STATE)
        file = self.engine.url.database if self.sqlite else None
        self._turns = WriteTurns(Path(file)) if file else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one consistent state and changes nothing."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed, durably, when the block ends without an error.

        On SQLite it takes the write lock at once: a transaction that reads first and writes later could not wait for it.
        Whoever writes waits in a queue for it, because SQLite itself would sleep, for up to a tenth of a second at a time.
        """
        if self._turns is None:
            with self._writing.begin() as connection:
                yield connection
            return
        with self._turns.next(), self._writing.begin() as connection:
            yield connection
        if self._turns.log_is_long(patient=self.flush):
            self._shorten_log()

    def close(self) -> None:
        self.engine.dispose()
        if self._turns is not None:
            self._turns.close()
        if self._hold is not None:
            self._hold.let_go()

    def _shorten_log(self) -> None:
        """Bring what is in SQLite's write-ahead log into the database, while others go on reading and writing."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _engine(self, pool_size: int) -> Engine:
        if not self.sqlite:
            engine = create_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=16,
                pool_pre_ping=True,
                json_serializer=to_json,
                json_deserializer=from_json,
                connect_args={"prepare_threshold": 5, "application_name": "conversion-hub"},
            )
            if self._is_held:
                event.listen(engine, "connect", lambda driver, _: share_session(driver))
            return engine
        engine = create_engine(
            self.url,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=32,
            json_serializer=to_json,
            json_deserializer=from_json,
            connect_args={"timeout": 30, "check_same_thread": False, "isolation_level": None, "cached_statements": 512},
        )
        hold = self._hold
        if hold is not None:
            event.listen(engine, "connect", lambda *_: hold.take())
        event.listen(engine, "connect", _tune_sqlite if self.flush else _tune_sqlite_worker)
        event.listen(engine, "begin", _begin_sqlite)
        return engine


_ONE_STATE: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""PostgreSQL's own way would show each statement what was committed before it. The driver says it with its BEGIN."""


def alone(tx: Connection, what: str) -> None:
    """From here to the end of this writing transaction no other one is in ``what``.

    Call it before looking whether there is something that is made where it is missing. On SQLite a writing
    transaction is alone anyway.
    """
    if tx.dialect.name != "sqlite":
        digest = int.from_bytes(sha256(what.encode()).digest()[:8], signed=True)
        tx.execute(select(func.pg_advisory_xact_lock(digest)))


def to_json(value: Any) -> str:
    """Compact JSON; Decimals and times as text."""
    return _JSON.encode(value).decode()


def from_json(text: str | bytes) -> Any:
    """What was stored as JSON. Before msgspec, NaN and halves of surrogate pairs could be: these are read too."""
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return json.loads(text)


_JSON = msgspec.json.Encoder()


def chunks(items: Iterable[Any], size: int = 2000) -> Iterator[list[Any]]:
    """Lists of at most ``size``, none for nothing: so much is asked for at once."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def _tune_sqlite(connection: Any, _: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _tune_sqlite_worker(connection: Any, record: Any) -> None:
    _tune_sqlite(connection, record)
    connection.execute("PRAGMA synchronous=NORMAL")


_PRAGMAS = (
    "page_size=8192",  # of a new database: a message of 2 KB would fill more than half of a usual page, and waste the rest
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=0",  # Store.write sees to it when nobody waits for its turn
    "journal_size_limit=1048576",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-8000",
)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("hub_write")
    driver: Any = connection.connection.driver_connection  # through SQLAlchemy this word would take as long as ten rows
    driver.execute("PRAGMA query_only=OFF" if writing else "PRAGMA query_only=ON")
    driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")


JsonColumn = JSON(none_as_null=True)

__all__ = [
    "EPOCH",
    "Id",
    "JsonColumn",
    "Moment",
    "Money",
    "Row",
    "Store",
    "Values",
    "alone",
    "chunks",
    "columns_of",
    "fetch_all",
    "fetch_first",
    "id_column",
    "in_any",
    "insert",
    "insert_new",
    "insert_or",
    "metadata",
    "new_id",
    "now",
    "plain_money",
    "run_many",
    "to_json",
    "upsert",
]

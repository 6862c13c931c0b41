"""The engine for SQLite and PostgreSQL, and the pen that writes.

SQLite: WAL with synchronous=FULL, because a 201 may only follow an fsync. Writers queue at an flock() gate before
BEGIN IMMEDIATE: SQLite's own busy handler is unfair, and a deferred transaction that reads before it writes fails
at once with "database is locked" (measured: p99 1,733 ms without the gate, 12 ms with it).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

T = TypeVar("T")

Errors = tuple[type[Exception], ...]

BUSY_TIMEOUT_MS = 30_000
"""How long SQLite waits for a lock that the gate does not know of (a backup, a person's sqlite3 shell)."""
CACHE_KIB = 512
"""KiB of pages that each of SQLite's connections keeps to itself. A commit of another process makes it forget them
all, the kernel keeps them anyway: with SQLite's own 2,000 the connections of a busy web process held 15 MB more."""
GROUP_MOST = 64
"""Writes that share one durable commit at the most."""


def failures() -> Errors:
    """What a query may raise; hot queries raise the driver's own."""
    return DBAPIError, *(driver.Error for driver in _drivers())


def away() -> Errors:
    """Locked, out of reach, out of room: nothing was kept, the same again may succeed later."""
    return OperationalError, *(driver.OperationalError for driver in _drivers())


def unfit() -> Errors:
    """A value that no column of the kind can hold: nothing was kept, the same again cannot succeed."""
    return DataError, *(driver.DataError for driver in _drivers())


def _drivers() -> list[Any]:
    """Those that are loaded. An engine loads PostgreSQL's when it is made: 10 MB of each process beside SQLite."""
    return [sys.modules[name] for name in ("sqlite3", "psycopg") if name in sys.modules]


class Database:
    """One store. Made before fork or after it, used from any thread; each process opens its own files.

    `durable` False is for who promises nothing to anybody (the worker): on SQLite its commits wait for no fsync. A
    power cut may take the last of them away, never one in the middle and never one that a 201 followed (that
    commit syncs the log up to itself); the jobs that go with them are then simply due again.
    """

    def __init__(self, url: str, pool_size: int = 16, *, durable: bool = True) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url, pool_size, durable) if self.is_sqlite else create_engine(
            url, pool_size=pool_size, max_overflow=4, pool_pre_ping=True, pool_recycle=1800
        )  # fmt: skip
        self._gate = _Gate(str(make_url(url).database) + ".lock") if self.is_sqlite else None
        self._leader = threading.Lock()
        self._waiting: deque[_Write[Any]] = deque()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection with one consistent view, given back at the end."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def view(self) -> Iterator[Connection]:
        """A connection that sees one moment of the store, however many queries: that of the first."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One durable transaction: return commits, raise rolls back."""
        if self._gate is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with (
            self._leader,
            self._gate,
            self.engine.connect().execution_options(yangdi_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a durable transaction that it may share with others arriving at the same moment.

        On SQLite one fsync then serves many requests; each piece of work has a savepoint of its own, so one
        that fails takes nobody with it. Returns, or raises, only after the commit.
        """
        if self._gate is None:
            with self.engine.begin() as connection:
                return work(connection)
        mine = _Write(work)
        self._waiting.append(mine)
        with self._leader:
            while not mine.done:  # more may wait than share one commit
                self._write_waiting()
        return mine.outcome()

    def _write_waiting(self) -> None:
        group: list[_Write[Any]] = []
        gate = cast("_Gate", self._gate)
        try:
            with (
                gate,
                self.engine.connect().execution_options(yangdi_writes=True) as connection,
                connection.begin(),
            ):
                # gathered behind the gate: whoever came while it was shut shares this commit
                while self._waiting and len(group) < GROUP_MOST:
                    group.append(self._waiting.popleft())
                for write in group:
                    write.attempt(connection)
        except BaseException as error:
            if not group:  # the transaction never began: whoever waits must hear of it, now
                while self._waiting:
                    group.append(self._waiting.popleft())
            for write in group:
                write.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for write in group:
                write.done = True

    def secure(self) -> None:
        """Whatever can be read now survives a power cut from here on.

        For who tells a phone what a worker wrote: the worker itself waits for no fsync, and a phone must not remember
        what the store may forget. A log that a checkpoint has moved into the database was synced by it.
        """
        if not self.is_sqlite:
            return
        with contextlib.suppress(FileNotFoundError):
            log = os.open(f"{make_url(self.url).database}-wal", os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(log)
            finally:
                os.close(log)

    def close(self) -> None:
        """Give back every connection; used before fork and by tests."""
        self.engine.dispose()


class _Write(Generic[T]):
    """A piece of work that waits for the pen, then its result or its error."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.done = False
        self.error: BaseException | None = None
        self.result: T | None = None

    def attempt(self, connection: Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        cursor = raw.cursor()
        cursor.execute("SAVEPOINT one")
        try:
            self.result = self.work(connection)
            cursor.execute("RELEASE one")
        except Exception as error:  # the error belongs to whoever asked, not to the group
            self.error = error
            if not raw.in_transaction:
                raise  # out of room: SQLite has taken back everything, the others' work too
            cursor.execute("ROLLBACK TO one")
            cursor.execute("RELEASE one")

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return cast("T", self.result)


class _Gate:
    """A lock between processes on one machine. Opened in the process that uses it: a lock inherited by fork
    would be shared, not exclusive."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pid = -1
        self._fd = -1

    def __enter__(self) -> None:
        if self._pid != os.getpid():
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._pid = os.getpid()
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)


def _sqlite_engine(url: str, pool_size: int, durable: bool) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=16, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def on_connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves; sqlite3's implicit transactions lose writes
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            f"synchronous = {'FULL' if durable else 'NORMAL'}",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            f"cache_size = -{CACHE_KIB}",
            "wal_autocheckpoint = 4000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("yangdi_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine

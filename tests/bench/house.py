"""A house to be measured: a fresh store, a real server with default settings, one phone, one form."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from sqlalchemy import select, text

from forms.compile import Compiled
from server.settings import Settings
from server.steps.publish import publish
from server.store import schema
from server.store.db import Database
from tests import cast
from tests.bench.family import Family
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer, free_port

PATIENCE_S = 1800
"""s after which a worker that comes to no end is at fault."""


class Engine(NamedTuple):
    """Where the store is: "" for SQLite in a new folder, else an empty PostgreSQL; `pids` are its processes."""

    database_url: str = ""
    pids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return "PostgreSQL" if self.database_url else "SQLite"


class House:
    """A running installation; use it in a `with`. Its folder is removed at the end."""

    def __init__(self, engine: Engine, form: Compiled) -> None:
        self._engine = engine
        self._form = form

    def __enter__(self) -> House:
        self.folder = Path(tempfile.mkdtemp(prefix="yangdi-bench-"))
        url = self._engine.database_url
        self.settings = Settings(
            data_dir=self.folder, database_url=url, port=free_port(), log_level="WARNING"
        )
        self.server = LiveServer(self.settings, self.folder / "log").await_answer()
        self.database = Database(self.settings.url)
        with self.database.writing() as pen:
            if url:  # a store for all houses of a run: each begins empty
                names = ", ".join(table.name for table in schema.metadata.sorted_tables)
                pen.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            self.cast = cast.enter(pen, int(time.time() * 1000))
            self.version = publish(pen, self.cast.project, self._form.form, self._form.xml, {}, "bench", 0)
        self.family = Family(self.server.process.pid, self._engine.pids)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def phone_url(self) -> str:
        """The address that a phone knows."""
        return f"{self.server.base_url}/v1/key/{self.cast.token_one}/projects/{self.cast.project}"

    def settle(self) -> float:
        """Wait until the worker has kept every promise; returns the seconds that took."""
        started = time.perf_counter()
        wait_until_drained(self.database, PATIENCE_S)
        return time.perf_counter() - started

    def disk_bytes(self) -> int:
        """Bytes of the store's pages and of the photos; the write-ahead log, which is used again, not counted."""
        with self.database.reading() as connection:
            if self.database.is_sqlite:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
                size = int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
            else:
                size = int(
                    connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
                )
        photos = self.settings.photo_dir.rglob("*") if self.settings.photo_dir.exists() else ()
        return size + sum(path.stat().st_size for path in photos if path.is_file())

    def waits_ms(self) -> list[float]:
        """For each submission, ms from its arrival until the rules had looked at its visit."""
        query = select(schema.visit.c.checked_at - schema.submission.c.received_at).join(
            schema.submission, schema.submission.c.id == schema.visit.c.source_id
        )
        with self.database.reading() as connection:
            return [
                float(ms)
                for ms in connection.execute(query.where(schema.visit.c.checked_at.is_not(None))).scalars()
            ]

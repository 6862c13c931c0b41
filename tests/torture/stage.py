"""An installation to be tortured: a store with the cast and a form in it, servers to start and to kill."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from server.settings import Settings
from server.store.db import Database
from tests import cast as cast_module
from tests.cast import Cast
from tests.conftest import NOW, make_tables
from tests.live import LiveServer, free_port
from tests.phone import form, put_up
from tests.postgres import Cluster, find_binaries

ENGINES = ("sqlite", "postgresql")
LEASE_S = 2
"""s after which the jobs of a killed worker are taken again; a minute as shipped."""


@dataclass
class Stage:
    """One installation. `folder` is for logs."""

    settings: Settings
    database: Database
    cast: Cast
    folder: Path

    def __post_init__(self) -> None:
        put_up(self.database, self.cast.project, form("plot_visit"))
        self._servers: list[LiveServer] = []

    @property
    def engine(self) -> str:
        return self.database.engine.dialect.name

    def start(self, **knobs: object) -> LiveServer:
        """A real server with two web processes and a worker, on the port of this installation, once it answers."""
        usual = {"web_processes": 2, "job_lease_s": LEASE_S}
        chosen = replace(self.settings, **usual | knobs)  # type: ignore[arg-type]
        server = LiveServer(chosen, self.folder / f"server-{len(self._servers)}.log")
        self._servers.append(server)
        return server.await_answer()

    def kill_everyone(self, server: LiveServer) -> None:
        """SIGKILL to the master and all that it started, at one moment."""
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()

    def end(self) -> None:
        for server in self._servers:
            if server.process.poll() is None:
                server.stop()


@contextlib.contextmanager
def raised(engine: str) -> Iterator[Stage]:
    """A stage outside pytest, on a store of its own that goes when it ends."""
    with tempfile.TemporaryDirectory(prefix="yd-torture-") as folder, _store(engine, Path(folder)) as url:
        settings = Settings(
            data_dir=Path(folder) / "var", database_url=url, secret_key="for tests alone", port=free_port()
        )
        database = Database(settings.url)
        make_tables(database)
        with database.writing() as connection:
            cast = cast_module.enter(connection, NOW)
        stage = Stage(settings, database, cast, Path(folder))
        try:
            yield stage
        finally:
            stage.end()
            database.close()


@contextlib.contextmanager
def _store(engine: str, folder: Path) -> Iterator[str]:
    (folder / "var").mkdir()
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'var' / 'yangdi.db'}"
        return
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not on this machine")
    cluster = Cluster(binaries)
    try:
        cluster.do("CREATE DATABASE torture")
        yield cluster.url("torture")
    finally:
        cluster.stop()

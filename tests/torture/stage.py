"""An installation to be tortured: a store with the cast and a form in it, servers to start and to kill."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from server.settings import Settings
from server.store.blobs import Blobs
from server.store.db import Database
from tests import cast as cast_module
from tests.cast import Cast
from tests.conftest import NO_POSTGRES, NOW, make_tables
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

    @property
    def blobs(self) -> Blobs:
        return Blobs(self.settings.photo_dir)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def key_address(self) -> str:
        """What stands in the QR code of 一队's phone."""
        return f"{self.base_url}/v1/key/{self.cast.token_one}/projects/{self.cast.project}"

    def start(self, env: Mapping[str, str] | None = None, **knobs: object) -> LiveServer:
        """A real server with two web processes and a worker, on the port of this installation, once it answers."""
        usual = {"web_processes": 2, "job_lease_s": LEASE_S}
        chosen = replace(self.settings, **usual | knobs)  # type: ignore[arg-type]
        server = LiveServer(chosen, self.folder / f"server-{len(self._servers)}.log", env or {})
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


_numbers = count(1)


@contextlib.contextmanager
def raised(engine: str, cluster: Cluster | None = None, disk_mb: int | None = None) -> Iterator[Stage]:
    """A stage on a store of its own that goes when it ends; on a PostgreSQL of its own unless `cluster` is given.

    `disk_mb`: the data folder is a disk of that size. Raises NoSmallDisk where this account may not make one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="yd-torture-") as folder,
        _small_disk(Path(folder) / "var", disk_mb),
        _store(engine, Path(folder) / "var", cluster) as url,
    ):
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


class NoSmallDisk(Exception):
    """This account may not mount anything."""


@contextlib.contextmanager
def _small_disk(path: Path, size_mb: int | None) -> Iterator[None]:
    path.mkdir()
    if size_mb is None:
        yield
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise NoSmallDisk(done.stderr.decode(errors="replace"))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextlib.contextmanager
def _store(engine: str, folder: Path, cluster: Cluster | None) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'yangdi.db'}"
        return
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError(NO_POSTGRES)
    mine = cluster or Cluster(binaries)
    name = f"torture_{next(_numbers)}"
    try:
        mine.do(f"CREATE DATABASE {name}")
        yield mine.url(name)
        mine.do(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        if cluster is None:
            mine.stop()

"""What every test may ask for: a store on each engine, the cast, the app, a client, a clock, a live server.

A test that asks for `database`, `settings`, `app`, `client` or `live_server` runs once on SQLite and once on
a real PostgreSQL, each time in a store of its own. For one engine only, put above the test:
`@pytest.mark.parametrize("engine", ["sqlite"])`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Dialect

from server.settings import Settings
from server.store import migrations
from server.store.db import Database
from server.store.schema import metadata
from tests import cast as cast_module
from tests.cast import Cast
from tests.live import LiveServer, free_port
from tests.postgres import Cluster, find_binaries

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.phone import Back, Phone

NO_POSTGRES = "PostgreSQL's initdb and postgres are not on this machine (Debian: apt-get install postgresql)"
NOW = 1_780_272_000_000
"""The moment at which tests happen, ms since 1970 UTC: 2026-06-01 00:00 UTC, 08:00 in 平顺."""

# no deadlines: two busy cores make any example slow once. CI looks at the same examples every time.
hypothesis_settings.register_profile(
    "house", deadline=None, derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
# `make check` tries a law on fewer examples than `make test`
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("house"), max_examples=15)
hypothesis_settings.load_profile("house")


class Clock:
    """A clock that only a test moves. Called, it gives the moment as everything in the house takes it."""

    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def tick(self, seconds: float = 1.0) -> int:
        """Let `seconds` pass; returns the new moment."""
        self.at += int(seconds * 1000)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


# the store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick check runs on SQLite; of PostgreSQL it asks the store's own tests. `make test` asks for everything."""
    for item in items:
        values = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if values.get("engine") == "postgresql" and "tests/store/" not in item.nodeid:
            item.add_marker("slow")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that this run of the test is about."""
    return str(request.param)


def make_tables(database: Database) -> None:
    """Today's schema, without the migrations: while somebody works on a table, only the tests that compare the
    two say so (tests/house/test_migrations.py), and not every test there is."""
    with database.writing() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{migrations.HEAD}')")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at today's schema, made once."""
    path = tmp_path_factory.mktemp("template") / "yangdi.db"
    database = Database(f"sqlite:///{path}")
    make_tables(database)
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test process's own, with the database `template` at today's schema."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(NO_POSTGRES)
    cluster = Cluster(binaries)
    try:
        cluster.do("CREATE DATABASE template")
        database = Database(Settings(database_url=cluster.url("template")).url, pool_size=1)
        make_tables(database)
        database.close()
        yield cluster
    finally:
        cluster.stop()


_numbers = count(1)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The data folder of this test's installation."""
    path = tmp_path / "var"
    path.mkdir()
    return path


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, engine: str, data_dir: Path) -> Iterator[str]:
    """A store with no table in it, as YANGDI_DATABASE_URL."""
    if engine == "sqlite":
        yield f"sqlite:///{data_dir / 'yangdi.db'}"
    else:
        yield from _fresh(request.getfixturevalue("cluster"), "template0")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine: str, data_dir: Path) -> Iterator[str]:
    """A store at today's schema with no row in it, as YANGDI_DATABASE_URL."""
    if engine == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), data_dir / "yangdi.db")
        yield f"sqlite:///{data_dir / 'yangdi.db'}"
    else:
        yield from _emptied(request.getfixturevalue("cluster"))


def _emptied(cluster: Cluster) -> Iterator[str]:
    """One database for all tests of this process, emptied after each: ten times as quick as a copy."""
    yield cluster.url("template")
    cluster.empty("template")


def _fresh(cluster: Cluster, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    cluster.create(name, template)
    yield cluster.url(name)
    cluster.do(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(data_dir: Path, database_url: str) -> Settings:
    """An installation of this test's own. Change a knob with `dataclasses.replace`."""
    return Settings(
        data_dir=data_dir, database_url=database_url, secret_key="for tests alone", port=free_port()
    )


_dialects: dict[str, Dialect] = {}
_compiled: dict[object, object] = {}


def _experienced(database: Database) -> Database:
    """The same, with the SQL that was compiled for earlier tests: to compile it anew is half of a test's time."""
    engine = database.engine
    if engine.dialect.name not in _dialects:
        engine.connect().close()  # asks the store which words it knows
        _dialects[engine.dialect.name] = engine.dialect
    engine.dialect = _dialects[engine.dialect.name]
    engine.update_execution_options(compiled_cache=_compiled)
    return database


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The store of `settings`, open."""
    database = _experienced(Database(settings.url))
    yield database
    database.close()


@pytest.fixture
def cast(database: Database, clock: Clock) -> cast_module.Cast:
    """The cast, on stage in `database`."""
    with database.writing() as connection:
        return cast_module.enter(connection, clock())


# the web


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The real app with all its doors, hung once in this process: that takes 0.15 s, longer than most tests."""
    from server.app import create_app

    return create_app(Settings(data_dir=tmp_path_factory.mktemp("nobody's"), secret_key="nobody's"))


@pytest.fixture
def app(doors: Flask, settings: Settings, database: Database) -> Iterator[Flask]:
    """The real app over the same store as `database`; its pages may be posted to without a CSRF token."""
    from server.app import furnish

    app = copy(doors)
    app.config, app.extensions = copy(doors.config), doors.extensions.copy()
    furnish(app, settings, database)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    database.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def version(database: Database, cast: Cast) -> int:
    """Our plot visit, published."""
    from tests.phone import form, put_up

    return put_up(database, cast.project, form("plot_visit"))


@pytest.fixture
def phone(client: FlaskClient, cast: Cast, version: int) -> Phone:
    """一队's phone, with a plot visit to fill in."""
    from tests.phone import Phone, key_address

    return Phone(client, key_address(cast))


@pytest.fixture
def back(database: Database, settings: Settings) -> Back:
    """A look behind the door, where a test goes through it."""
    from tests.phone import Back

    return Back(database, settings)


@pytest.fixture
def start_server(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Start a real server, with any knob changed: `start_server(embedded_worker=False).base_url`."""
    started: list[LiveServer] = []

    def start(**knobs: object) -> LiveServer:
        chosen = replace(settings, **{"port": free_port(), "web_processes": 1} | knobs)  # type: ignore[arg-type]
        started.append(LiveServer(chosen, tmp_path / f"server-{len(started)}.log"))
        return started[-1].await_answer()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def live_server(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A real server with its worker, as `yangdi serve` runs on a county's machine."""
    return start_server()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_binaries() is None:
        terminalreporter.write_line(f"NOT TESTED ON POSTGRESQL: {NO_POSTGRES}", red=True, bold=True)

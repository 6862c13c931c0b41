"""The pen: what is acknowledged is there, what fails takes nobody with it, and a full or busy store says so."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, event, func, insert, select

from server.settings import Settings
from server.store import db, schema
from server.store.db import Database
from tests.cast import Cast
from tests.live import environment
from tests.phone import Back, Phone, form, key_address, message, plot_visit, put_up

ROOT = Path(__file__).parents[2]


def add(name: str) -> Callable[[Connection], int]:
    """A piece of work: one more project."""
    row = insert(schema.project).values(name=name, created_at=0).returning(schema.project.c.id)
    return lambda connection: int(connection.execute(row).scalar_one())


def names(settings: Settings) -> list[str]:
    """Projects as somebody else sees them, through a connection of her own."""
    other = Database(settings.url, pool_size=1)
    with other.reading() as connection:
        found = list(
            connection.execute(select(schema.project.c.name).order_by(schema.project.c.id)).scalars()
        )
    other.close()
    return found


def test_what_write_returns_from_is_there_for_everybody(database: Database, settings: Settings) -> None:
    number = database.write(add("one"))
    assert number == 1
    assert names(settings) == ["one"]


def test_a_transaction_that_raises_leaves_nothing(database: Database, settings: Settings) -> None:
    def fail(connection: Connection) -> None:
        add("half")(connection)
        raise LookupError("no")

    with pytest.raises(LookupError):
        database.write(fail)
    with pytest.raises(LookupError), database.writing() as connection:
        fail(connection)
    assert names(settings) == []


def at_one_moment(database: Database, work: list[Callable[[Connection], int]]) -> list[int | str]:
    """Do all this in threads that wait for the same pen; results, or the names of errors."""
    started = threading.Barrier(len(work) + 1)

    def one(piece: Callable[[Connection], int]) -> int | str:
        started.wait()
        try:
            return database.write(piece)
        except Exception as error:
            return type(error).__name__

    with ThreadPoolExecutor(len(work)) as threads:
        with database.writing():  # whoever comes now has to wait
            results = [threads.submit(one, piece) for piece in work]
            started.wait()
        return [result.result() for result in results]


def test_one_that_fails_takes_nobody_with_it(database: Database, settings: Settings) -> None:
    def fail(connection: Connection) -> int:
        add("half")(connection)
        raise LookupError("no")

    def break_a_rule(connection: Connection) -> int:
        add("half")(connection)
        connection.execute(insert(schema.crew).values(project_id=999, name="of nobody"))
        return 0

    pieces = [add("a"), fail, add("b"), break_a_rule, add("c"), fail]
    results = at_one_moment(database, pieces)
    assert [r if isinstance(r, str) else "done" for r in results] == [
        "done", "LookupError", "done", "IntegrityError", "done", "LookupError",
    ]  # fmt: skip
    assert sorted(names(settings)) == ["a", "b", "c"]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_many_that_wait_share_a_commit_and_each_gets_its_own_answer(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "GROUP_MOST", 3)
    commits = []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    results = at_one_moment(database, [add(f"p{n}") for n in range(10)])
    assert sorted(map(str, results)) == sorted(map(str, range(1, 11)))
    assert len(names(settings)) == 10
    assert len(commits) < 1 + 10


WRITER = """
import sys
from server.settings import Settings
from server.store.db import Database
from server.store import schema
database = Database(Settings.from_env().url)
for number in range(100_000):
    database.write(lambda c: c.execute(schema.project.insert().values(name=f"p{number}", created_at=0)))
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_the_death_of_its_process(
    database: Database, settings: Settings
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        env=os.environ | environment(settings),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        acknowledged = 20 + len(writer.stdout.read().split())
    assert len(names(settings)) in {acknowledged, acknowledged + 1}
    database.write(add("and the next one goes on"))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_reader_keeps_its_view_while_others_write(database: Database) -> None:
    count = select(func.count()).select_from(schema.project)
    with database.reading() as connection:
        assert connection.scalar(count) == 0
        database.write(add("meanwhile"))
        assert connection.scalar(count) == 0
    with database.reading() as connection:
        assert connection.scalar(count) == 1


# what a phone hears when the store cannot


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_full_disk_is_said_and_nothing_is_acknowledged(
    app: Flask, database: Database, cast: Cast, back: Back
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    theirs = app.extensions["yangdi-database"]
    phone = Phone(app.test_client(), key_address(cast))
    assert phone.send(plot_visit()).status_code == 201
    used = 0

    @event.listens_for(theirs.engine, "begin")
    def no_page_more(connection: Connection) -> None:
        nonlocal used
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        used = used or raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {used + 2}")

    answers = [phone.send(plot_visit(visit={"note": os.urandom(5000).hex()})) for _ in range(10)]
    refused = [answer for answer in answers if answer.status_code == 507]
    assert refused
    assert {answer.status_code for answer in answers} <= {201, 507}
    assert "磁盘已满" in message(refused[0])
    assert back.count(schema.submission) == 1 + len(answers) - len(refused)
    event.remove(theirs.engine, "begin", no_page_more)
    with theirs.reading() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA max_page_count = 1000000")
    theirs.close()
    assert phone.send(plot_visit()).status_code == 201  # there is room again


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_store_that_somebody_else_holds_is_busy(
    settings: Settings, database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.app import create_app

    put_up(database, cast.project, form("plot_visit"))
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 50)
    hasty = Database(settings.url)
    phone = Phone(create_app(settings, hasty).test_client(), key_address(cast))
    assert phone.get("/formList").status_code == 200  # "last seen" is written, and not again for a minute
    holder = sqlite3.connect(settings.data_dir / "yangdi.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answer = phone.send(plot_visit())
    holder.execute("ROLLBACK")
    holder.close()
    assert answer.status_code == 503
    assert "服务器正忙，数据未被确认" in message(answer)
    assert phone.send(plot_visit()).status_code == 201
    hasty.close()


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_store_that_is_away_is_busy(
    settings: Settings, database: Database, cast: Cast, cluster: object
) -> None:
    from server.app import create_app

    away = Database(settings.url.replace(":5", ":1").rsplit("/", 1)[0] + "/no_such_store")
    phone = Phone(create_app(settings, away).test_client(), key_address(cast))
    answer = phone.get("/formList")
    assert answer.status_code == 503
    away.close()

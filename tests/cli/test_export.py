"""A project leaves as one SQLite file that other programs open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.steps import review
from server.store import export, schema
from server.store.db import Database
from server.store.reviews import Act
from server.tables import analysis
from tests.cast import PASSWORD, Cast
from tests.phone import Back, Phone, form, key_address, plot_visit, put_up, tree


@pytest.fixture
def exported(
    database: Database, client: FlaskClient, settings: Settings, cast: Cast, tmp_path: Path
) -> Iterator[sqlite3.Connection]:
    """What a phone sent, as the file that an analyst gets."""
    put_up(database, cast.project, form("plot_visit"))
    Phone(client, key_address(cast)).send(plot_visit(trees=[tree("1", "23.1"), tree("2", "0")]))
    Back(database, settings).drain()
    path = tmp_path / "county.db"
    with database.reading() as connection:
        analysis.write(
            path,
            {name: getattr(export, name)(connection, cast.project) for name in analysis.TABLES},
        )
    with pytest.raises(FileExistsError):
        analysis.write(path, {})
    file = sqlite3.connect(path)
    yield file
    file.close()


def test_every_tree_stands_beside_its_visit_and_plot(exported: sqlite3.Connection) -> None:
    rows = exported.execute(
        "SELECT p.plot_id, v.census, m.tag, m.dbh_cm, m.dbh_text FROM measurements m "
        "JOIN visits v ON v.id = m.visit JOIN plots p ON p.id = v.plot ORDER BY m.ordinal"
    ).fetchall()
    assert rows == [("PS-001", "2026", "1", 23.1, "23.1"), ("PS-001", "2026", "2", 0.0, "0")]
    assert exported.execute("PRAGMA foreign_key_check").fetchall() == []


def test_flags_leave_with_the_trees_they_point_at(exported: sqlite3.Connection) -> None:
    assert exported.execute("SELECT rule, tag, state FROM flags").fetchall() == [("T01", "2", "open")]
    assert exported.execute("SELECT count(*) FROM plots WHERE plot_id LIKE '%邻县%'").fetchone() == (0,)


def test_a_corrected_tree_leaves_as_it_counts_with_what_the_tape_said_beside_it(
    database: Database, client: FlaskClient, settings: Settings, cast: Cast
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    Phone(client, key_address(cast)).send(plot_visit(trees=[tree("1", "231"), tree("2", "12.0")]))
    Back(database, settings).drain()
    with database.writing() as pen:
        visit = int(pen.scalars(select(schema.visit.c.id)).one())
        review.correct(pen, cast.project, visit, review.Change(0, "dbh_cm", "23.1"), Act("li", "看照片", 1))
    with database.reading() as connection:
        trees = list(export.measurements(connection, cast.project))
        [made] = export.corrections(connection, cast.project)
    assert [(row["dbh_cm"], row["dbh_text"]) for row in trees] == [(23.1, "231"), (12.0, "12.0")]
    assert (made["tag"], made["old"], made["new"], made["why"]) == ("1", "231", "23.1", "看照片")


def test_programs_read_a_corrected_tree_as_it_counts(
    database: Database, client: FlaskClient, settings: Settings, cast: Cast
) -> None:
    put_up(database, cast.project, form("plot_visit"))
    Phone(client, key_address(cast)).send(plot_visit(trees=[tree("1", "231")]))
    Back(database, settings).drain()
    with database.writing() as pen:
        visit = int(pen.scalars(select(schema.visit.c.id)).one())
        review.correct(pen, cast.project, visit, review.Change(0, "dbh_cm", "23.1"), Act("li", "看照片", 1))
    read = client.get(
        f"/v1/projects/{cast.project}/plots/PS-001/measurements",
        auth=("li", PASSWORD),
        base_url="https://localhost",
    ).get_json()
    assert [tree["dbh_cm"] for tree in read["trees"]] == [23.1]
    assert [(made["old"], made["new"], made["made_by"]) for made in read["corrections"]] == [
        ("231", "23.1", "li")
    ]

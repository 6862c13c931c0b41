"""A project leaves as one SQLite file that other programs open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.settings import Settings
from server.store import export
from server.store.db import Database
from server.tables import analysis
from tests.cast import Cast
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

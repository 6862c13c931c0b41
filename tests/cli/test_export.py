"""A project leaves as one SQLite file that other programs open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.steps import crew_decide, draw_audits, fix_datum, review
from server.steps.draw_audits import Asked
from server.store import export, schema
from server.store.db import Database
from server.store.reviews import Act
from server.tables import analysis
from server.validation.datum import GCJ02
from tests.cast import PASSWORD, Cast
from tests.cli.test_rules import yangdi
from tests.phone import Back, Phone, form, key_address, plot_visit, put_up, tree
from tests.steps.crews import send, send_audit, stand
from tests.steps.test_crew_look import flag_of, settle


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


def test_doubts_decisions_crews_audits_and_draws_leave_too(
    database: Database, client: FlaskClient, settings: Settings, cast: Cast, tmp_path: Path
) -> None:
    for name in ("plot_visit", "audit_visit"):
        put_up(database, cast.project, form(name))
    send(Phone(client, key_address(cast)), [*stand()[:-2], tree("59", 160.0)],
         visit={"position": "36.2 113.44 1200 4"})  # fmt: skip
    back = Back(database, settings)
    settle(back)
    with database.writing() as pen:
        draw_audits.draw(pen, cast.project, cast.census, Asked("7", plots=1), "li", 5)
    send_audit(Phone(client, key_address(cast, cast.token_two)), stand())
    settle(back)
    with database.writing() as pen:
        visit, doubted = pen.execute(
            select(schema.flag.c.visit_id, schema.flag.c.id).where(schema.flag.c.tag == "59")
        ).first() or (0, 0)
        review.accept(pen, cast.project, doubted, Act("li", "古树", 1))
        fix_datum.say(pen, cast.project, visit, GCJ02, Act("li", "高德", 2))
        fix_datum.undo(pen, cast.project, visit, Act("li", "看错了", 3))
    crew_flag = flag_of(back, "Q06")
    database.write(lambda pen: crew_decide.accept(pen, cast.project, crew_flag, Act("li", "N-8", 4)))
    assert yangdi(settings, "export", tmp_path / "county.db", "--project", cast.project).exit_code == 0
    with sqlite3.connect(tmp_path / "county.db") as file:
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        told = file.execute(
            "SELECT f.tag, s.story, s.meant, d.why FROM flags f JOIN stories s ON s.flag = f.id "
            "JOIN decisions d ON d.flag = f.id"
        ).fetchall()
        assert ("59", "decimal", "16.0", "古树") in told
        assert file.execute("SELECT datum, why, said_by, undone_by FROM datums").fetchall() == [
            (GCJ02, "高德", "li", "li")
        ]
        assert file.execute(
            "SELECT c.crew, c.census, c.state, d.decision, d.why FROM crew_flags c "
            "JOIN crew_decisions d ON d.crew_flag = c.id"
        ).fetchall() == [("一队", "2026", "accepted", "accept", "N-8")]
        assert file.execute(
            "SELECT v.kind, w.kind, a.crew, a.verdict, a.outside, a.missed FROM audits a "
            "JOIN visits v ON v.id = a.id JOIN visits w ON w.id = a.visit"
        ).fetchall() == [("audit", "visit", "一队", "failed", 1, 1)]
        assert file.execute(
            "SELECT p.plot_id, d.crew, d.seed, d.of, d.drawn_by FROM draws d JOIN plots p ON p.id = d.plot"
        ).fetchall() == [("PS-001", "一队", "7", 1, "li")]
    file.close()

"""Two censuses of a real forest through the real door: kept whole, and judged as the command judges the table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from server.cli.check import check
from server.demo.phone import Phone
from server.steps.publish import publish
from server.store import schema
from server.store.db import Database
from tests.cast import Cast
from tests.conftest import NOW
from tests.journeys import scbi
from tests.journeys.drained import wait_until_drained
from tests.live import LiveServer

pytestmark = [pytest.mark.slow, scbi.needs_table]

QUADRATS = 60
"""Of 640; about 4,000 stems in each census."""
GROWTH_RULES = ("X01", "X04")
"""Shrunk, and grown beyond its kind: they need nothing but the tree's own last diameter."""

Send = Callable[[list[scbi.Quadrat]], None]


@pytest.fixture
def send(live_server: LiveServer, database: Database, cast: Cast) -> Send:
    """Send quadrats from one phone and wait until the worker has seen to them."""
    with database.writing() as pen:
        pen.execute(
            update(schema.project)
            .where(schema.project.c.id == cast.project)
            .values(tally_limit_cm=scbi.TALLY_LIMIT_CM)
        )
        publish(pen, cast.project, scbi.form().form, scbi.form().xml, {}, "test", NOW)

    def send(quadrats: list[scbi.Quadrat]) -> None:
        with Phone(f"{live_server.base_url}/v1/key/{cast.token_one}/projects/{cast.project}") as phone:
            assert {phone.send(xml).status for xml in scbi.instances(quadrats)} == {201}
        wait_until_drained(database)

    return send


def evenly(plot_ids: list[str], most: int) -> list[str]:
    """Some of them from all over the forest."""
    return plot_ids[:: max(1, len(plot_ids) // most)][:most]


def first_two(most: int = QUADRATS) -> list[scbi.Quadrat]:
    return scbi.quadrats(("1", "2"), evenly(scbi.in_both("1", "2"), most))


Measured = dict[tuple[str, str, str, str], float | None]


def typed(quadrats: list[scbi.Quadrat]) -> Measured:
    """Diameters as the table has them, by census, quadrat, tag and stem."""
    return {
        (q.census, q.plot_id, row["tag"], row["stem_id"]): float(row["dbh_cm"]) if row["dbh_cm"] else None
        for q in quadrats
        for row in q.rows
    }


def stored(database: Database) -> Measured:
    """Diameters as the store has them."""
    m, v = schema.measurement, schema.visit
    query = (
        select(schema.census.c.name, schema.plot.c.plot_id, m.c.tag, m.c.stem_id, m.c.dbh_cm)
        .join(v, v.c.id == m.c.visit_id)
        .join(schema.plot, schema.plot.c.id == v.c.plot_id)
        .join(schema.census, schema.census.c.id == v.c.census_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    assert len({tuple(row[:4]) for row in rows}) == len(rows)
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


Said = set[tuple[str, ...]]


def said_in_the_store(database: Database, census: str) -> Said:
    """What the rules said in the store: rule, plot, tag, stem, value, severity."""
    f = schema.flag
    query = (
        select(f.c.rule, schema.plot.c.plot_id, f.c.tag, f.c.stem_id, f.c.value, f.c.severity)
        .join(schema.visit, schema.visit.c.id == f.c.visit_id)
        .join(schema.census, schema.census.c.id == schema.visit.c.census_id)
        .join(schema.plot, schema.plot.c.id == f.c.plot_id)
        .where(schema.census.c.name == census, f.c.rule.in_(GROWTH_RULES), f.c.state == "open")
    )
    with database.reading() as connection:
        return {tuple(row) for row in connection.execute(query)}


def said_by_the_command(folder: Path, quadrats: list[scbi.Quadrat], census: str) -> Said:
    """What `yangdi check` says about the same rows as a table."""
    scbi.write_table(folder / "trees.csv", quadrats)
    limit = f"T02.min_cm={scbi.TALLY_LIMIT_CM}"
    options = [
        "--csv",
        str(folder / "trees.csv"),
        "--census",
        census,
        "--set",
        limit,
        "--out",
        str(folder / "out.csv"),
    ]
    result = CliRunner().invoke(check, options, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["rule"] in GROWTH_RULES]
    names = ("rule", "plot_id", "tag", "stem_id", "value", "severity")
    return {tuple(row[name] for name in names) for row in rows}


def everything(database: Database) -> dict[str, list[Any]]:
    """All that came of what was sent, row by row, without the moments at which it was looked at again."""
    made = (schema.submission, schema.visit, schema.tree, schema.measurement, schema.flag, schema.job)
    with database.reading() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(*(c for c in table.c if c.name not in {"unfolded_at", "checked_at"})).order_by(
                        table.c.id
                    )
                )
            ]
            for table in made
        }


def assert_whole(database: Database, quadrats: list[scbi.Quadrat]) -> None:
    """Every stem of the table stands in the store, once for each census."""
    assert stored(database) == typed(quadrats)
    stems = {(q.plot_id, row["tag"], row["stem_id"]) for q in quadrats for row in q.rows}
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.tree)) == len(stems)
        per_plot = select(func.count()).select_from(schema.visit).group_by(schema.visit.c.plot_id)
        visits = connection.execute(per_plot).scalars().all()
    assert visits == [2] * len({q.plot_id for q in quadrats})


def test_a_forest_arrives_whole_and_is_judged_as_the_command_judges_it(
    send: Send, database: Database, tmp_path: Path
) -> None:
    quadrats = first_two()
    send(quadrats)
    assert_whole(database, quadrats)
    said = said_in_the_store(database, "2")
    assert {"X01", "X04"} <= {rule for rule, *_ in said}
    assert said == said_by_the_command(tmp_path, quadrats, "2")
    before = everything(database)
    send(quadrats)  # a phone that was not told, or a crew that is not sure
    assert everything(database) == before


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_a_crew_measured_again_is_doubted_less_both_ways_in(
    send: Send, database: Database, tmp_path: Path
) -> None:
    verified = [p for p in scbi.in_both("3", "4") if scbi.has_code(scbi.table()["4", p], "DV")]
    quadrats = scbi.quadrats(("3", "4"), evenly(verified, 25))
    send(quadrats)
    with database.reading() as connection:
        counted = connection.scalar(select(func.count()).where(schema.measurement.c.verified))
    assert counted == sum("DV" in row["codes"] for q in quadrats for row in q.rows)
    said = said_in_the_store(database, "4")
    assert any(severity == "info" for *_, severity in said)
    assert said == said_by_the_command(tmp_path, quadrats, "4")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_it_does_not_matter_which_census_arrives_first(
    send: Send, database: Database, tmp_path: Path
) -> None:
    quadrats = first_two(20)
    send(quadrats[20:])
    assert said_in_the_store(database, "2") == set()
    send(quadrats[:20])
    assert said_in_the_store(database, "2") == said_by_the_command(tmp_path, quadrats, "2")

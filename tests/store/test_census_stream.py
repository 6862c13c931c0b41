"""Trees as columns say what rows say, and a slice of plots is looked up, however many trees the store holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from server.settings import Settings
from server.store import census_stream, schema, visits
from server.store.census_stream import Trees
from server.store.db import Database
from tests import builders
from tests.builders import tree
from tests.cast import Cast

PLOTS = 30
UNUSUAL = [
    {"stem_id": "2"}, {"height_m": 7.5}, {"pom_m": 1.5}, {"x_m": 2.0, "y_m": 3.0}, {"verified": True}, {"codes": "A B"},
    {"dbh_text": "012.30"}, {"tally_code": None}, {"dbh_cm": None, "dbh_text": ""}, {"species": ""},
]  # fmt: skip
"""What only some crews write down."""


@pytest.fixture
def plots(database: Database, cast: Cast) -> list[int]:
    """Plots with two visits of three trees; from the tenth plot on somebody writes what nobody wrote before."""
    with database.writing() as connection:
        return [_plot(connection, cast, place) for place in range(PLOTS)]


def _plot(connection: Connection, cast: Cast, place: int) -> int:
    plot = builders.row(connection, schema.plot, project_id=cast.project, plot_id=f"S-{place}")
    odd = UNUSUAL[place % len(UNUSUAL)] if place >= 10 else {}
    for day in ("2021-06-01", "2026-06-01"):
        trees = [tree("1", 9.0 + place), {**tree("2", 12.3), **odd}, tree("3", 30.1)]
        builders.visit(connection, cast.project, plot, cast.census, trees, measured_on=day)
    return plot


@pytest.fixture
def reader(settings: Settings, plots: list[int]) -> Iterator[Trees]:
    trees = Trees(settings.url)
    yield trees
    trees.close()


@pytest.mark.parametrize("at_once", [1, 7, PLOTS])
def test_trees_read_in_slices_are_those_of_the_visits(
    database: Database, cast: Cast, plots: list[int], reader: Trees, at_once: int
) -> None:
    columns: dict[int, Any] = {}
    with database.reading() as connection:
        of_plot = visits.of_plots(connection, plots)
        rows = visits.measurements(connection, [one.id for some in of_plot.values() for one in some])
        for start in range(0, PLOTS, at_once):
            part = plots[start : start + at_once]
            columns |= census_stream.measurements(
                reader.of_plots(connection, cast.project, part[0], part[-1])
            )
    assert len(rows) == 2 * PLOTS
    assert columns == rows


def test_a_slice_is_looked_up_and_nothing_else_is_read(
    database: Database, cast: Cast, plots: list[int], reader: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    really = reader._columns
    monkeypatch.setattr(reader, "_columns", lambda sql: said.append(sql) or really(sql))  # type: ignore[func-returns-value]
    with database.reading() as connection:
        reader.of_plots(connection, cast.project, plots[12], plots[14])
        plans = [_plan(connection, sql) for sql in said]
    assert len(plans) == 3  # somebody wrote what nobody wrote before: which of it, and once more
    for plan in plans:
        if database.is_sqlite:
            assert "SEARCH m USING PRIMARY KEY (visit_id=?)" in plan
            assert (
                "SEARCH visit USING INDEX ix_visit_plot (plot_id>? AND plot_id<?)" in plan
            )  # without any statistics
        else:
            assert "pk_measurement on measurement m" in plan
            assert "Index Cond: (visit_id = ANY" in plan
            assert "Index Cond: ((plot_id >= " in plan


def _plan(connection: Connection, sql: str) -> str:
    if connection.dialect.name == "sqlite":
        return "\n".join(row[3] for row in connection.execute(text("EXPLAIN QUERY PLAN " + sql)))
    for setting in census_stream.PLAN:
        connection.execute(text(f"SET LOCAL {setting}"))
    return "\n".join(row[0] for row in connection.execute(text("EXPLAIN " + sql)))

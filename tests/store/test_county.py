"""The plan of a county, brought in as lists that may come twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from server.store import county, plots, projects, species
from server.store.county import CensusRow, PlannedPlot, SpeciesRow, StratumRow, TownshipRow
from server.store.db import Database
from server.store.schema import census, plot, stratum, township
from server.store.scope import Scope

AT = 1_780_272_000_000
SQUARE = {"type": "Polygon", "coordinates": [[[113.4, 36.2], [113.5, 36.2], [113.5, 36.3], [113.4, 36.2]]]}
PLOT = PlannedPlot("PS-0001", 36.2, 113.4, 0.0667, "square", "油松林", "青羊镇", None)


@pytest.fixture
def project_id(database: Database) -> int:
    with database.writing() as connection:
        number = projects.add(connection, "平顺县", AT)
        county.add_strata(connection, number, [StratumRow("油松林", "pinus_tabuliformis", 21_400.0)])
        county.add_townships(connection, number, [TownshipRow("青羊镇", SQUARE, False)])
    return number


def _count(database: Database, table: object) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_list_that_comes_twice_changes_nothing(database: Database, project_id: int) -> None:
    for area_ha in (21_400.0, 5.0):
        with database.writing() as connection:
            county.add_strata(connection, project_id, [StratumRow("油松林", None, area_ha)])
            county.add_plots(connection, project_id, [PLOT])
    with database.reading() as connection:
        assert connection.execute(select(stratum.c.area_ha)).scalars().all() == [21_400.0]
    assert _count(database, plot) == 1


def test_a_planned_plot_has_its_stratum_and_township(database: Database, project_id: int) -> None:
    with database.writing() as connection:
        county.add_plots(connection, project_id, [PLOT])
    with database.reading() as connection:
        found = plots.find(connection, project_id, "PS-0001")
        listed = plots.entities(connection, Scope(project_id))
        boundary = connection.execute(select(township.c.boundary)).scalar_one()
    assert found is not None
    assert (found.area_ha, found.shape) == (0.0667, "square")
    assert "青羊镇" in listed[0]
    assert boundary == SQUARE


def test_a_plot_in_a_stratum_that_nobody_knows_is_refused(database: Database, project_id: int) -> None:
    with pytest.raises(KeyError), database.writing() as connection:
        county.add_plots(connection, project_id, [PLOT._replace(stratum="竹林")])
    assert _count(database, plot) == 0


def test_the_rules_are_told_of_each_species(database: Database, project_id: int) -> None:
    row = SpeciesRow("pinus_tabuliformis", "油松", "Chinese pine", "Pinus tabuliformis", "conifer")
    with database.writing() as connection:
        county.add_species(connection, project_id, [row])
    with database.reading() as connection:
        known = species.infos(connection, project_id)["pinus_tabuliformis"]
    assert (known.genus, known.group) == ("Pinus", "conifer")


def test_a_census_may_still_be_open(database: Database, project_id: int) -> None:
    rows = [CensusRow("2021", "2021-07-01", "2021-10-31"), CensusRow("2026", "2026-07-01", None)]
    with database.writing() as connection:
        county.add_censuses(connection, project_id, rows)
    with database.reading() as connection:
        query = select(census.c.name, census.c.starts_on, census.c.ends_on).order_by(census.c.name)
        assert [CensusRow(*row) for row in connection.execute(query)] == rows

"""`yangdi project`: what stands before anybody goes out: the project, its censuses and its planned plots."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from server.cli.joined import now_ms, open_database, project_number
from server.cli.plan_table import PlanRow, PlanUnreadable, read_plan
from server.problems import NotFound
from server.steps import assign as assign_step
from server.store import county, events, projects
from server.store.county import CensusRow, PlannedPlot, StratumRow, TownshipRow

_PROJECT = click.option(
    "--project", "project_name", help="Name or number of the project, where there are several."
)


@click.group()
def project() -> None:
    """Make a project, name its censuses, bring its planned plots."""


@project.command()
@click.argument("name")
@click.option("--tally-limit-cm", default=5.0, show_default=True, type=click.FloatRange(0.1, 50),
              help="Smallest diameter that is tallied, cm.")  # fmt: skip
def add(name: str, tally_limit_cm: float) -> None:
    """Make the project NAME and print its number."""
    with open_database() as database, database.writing() as connection:
        if projects.find_by_name(connection, name) is not None:
            raise click.UsageError(f"{name} is there already")
        number = projects.add(connection, name, now_ms(), tally_limit_cm)
        events.add(
            connection, number, "cli", "project.add", name, {"tally_limit_cm": tally_limit_cm}, now_ms()
        )
    click.echo(f"{number} {name}")


@project.command("list")
def list_() -> None:
    """Every project: its number, its name, its smallest tallied diameter."""
    with open_database() as database, database.reading() as connection:
        for number in projects.names(connection):
            ways = projects.ways(connection, number)
            assert ways is not None
            click.echo(f"{number}\t{ways.name}\t{ways.tally_limit_cm:g} cm")


@project.command()
@click.argument("name")
@click.option("--starts-on", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--ends-on", type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@_PROJECT
def census(name: str, starts_on: datetime | None, ends_on: datetime | None, project_name: str | None) -> None:
    """Name a census, so that the pages can say how much of it is done before the first plot comes."""
    first, last = (day.date().isoformat() if day else None for day in (starts_on, ends_on))
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        county.add_censuses(connection, number, [CensusRow(name, first, last)])


@project.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_PROJECT
def plan(table: Path, project_name: str | None) -> None:
    """Bring planned plots from a CSV: plot_id, and where known lat, lon, area_ha, shape, stratum, township, crew.

    Strata, townships and crews that the table names are made with it. A plot that is there already stays as it is.
    """
    try:
        rows = read_plan(table)
    except PlanUnreadable as fault:
        raise click.ClickException(f"{table}: {fault}") from fault
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        _bring(connection, number, rows)
        events.add(connection, number, "cli", "project.plan", table.name, {"plots": len(rows)}, now_ms())
    click.echo(f"{len(rows)} plots")


@project.command()
@click.argument("plot_ids", nargs=-1, required=True, metavar="PLOT...")
@click.option(
    "--crew", help="The crew that is to measure them; made where it is new. Else they are nobody's."
)
@_PROJECT
def assign(plot_ids: tuple[str, ...], crew: str | None, project_name: str | None) -> None:
    """Hand planned plots over to another crew, or to nobody: then any crew may measure them."""
    with open_database() as database, database.writing() as connection:
        number = project_number(connection, project_name)
        crew_id = None if crew is None else projects.ensure_crew(connection, number, crew)
        try:
            moved = assign_step.to_crew(connection, number, plot_ids, crew_id, "cli", now_ms())
        except NotFound as missing:
            raise click.ClickException(missing.detail) from missing
    click.echo(f"{moved} plots")


def _bring(connection: Connection, number: int, rows: list[PlanRow]) -> None:
    strata = sorted({row.stratum for row in rows if row.stratum})
    townships = sorted({row.township for row in rows if row.township})
    crews = {
        name: projects.ensure_crew(connection, number, name)
        for name in sorted({row.crew for row in rows if row.crew})
    }
    county.add_strata(connection, number, [StratumRow(name, None, None) for name in strata])
    county.add_townships(connection, number, [TownshipRow(name, None, False) for name in townships])
    county.add_plots(
        connection,
        number,
        [PlannedPlot(*row[:7], crew_id=crews[row.crew] if row.crew else None) for row in rows],
    )

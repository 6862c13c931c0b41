"""`yangdi audit`: draw plots for audits at random, and list what was drawn."""

from __future__ import annotations

import secrets

import click
from sqlalchemy import Connection

from server.cli.joined import now_ms, open_database, project_number
from server.problems import Problem
from server.steps import draw_audits
from server.steps.draw_audits import Asked
from server.store import draws, reports

_PROJECT = click.option("--project", help="Name or number of the project; default: the only one.")
_CENSUS = click.option("--census", help="Name of the census; default: the newest.")


@click.group()
def audit() -> None:
    """Audits: draw plots at random for a blind re-measurement, list what was drawn."""


@audit.command()
@_PROJECT
@_CENSUS
@click.option("--share", type=click.FloatRange(0, 100, min_open=True), metavar="PER_CENT",
              help="Draw until this share of each crew's measured plots was drawn, in per cent.")  # fmt: skip
@click.option("--plots", type=click.IntRange(1), help="Draw so many plots more, shared out among the crews.")
@click.option("--approved", is_flag=True, help="Only plots whose visit was approved.")
@click.option("--seed", help="Any text, such as a published lottery number; default: a random one.")
def draw(project: str | None, census: str | None, share: float | None, plots: int | None, approved: bool,
         seed: str | None) -> None:  # fmt: skip
    """Draw plots for audits. What was drawn is kept with its seed, and no plot is drawn twice."""
    if (share is None) == (plots is None):
        raise click.UsageError("give either --share or --plots")
    asked = Asked(
        secrets.token_hex(draw_audits.SEED_BYTES) if seed is None else seed,
        None if share is None else share / 100,
        plots,
        approved,
    )
    try:
        with open_database() as database, database.writing() as connection:
            number = project_number(connection, project)
            census_id = _census(connection, number, census)
            for name in draw_audits.draw(connection, number, census_id, asked, "cli", now_ms()):
                click.echo(name)
    except Problem as refusal:
        raise click.ClickException(f"{refusal.sentence('zh')}\n{refusal.sentence('en')}") from refusal


@audit.command("list")
@_PROJECT
@_CENSUS
def list_(project: str | None, census: str | None) -> None:
    """Drawn plots: plot, crew that is audited, township, latitude, longitude, day of the audit, verdict, seed."""
    with open_database() as database, database.reading() as connection:
        number = project_number(connection, project)
        census_id = _census(connection, number, census)
        found = draws.of_census(connection, number, census_id)
        places = draws.places(connection, number, census_id, draws.plots_of(found))
        for one in reversed(found):
            for crew in one.detail["crews"]:
                for plot in crew["drawn"]:
                    at = places[plot]
                    told = (plot, crew["crew"], at["township"], at["lat"], at["lon"], at["audited_on"], at["verdict"],
                            one.detail["seed"])  # fmt: skip
                    click.echo("\t".join("-" if value is None else str(value) for value in told))


def _census(connection: Connection, project_id: int, name: str | None) -> int:
    censuses = reports.censuses(connection, project_id)
    found = [row["id"] for row in censuses if name in {None, row["name"]}]
    if not found:
        listed = ", ".join(row["name"] for row in censuses) or "none yet"
        raise click.UsageError(f"which census? --census takes one of: {listed}")
    return int(found[0])

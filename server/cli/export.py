"""`yangdi export`: a project as one SQLite file for analysis."""

from __future__ import annotations

from pathlib import Path

import click

from server.cli.joined import open_database, project_number
from server.store import export as rows
from server.tables import analysis


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--project", "project_name", help="Name or number of the project, where there are several.")
def export(path: Path, project_name: str | None) -> None:
    """Write a project to a new SQLite file, for looking at, not for tonnes.

    Data as they count today, with what was typed first among the corrections; flags with what may have happened and
    what was decided; what was said of datums; crews' flags, audits and the plots drawn for them. Opens in Datasette,
    QGIS, R and pandas.
    """
    try:
        with open_database() as database, database.reading() as connection:
            number = project_number(connection, project_name)
            counts = analysis.write(
                path,
                {name: getattr(rows, name)(connection, number) for name in analysis.TABLES},
            )
    except FileExistsError as error:
        raise click.ClickException(f"{path} is there already; choose another name") from error
    click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))

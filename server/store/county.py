"""What a county has before any crew goes out: strata, townships, species, censuses, planned plots.

Rows come in as plain values and are looked up by their names afterwards. Nothing is changed that is there
already, so that bringing the same list twice does no harm. Phones hear of what is new for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select

from server.store import feed
from server.store.schema import census, plot, species, stratum, township


class StratumRow(NamedTuple):
    """A part of the project that is estimated on its own; `species` is the code of its leading species."""

    name: str
    species: str | None
    area_ha: float | None


class TownshipRow(NamedTuple):
    """`boundary` is a GeoJSON polygon in degrees WGS 84; `is_generated` where nobody surveyed it."""

    name: str
    boundary: Mapping[str, Any] | None
    is_generated: bool


class SpeciesRow(NamedTuple):
    """An entry of the species list; `growth_group` is one of the rules' groups, "" for none."""

    code: str
    zh: str
    en: str
    latin: str
    growth_group: str


class CensusRow(NamedTuple):
    """A campaign; days are ISO 8601, inclusive."""

    name: str
    starts_on: str | None
    ends_on: str | None


class PlannedPlot(NamedTuple):
    """A plot at its design position (degrees WGS 84); other things by their names, None where not decided."""

    plot_id: str
    lat: float | None
    lon: float | None
    area_ha: float | None
    shape: str | None
    stratum: str | None
    township: str | None
    crew_id: int | None


def add_strata(connection: Connection, project_id: int, rows: Iterable[StratumRow]) -> None:
    """Add strata that are not there by name."""
    _add_new(connection, stratum, "name", project_id, [row._asdict() for row in rows])


def add_townships(connection: Connection, project_id: int, rows: Iterable[TownshipRow]) -> None:
    """Add townships that are not there by name."""
    _add_new(connection, township, "name", project_id, [row._asdict() for row in rows])


def add_species(connection: Connection, project_id: int, rows: Iterable[SpeciesRow]) -> None:
    """Add species that are not there by code. The first one makes the list binding: see `schema.species`."""
    if _add_new(connection, species, "code", project_id, [row._asdict() for row in rows]):
        feed.lists_changed(connection, project_id)


def add_censuses(connection: Connection, project_id: int, rows: Iterable[CensusRow]) -> None:
    """Add censuses that are not there by name."""
    if _add_new(connection, census, "name", project_id, [row._asdict() for row in rows]):
        feed.lists_changed(connection, project_id)


def add_plots(connection: Connection, project_id: int, rows: Iterable[PlannedPlot]) -> None:
    """Add planned plots that are not there by plot_id. Raises KeyError for a stratum or township that is not
    there."""
    strata = _ids(connection, stratum, project_id)
    townships = _ids(connection, township, project_id)
    values = [
        {
            "plot_id": row.plot_id,
            "lat": row.lat,
            "lon": row.lon,
            "area_ha": row.area_ha,
            "shape": row.shape,
            "is_planned": True,
            "stratum_id": None if row.stratum is None else strata[row.stratum],
            "township_id": None if row.township is None else townships[row.township],
            "crew_id": row.crew_id,
        }
        for row in rows
    ]
    named = _add_new(connection, plot, "plot_id", project_id, values)
    numbers = _ids(connection, plot, project_id, "plot_id") if named else {}
    feed.changed(connection, project_id, feed.PLOT, [numbers[name] for name in named])


def _ids(connection: Connection, table: Table, project_id: int, key: str = "name") -> dict[str, int]:
    query = select(table.c[key], table.c.id).where(table.c.project_id == project_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def _add_new(
    connection: Connection, table: Table, key: str, project_id: int, rows: list[dict[str, Any]]
) -> list[str]:
    """The names of those that were new."""
    known = set(connection.execute(select(table.c[key]).where(table.c.project_id == project_id)).scalars())
    new = [{"project_id": project_id, **row} for row in rows if row[key] not in known]
    if new:
        connection.execute(insert(table), new)
    return [row[key] for row in new]

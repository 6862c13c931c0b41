"""Plots, censuses and crews, found or made by the name that a crew wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from server.store import bulk, hot
from server.store import scope as scopes
from server.store.hot import Hot, HotList
from server.store.schema import census, crew, plot, township
from server.store.scope import Scope

Key = tuple[int, str]  # project and name


class PlotRow(NamedTuple):
    """What the rules need of a plot."""

    id: int
    project_id: int
    plot_id: str
    area_ha: float | None
    shape: str | None


_FIND = Hot(
    select(plot.c.id, plot.c.project_id, plot.c.plot_id, plot.c.area_ha, plot.c.shape).where(
        plot.c.project_id == bindparam("project_id"), plot.c.plot_id == bindparam("plot_id")
    )
)


def find(connection: Connection, project_id: int, plot_id: str) -> PlotRow | None:
    """The plot of this name."""
    row = _FIND.first(connection, {"project_id": project_id, "plot_id": plot_id})
    return PlotRow(*row) if row else None


_BY_NUMBER = hot.in_list(select(*(plot.c[name] for name in PlotRow._fields)), plot.c.id)


def by_number(connection: Connection, ids: Iterable[int]) -> dict[int, PlotRow]:
    """Plots by their number in the store."""
    return {row[0]: PlotRow._make(row) for row in _BY_NUMBER.of(connection, sorted(set(ids)))}


def planned(connection: Connection, project_id: int, plot_ids: Iterable[str]) -> dict[str, int]:
    """Numbers of planned plots by name; absent: there is no planned plot of that name."""
    query = select(plot.c.plot_id, plot.c.id).where(plot.c.project_id == project_id, plot.c.is_planned)
    return {
        row[0]: row[1]
        for some in bulk.chunks(sorted(set(plot_ids)))
        for row in connection.execute(query.where(plot.c.plot_id.in_(some)))
    }


def give_to_crew(connection: Connection, ids: Iterable[int], crew_id: int | None) -> None:
    """These plots are to be measured by this crew; None: by whoever comes."""
    for some in bulk.chunks(sorted(ids)):
        connection.execute(update(plot).where(plot.c.id.in_(some)).values(crew_id=crew_id))


# a project and a list of names; pairs in a list would make SQLite walk every plot there is
_PLOTS_NAMED, _CENSUSES_NAMED = (
    hot.in_list(select(name, name.table.c.id).where(name.table.c.project_id == bindparam("project_id")), name)
    for name in (plot.c.plot_id, census.c.name)
)


def ensure(connection: Connection, names: Iterable[Key]) -> dict[Key, int]:
    """Numbers of plots, made as "not planned" where a crew is the first to name them."""
    wanted = sorted(set(names))
    found = _numbers(connection, _PLOTS_NAMED, wanted)
    missing = [(*key, False) for key in wanted if key not in found]
    if missing:
        bulk.insert_rows(connection, plot, ("project_id", "plot_id", "is_planned"), missing, ignore=True)
        found = _numbers(connection, _PLOTS_NAMED, wanted)
    return found


def ensure_censuses(connection: Connection, names: Iterable[Key]) -> dict[Key, int]:
    """Numbers of censuses, made where they are new."""
    wanted = sorted(set(names))
    found = _numbers(connection, _CENSUSES_NAMED, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        bulk.insert_rows(connection, census, ("project_id", "name"), missing, ignore=True)
        found = _numbers(connection, _CENSUSES_NAMED, wanted)
    return found


def _numbers(connection: Connection, named: HotList, wanted: Sequence[Key]) -> dict[Key, int]:
    of_project: dict[int, list[str]] = {}
    for project_id, text in wanted:
        of_project.setdefault(project_id, []).append(text)
    return {
        (project_id, name): number
        for project_id, names in of_project.items()
        for name, number in named.of(connection, names, project_id=project_id)
    }


_CAMPAIGNS = Hot(
    select(census.c.name, census.c.starts_on, census.c.ends_on)
    .where(census.c.project_id == bindparam("project_id"), census.c.starts_on.is_not(None))
    .order_by(census.c.starts_on.desc(), census.c.name)
)


class Campaigns:
    """Which census covers a day; asked of the store once for each project."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[int, list[tuple[str, str, str | None]]] = {}

    def on(self, project_id: int, day: str) -> str | None:
        """The census whose campaign covers a day (ISO text); of several the one that began last."""
        spans = self._known.get(project_id)
        if spans is None:
            spans = self._known[project_id] = self._spans(project_id)
        return next(
            (name for name, start, end in spans if start <= day and (end is None or day <= end)), None
        )

    def _spans(self, project_id: int) -> list[tuple[str, str, str | None]]:
        rows = _CAMPAIGNS.all(self._connection, {"project_id": project_id})
        return [(name, starts_on, ends_on) for name, starts_on, ends_on in rows]


class Listed(NamedTuple):
    """A plot for a phone; degrees WGS 84."""

    id: int
    plot_id: str
    lat: float | None
    lon: float | None
    area_ha: float | None
    township: str | None
    crew: str | None
    shape: str | None


_LISTED = (
    select(
        plot.c.id, plot.c.plot_id, plot.c.lat, plot.c.lon, plot.c.area_ha, township.c.name, crew.c.name, plot.c.shape
    )
    .select_from(
        plot.outerjoin(township, township.c.id == plot.c.township_id).outerjoin(crew, crew.c.id == plot.c.crew_id)
    )
    .order_by(plot.c.plot_id)
)  # fmt: skip
_LISTED_BY_NUMBER = hot.in_list(_LISTED, plot.c.id)


def entities(connection: Connection, scope: Scope) -> list[Listed]:
    """Plots that may be seen, by name."""
    query = _LISTED.where(plot.c.id.in_(scopes.plots_of(scope)))
    return [Listed._make(row) for row in connection.execute(query)]


def listed(connection: Connection, ids: Iterable[int]) -> list[Listed]:
    """These plots, by name."""
    return [Listed._make(row) for row in _LISTED_BY_NUMBER.of(connection, sorted(set(ids)))]


def campaign_days(connection: Connection, project_id: int) -> list[str]:
    """Days on which the project's campaigns begin, as ISO text."""
    query = select(census.c.starts_on).where(
        census.c.project_id == project_id, census.c.starts_on.is_not(None)
    )
    return list(connection.scalars(query))

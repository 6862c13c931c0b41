"""The list of plots and what is known of each: the dashboard's first question (read only).

Every function asks a fixed number of queries whatever the number of plots; details are asked for the plots of one
page only. `plot_report` has one plot, `flag_report` the queue of flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, func, or_, select

from server.store.schema import (
    attachment,
    census,
    crew,
    flag,
    measurement,
    plot,
    project,
    stratum,
    township,
    visit,
)

PAGE_ROWS = 50
"""Rows of one page of a list."""
NOT_VISITED = "not_visited"
"""State of a plot that has no visit in the census, beside the review states of a visit."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlotQuestion:
    """Which plots, seen in which census, in which order. None and "" mean: all."""

    census_id: int | None
    township_id: int | None = None
    stratum_id: int | None = None
    crew_id: int | None = None
    state: str = ""  # a review state or NOT_VISITED
    with_errors: bool = False
    search: str = ""  # part of a plot_id
    sort: str = "plot_id"  # plot_id, measured_on, errors
    offset: int = 0
    rows: int = PAGE_ROWS


def project_named(connection: Connection, project_id: int) -> Row | None:
    """A project's row."""
    row = connection.execute(select(project).where(project.c.id == project_id)).mappings().first()
    return dict(row) if row else None


def censuses(connection: Connection, project_id: int) -> list[Row]:
    """Censuses of a project, newest first."""
    query = select(census).where(census.c.project_id == project_id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(
        rows, key=lambda row: (row["starts_on"] or row["name"], row["name"], row["id"]), reverse=True
    )


def names(connection: Connection, project_id: int) -> dict[str, dict[int, str]]:
    """What a list can be narrowed to: "township", "stratum" and "crew" -> id -> name, as entered."""
    found: dict[str, dict[int, str]] = {}
    for table in (township, stratum, crew):
        query = select(table.c.id, table.c.name).where(table.c.project_id == project_id).order_by(table.c.id)
        found[table.name] = {row.id: row.name for row in connection.execute(query)}
    return found


def progress(connection: Connection, project_id: int, census_id: int | None) -> list[Row]:
    """Planned plots and how many of them were visited in the census, for each township.

    Rows have township_id, name (both None for plots without one), planned and visited.
    """
    seen = _census_visits(project_id, census_id)
    here = select(
        plot.c.township_id, func.count().label("planned"), func.count(seen.c.visit_id).label("visited")
    )
    here = here.select_from(plot.outerjoin(seen, seen.c.plot_id == plot.c.id))
    here = here.where(plot.c.project_id == project_id, plot.c.is_planned).group_by(plot.c.township_id)
    counted = here.subquery()
    query = select(counted, township.c.name).outerjoin(township, township.c.id == counted.c.township_id)
    return [dict(row) for row in connection.execute(query.order_by(township.c.id)).mappings()]


def plots(connection: Connection, project_id: int, asked: PlotQuestion) -> tuple[int, list[Row]]:
    """How many plots the question is about, and one page of them.

    A row has plot_id, township, stratum, crew (who is to measure it), `visit` (in the census, or None), `before`
    (the latest visit outside it, or None), trees, flags (severity -> how many), photos_received and
    photos_expected.
    """
    wanted = _wanted(project_id, asked, _census_visits(project_id, asked.census_id))
    total = connection.scalar(wanted.with_only_columns(func.count())) or 0
    page = connection.scalars(_in_order(wanted, asked).limit(asked.rows).offset(asked.offset)).all()
    rows = _named(connection, page)
    _add_visits(connection, rows, asked.census_id)
    return total, rows


def _named(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """Plots in the order of `ids`, with the names of what they belong to."""
    query = (
        select(
            plot.c.id, plot.c.plot_id, plot.c.is_planned, township.c.name.label("township"),
            stratum.c.name.label("stratum"), crew.c.name.label("crew"),
        )
        .select_from(plot)
        .outerjoin(township, township.c.id == plot.c.township_id)
        .outerjoin(stratum, stratum.c.id == plot.c.stratum_id)
        .outerjoin(crew, crew.c.id == plot.c.crew_id)
        .where(plot.c.id.in_(ids))
    )  # fmt: skip
    found = {row["id"]: dict(row) for row in connection.execute(query).mappings()}
    return [found[plot_key] for plot_key in ids]


def _census_visits(project_id: int, census_id: int | None) -> Subquery:
    """The visit that speaks for each plot in a census: the last that came, audits and merged ones apart."""
    query = select(visit.c.plot_id, func.max(visit.c.id).label("visit_id"))
    stands = and_(visit.c.kind == "visit", visit.c.merged_into_id.is_(None))
    here = and_(visit.c.project_id == project_id, visit.c.census_id == census_id, stands)
    return query.where(here).group_by(visit.c.plot_id).subquery()


def _wanted(project_id: int, asked: PlotQuestion, seen: Subquery) -> Select[Any]:
    """Numbers of the plots that the question is about, in no order."""
    query = select(plot.c.id).select_from(plot).where(plot.c.project_id == project_id)
    for column, value in ((plot.c.township_id, asked.township_id), (plot.c.stratum_id, asked.stratum_id)):
        query = query.where(column == value) if value is not None else query
    if asked.search:
        query = query.where(plot.c.plot_id.icontains(asked.search, autoescape=True))
    return _by_visit(query, asked, seen)


def _by_visit(query: Select[Any], asked: PlotQuestion, seen: Subquery) -> Select[Any]:
    """Narrow by what only the census's visit knows; the join is left out where nothing asks for it."""
    if not (asked.state or asked.with_errors or asked.crew_id is not None or asked.sort != "plot_id"):
        return query
    query = query.outerjoin(seen, seen.c.plot_id == plot.c.id).outerjoin(visit, visit.c.id == seen.c.visit_id)
    if asked.crew_id is not None:
        query = query.where(func.coalesce(visit.c.crew_id, plot.c.crew_id) == asked.crew_id)
    if asked.state == NOT_VISITED:
        query = query.where(visit.c.id.is_(None))
    elif asked.state:
        query = query.where(visit.c.review_state == asked.state)
    if asked.with_errors:
        query = query.where(_open_flags(visit.c.id, "error").exists())
    return query


def _in_order(query: Select[Any], asked: PlotQuestion) -> Select[Any]:
    if asked.sort == "measured_on":
        query = query.order_by(func.coalesce(visit.c.measured_on, "").desc())
    elif asked.sort == "errors":
        counts = [select(func.count()).select_from(_open_flags(visit.c.id, severity).subquery()).scalar_subquery()
                  for severity in ("error", "warn")]  # fmt: skip
        query = query.order_by(*(count.desc() for count in counts))
    return query.order_by(plot.c.plot_id, plot.c.id)


def _open_flags(visit_id: Any, severity: str) -> Select[Any]:
    here = and_(flag.c.visit_id == visit_id, flag.c.state == "open", flag.c.severity == severity)
    return select(flag.c.id).where(here).correlate(visit)


def _add_visits(connection: Connection, rows: list[Row], census_id: int | None) -> None:
    found = _visits(connection, [row["id"] for row in rows])
    for row in rows:
        visits = found.get(row["id"], [])
        row["visit"] = max(
            (v for v in visits if v["census_id"] == census_id), key=lambda v: v["id"], default=None
        )
        before = [v for v in visits if v["census_id"] != census_id]
        row["before"] = max(before, key=lambda v: (v["measured_on"] or "", v["id"]), default=None)
    now = [row["visit"] for row in rows if row["visit"]]
    trees = _tree_counts(connection, [v["id"] for v in now])
    flags = flag_counts(connection, [v["id"] for v in now])
    photos = photo_counts(connection, [v["source_id"] for v in now])
    for row in rows:
        v = row["visit"] or {}
        row["trees"] = trees.get(v.get("id", 0), 0)
        row["flags"] = flags.get(v.get("id", 0), {})
        row["photos_expected"], row["photos_received"] = photos.get(v.get("source_id", 0), (0, 0))


def _visits(connection: Connection, plot_keys: Sequence[int]) -> dict[int, list[Row]]:
    query = (
        select(visit.c.id, visit.c.plot_id, visit.c.census_id, visit.c.source_id, visit.c.measured_on,
               visit.c.surveyor, visit.c.review_state, visit.c.checked_at, census.c.name.label("census"),
               crew.c.name.label("crew"))
        .join(census, census.c.id == visit.c.census_id)
        .outerjoin(crew, crew.c.id == visit.c.crew_id)
        .where(visit.c.plot_id.in_(plot_keys), visit.c.kind == "visit", visit.c.merged_into_id.is_(None))
    )  # fmt: skip
    found: dict[int, list[Row]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["plot_id"], []).append(dict(row))
    return found


def _tree_counts(connection: Connection, visit_ids: Sequence[int]) -> Mapping[int, int]:
    query = select(measurement.c.visit_id, func.count()).where(measurement.c.visit_id.in_(visit_ids))
    return {row[0]: row[1] for row in connection.execute(query.group_by(measurement.c.visit_id))}


def flag_counts(connection: Connection, visit_ids: Sequence[int]) -> Mapping[int, dict[str, int]]:
    """Open flags: visit id -> severity -> how many."""
    query = select(flag.c.visit_id, flag.c.severity, func.count()).where(
        flag.c.visit_id.in_(visit_ids), flag.c.state == "open"
    )
    found: dict[int, dict[str, int]] = {}
    for visit_id, severity, count in connection.execute(query.group_by(flag.c.visit_id, flag.c.severity)):
        found.setdefault(visit_id, {})[severity] = count
    return found


def photo_counts(connection: Connection, submission_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Attachments that an instance names: submission id -> (expected, received)."""
    query = select(attachment.c.submission_id, func.count(), func.count(attachment.c.sha256)).where(
        attachment.c.submission_id.in_(submission_ids),
        or_(attachment.c.is_expected, attachment.c.sha256.is_not(None)),
    )
    rows = connection.execute(query.group_by(attachment.c.submission_id))
    return {submission_id: (expected, received) for submission_id, expected, received in rows}
